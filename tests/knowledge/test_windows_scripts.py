# SPDX-License-Identifier: Apache-2.0
"""The Windows scripts: they parse, keep the contract of steps and agree with their manifests."""

import re
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
import yaml
from tree_sitter import Language, Parser

from contracts.failure import FailureClass

SCRIPTS = Path(__file__).resolve().parents[2] / "knowledge" / "scripts"
FOLDERS = sorted(path.parent for path in SCRIPTS.glob("windows-*/manifest.yaml"))
STEPS = ("detect", "remediate", "verify")
# Code that is not in the text, or that PowerShell 5.1 does not know.
BANNED = re.compile(
    r"Invoke-Expression|\biex\b|EncodedCommand|DownloadString|Invoke-WebRequest|Invoke-RestMethod"
    r"|Start-BitsTransfer|FromBase64String|Add-Type|\?\?|\?\.|&&|\|\||-Parallel|ForEach-Object -P",
    re.IGNORECASE,
)


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((folder / "manifest.yaml").read_text("utf-8"))
    return manifest


def parse_powershell(content: bytes) -> Any:
    return Parser(Language(tree_sitter_powershell.language())).parse(content).root_node


def test_there_are_enough_scripts() -> None:
    assert len(FOLDERS) >= 21


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_steps_parse_and_keep_the_contract(folder: Path) -> None:
    manifest = read_manifest(folder)
    steps = (*STEPS, "rollback") if manifest["reversible"] else STEPS
    assert {path.name for path in folder.iterdir()} == {
        "manifest.yaml",
        *(f"{step}.ps1" for step in steps),
    }
    for step in steps:
        content = (folder / f"{step}.ps1").read_bytes()
        text = content.decode("ascii")  # PowerShell 5.1 guesses at anything else without a BOM
        assert not parse_powershell(content).has_error, step
        assert not BANNED.search(text), step
        assert "Set-StrictMode -Version Latest\n$ErrorActionPreference = 'Stop'\n" in text
        assert "trap { " in text  # else an error would end with 1, "fault absent"
        assert "exit 3 }" in text
        assert text.endswith(("exit 0\n", "exit 1\n")) or "\nStop-Step " in text[-200:]
        assert ("exit 1" in text) == (step == "detect"), step


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_manifest_is_complete_and_its_parameters_are_bounded(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest["id"] == folder.name
    assert manifest["platforms"] == ["windows"]
    assert manifest["interpreter"] == "powershell"
    assert manifest["author"] == "eucora-starter"
    assert {FailureClass(name) for name in manifest["failure_classes"]}
    assert manifest["privilege"] in ("user", "admin")
    assert manifest["blast_radius"] in ("process", "service", "application", "device", "network")
    assert manifest["business_impact"] in ("none", "short_interruption", "restart")
    assert 1 <= manifest["timeout_seconds"] <= 3600
    effect = manifest["expected_effect"]
    assert 60 <= effect["within_seconds"] <= 86400
    names = {parameter["name"] for parameter in manifest["parameters"]}
    for condition in (*effect["all"], *manifest["preconditions"]):
        assert condition["operator"] in ("<", "<=", ">", ">=", "==", "!=")
        assert isinstance(condition["value"], int | float)
        assert set(re.findall(r"\{(\w+)\}", condition["metric"])) <= names
    text = "".join((folder / f"{step}.ps1").read_text("utf-8") for step in STEPS)
    for parameter in manifest["parameters"]:
        assert f"-Name '{parameter['name']}'" in text
        match parameter["type"]:
            case "integer":
                assert parameter["minimum"] <= parameter.get("default", parameter["minimum"])
                assert parameter.get("default", parameter["minimum"]) <= parameter["maximum"]
                bounds = f"-Minimum {parameter['minimum']} -Maximum {parameter['maximum']}"
                assert bounds in text
            case "string":
                assert re.fullmatch(r"\^.*\$", parameter["pattern"])
                assert parameter["pattern"][1:-1] in text
                assert re.search(parameter["pattern"], parameter.get("default", "")) or (
                    "default" not in parameter
                )
            case "enum":
                assert parameter["default"] in parameter["choices"]
                assert "|".join(parameter["choices"]) in text
            case kind:
                assert kind == "boolean"
                assert isinstance(parameter["default"], bool)
    assert set(re.findall(r"-Name '(\w+)' -Default", text)) == names
