# SPDX-License-Identifier: Apache-2.0
"""A measured figure, and how figures are shown: a table for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value; `aim` says what was hoped for, where anything was."""

    name: str
    value: float
    unit: str
    aim: str = ""


def show(title: str, figures: Sequence[Figure], console: Console) -> None:
    """Print a table."""
    table = Table("figure", "measured", "unit", "aim", title=title, title_justify="left")
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:,.2f}", figure.unit, figure.aim)
    console.print(table)


def store(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    store_json([asdict(figure) for figure in figures], path)


def require_folder(path: Path) -> None:
    """Refuse a file whose folder does not exist, before hours are measured for nothing.

    Raises:
        typer.BadParameter: it does not.
    """
    if not path.absolute().parent.is_dir():
        message = f"the folder {path.absolute().parent} does not exist; make it first"
        raise typer.BadParameter(message)


def store_json(content: Any, path: Path) -> None:
    """Write what a benchmark found as JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n")
