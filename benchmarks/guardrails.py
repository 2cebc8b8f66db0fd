# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.guardrails`: masking, script analysis and policy, measured in one run.

`--data` names a folder in the layout of the guardrails data: `pii.jsonl[.gz]`,
`pii_helpdesk.jsonl[.gz]`, `scripts_benign.jsonl[.gz]` and `scripts_dangerous.jsonl[.gz]`. It may
hold any of them; what is missing is said and left out, but helpdesk texts: ours stand in. Policy
needs no file.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.figures import require_folder, store_json
from benchmarks.guardrails_pii import measure_pii
from benchmarks.guardrails_policy import measure_policy
from benchmarks.guardrails_scripts import measure_scripts
from benchmarks.labelled_files import UnusableFileError, find_file
from benchmarks.script_sets import BENIGN_STEM, DANGEROUS_STEM


def measure(folder: Path, console: Console) -> dict[str, Any]:
    """Return the figures of every part that the folder has data for.

    Raises:
        UnusableFileError: a file is not in the layout.

    """
    figures = measure_pii(folder, console)
    missing = [stem for stem in (BENIGN_STEM, DANGEROUS_STEM) if not find_file(folder, stem)]
    if missing:
        console.print(
            f"scripts are not measured: {folder} has no {' and no '.join(missing)}.jsonl[.gz]"
        )
    else:
        figures["scripts"] = measure_scripts(folder, console)
    figures["policy"] = measure_policy(console)
    return figures


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
        figures = measure(data, console)
    except UnusableFileError as error:
        raise typer.BadParameter(str(error)) from error
    store_json(figures, json)
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
