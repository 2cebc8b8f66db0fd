# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.guardrails`: masking, script analysis and policy, measured in one run.

`--data` names a folder in the layout of the guardrails data: `pii.jsonl[.gz]`,
`pii_helpdesk.jsonl[.gz]`, `scripts_benign.jsonl[.gz]`, `scripts_dangerous.jsonl[.gz]`. It may hold
any of them; what is missing is said and left out. Policy needs no data.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.figures import require_folder, store_json
from benchmarks.guardrails_pii import UnusableFileError, measure_pii


def main(
    data: Annotated[Path, typer.Option(help="Folder with the labelled files.", exists=True,
                                       file_okay=False)],
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")] = Path(
        "guardrails.json"
    ),
) -> None:  # fmt: skip
    """Measure what guards the road; minutes, one core, nothing leaves the machine."""
    require_folder(json)
    console = Console()
    try:
        figures = measure_pii(data, console)
    except UnusableFileError as error:
        raise typer.BadParameter(str(error)) from error
    store_json(figures, json)
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
