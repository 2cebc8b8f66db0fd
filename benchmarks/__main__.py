# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks`: measures the road on a scratch installation of its own."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.agent_size import measure_agent_size
from benchmarks.figures import show, store
from benchmarks.road import measure_road


def main(
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")] = Path(
        "benchmarks.json"
    ),
    agent_size: Annotated[
        bool, typer.Option(help="Install the agent alone; needs a package index.")
    ] = True,
) -> None:
    """Measure start, memory, the ways in and the agent; several minutes, loopback only."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="eucora-bench-") as name:
        folder = Path(name)
        console.print("starting a scratch installation; training takes a minute ...")
        figures = measure_road(folder)
        if agent_size:
            console.print("installing the agent alone ...")
            figures += measure_agent_size(folder)
    show("EUCORA on this machine", figures, console)
    store(figures, json)
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
