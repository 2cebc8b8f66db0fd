# SPDX-License-Identifier: Apache-2.0
"""An unknown command, type, method or program is a doubt wherever it stands in a real script."""

from pathlib import Path

import pytest

from guardrails.script_analysis import analyse_script

SCRIPTS = Path(__file__).resolve().parents[2] / "knowledge" / "scripts"
STEPS = sorted(SCRIPTS.glob("windows-*/*.ps1"))
UNKNOWN = (
    "Frobnicate-It x",
    "$zq.Frobnicate(1)",
    "[Frob.Nic]::Ate()",
    "& $zq 1",
    "Start-Process frob.exe",
    "Write-Output (frob)",
    "$env:PATH = 'C:\\x'",
)


def list_places(lines: list[str]) -> list[int]:
    """Return the lines before which a statement may stand."""
    return [
        number
        for number, line in enumerate(lines)
        if number
        and lines[number - 1].rstrip().endswith(("{", "}"))
        and not line.lstrip().startswith((")", "|", "}", "else", "catch", "finally", "'", "@"))
        and not lines[number - 1].rstrip().endswith("@{")
    ]


@pytest.mark.parametrize("step", STEPS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_unknown_hides_in_a_starter_script(step: Path) -> None:
    lines = step.read_text("utf-8").split("\n")
    assert analyse_script("powershell", "\n".join(lines).encode()).judgeable
    places = list_places(lines)
    assert places
    for index, place in enumerate(places[:: max(1, len(places) // 7)]):
        code = UNKNOWN[index % len(UNKNOWN)]
        text = "\n".join([*lines[:place], code, *lines[place:]])
        assert not analyse_script("powershell", text.encode()).judgeable, (place, code)
