# SPDX-License-Identifier: Apache-2.0
"""Every script folder of the starter knowledge keeps the manifest format and parses.

The format is checked here on its own, apart from the importer, so that a mistake in either shows.
"""

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_bash
import tree_sitter_powershell
import yaml
from msgspec.structs import fields

from api.script_report import examine
from contracts.failure import FailureClass
from contracts.telemetry import Experience, Hardware, Network, Software
from retrieval.manifest import read_entry
from retrieval.starter_release import names_entry

SCRIPTS = Path(__file__).resolve().parents[2] / "knowledge" / "scripts"
FOLDERS = sorted(path for path in SCRIPTS.iterdir() if path.is_dir())
KEYS = {
    "id": str,
    "version": str,
    "title": str,
    "description": str,
    "author": str,
    "platforms": list,
    "interpreter": str,
    "failure_classes": list,
    "parameters": list,
    "preconditions": list,
    "privilege": str,
    "blast_radius": str,
    "reversible": bool,
    "timeout_seconds": int,
    "expected_effect": dict,
    "business_impact": str,
    "effects": dict,
}
PARAMETER_KEYS = {
    "name",
    "type",
    "description",
    "default",
    "pattern",
    "minimum",
    "maximum",
    "choices",
    "bind",
}
BINDINGS = {
    "fullest_disk_mount",
    "top_cpu_process_name",
    "top_cpu_process_pid",
    "top_memory_process_name",
    "top_memory_process_pid",
    "down_service_name",
    "crashing_application_name",
}
REPORT_FIELDS = {
    field.name for part in (Hardware, Software, Network, Experience) for field in fields(part)
}
METRICS = (REPORT_FIELDS - {"score"}) | {
    "experience_score",
    "disk_used_percent_max",
    "inodes_used_percent_max",
    "smart_unhealthy_disks",
    "unencrypted_disks",
    "process_cpu_percent_max",
    "process_memory_percent_max",
    "services_down",
    "app_crashes",
    "app_hangs",
    "app_errors",
    "app_launch_ms_max",
    "agent_queued_reports",
    "agent_memory_bytes",
    "agent_errors",
    "log_errors",
}
METRIC_FAMILIES = {
    "disk_used_percent",
    "process_cpu_percent",
    "process_memory_percent",
    "service_running",
}
PARAMETER_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "enum": str,
}
INTERPRETERS = {
    "linux": {"bash"},
    "macos": {"bash", "zsh"},
    "windows": {"powershell"},
}
# Grammars lag behind the languages, zsh has none of its own and is parsed by `zsh -n` instead.
LANGUAGES = {
    "bash": tree_sitter.Language(tree_sitter_bash.language()),
    "powershell": tree_sitter.Language(tree_sitter_powershell.language()),
}


def load_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(
        (folder / "manifest.yaml").read_text(encoding="utf-8")
    )
    return manifest


def step_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "manifest.yaml")


def test_each_platform_has_at_least_twenty_scripts() -> None:
    platforms = Counter(load_manifest(folder)["platforms"][0] for folder in FOLDERS)
    assert len(FOLDERS) >= 60
    assert set(platforms) == {"linux", "macos", "windows"}
    assert min(platforms.values()) >= 20, platforms


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_manifest_keeps_the_format(folder: Path) -> None:
    manifest = load_manifest(folder)
    assert {key: type(value) for key, value in manifest.items()} == KEYS
    assert manifest["id"] == folder.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert manifest["author"] == "eucora-starter"
    (platform,) = manifest["platforms"]
    assert folder.name.startswith(f"{platform}-")
    assert manifest["interpreter"] in INTERPRETERS[platform]
    assert manifest["failure_classes"]
    assert set(manifest["failure_classes"]) <= set(FailureClass) - {"unknown"}
    assert manifest["privilege"] in {"user", "admin"}
    assert manifest["blast_radius"] in {"process", "service", "application", "device", "network"}
    assert manifest["business_impact"] in {"none", "short_interruption", "restart"}
    assert 1 <= manifest["timeout_seconds"] <= 3600
    assert 5 <= len(manifest["title"]) <= 120
    assert 30 <= len(manifest["description"]) <= 600


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_steps_match_the_manifest(folder: Path) -> None:
    manifest = load_manifest(folder)
    extension = "ps1" if manifest["interpreter"] == "powershell" else "sh"
    steps = {"detect", "remediate", "verify"} | ({"rollback"} if manifest["reversible"] else set())
    assert {path.name for path in step_files(folder)} == {f"{step}.{extension}" for step in steps}
    source = "\n".join(path.read_text(encoding="utf-8") for path in step_files(folder))
    used = {name.lower() for name in re.findall(r"EUCORA_PARAM_([A-Z0-9_]+)", source)}
    used |= set(re.findall(r"Parameter -Name '(\w+)'", source))
    assert used == {parameter["name"] for parameter in manifest["parameters"]}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_parameters_are_typed_and_bounded(folder: Path) -> None:
    parameters = load_manifest(folder)["parameters"]
    assert len({parameter["name"] for parameter in parameters}) == len(parameters)
    for parameter in parameters:
        assert set(parameter) <= PARAMETER_KEYS
        assert re.fullmatch(r"[a-z][a-z0-9_]*", parameter["name"])
        assert parameter["description"]
        kind = parameter["type"]
        if kind == "string":
            pattern = parameter["pattern"]
            assert (pattern[0], pattern[-1]) == ("^", "$"), "patterns are anchored"
            assert not re.fullmatch(pattern, "$(reboot)")
        elif kind in {"integer", "number"}:
            assert parameter["minimum"] <= parameter["maximum"]
        elif kind == "enum":
            assert parameter["choices"]
        assert parameter.get("bind", "top_cpu_process_pid") in BINDINGS
        # The reasoner must be able to fill every parameter without inventing a value.
        assert "default" in parameter or "bind" in parameter
        if "default" in parameter:
            check_default(parameter)


def check_default(parameter: dict[str, Any]) -> None:
    default, kind = parameter["default"], parameter["type"]
    assert isinstance(default, PARAMETER_TYPES[kind])
    assert isinstance(default, bool) == (kind == "boolean")
    if kind == "string":
        assert re.fullmatch(parameter["pattern"], str(default))
    elif kind in {"integer", "number"}:
        assert parameter["minimum"] <= default <= parameter["maximum"]
    elif kind == "enum":
        assert default in parameter["choices"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_conditions_speak_of_known_metrics(folder: Path) -> None:
    manifest = load_manifest(folder)
    effect = manifest["expected_effect"]
    assert set(effect) == {"within_seconds", "all"}
    assert 60 <= effect["within_seconds"] <= 7 * 86400
    assert effect["all"]
    names = {parameter["name"] for parameter in manifest["parameters"]}
    for condition in [*effect["all"], *manifest["preconditions"]]:
        assert set(condition) <= {"metric", "operator", "value", "missing"}
        assert condition["operator"] in {"<", "<=", "==", ">=", ">"}
        assert isinstance(condition["value"], int | float)
        assert condition.get("missing", "holds") in {"holds", "fails", "inconclusive"}
        family, _, member = condition["metric"].partition(":")
        if member:
            assert family in METRIC_FAMILIES
            assert set(re.findall(r"\{(\w+)\}", member)) <= names
        else:
            assert family in METRICS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_steps_parse(folder: Path) -> None:
    interpreter = load_manifest(folder)["interpreter"]
    for path in step_files(folder):
        content = path.read_bytes()
        assert b"SPDX-License-Identifier: Apache-2.0" in content
        assert b"\r" not in content
        assert content.endswith(b"\n")
        if interpreter in LANGUAGES:
            root = tree_sitter.Parser(LANGUAGES[interpreter]).parse(content).root_node
            assert not root.has_error, f"{path.name}: {find_errors(root)}"
        if interpreter != "powershell":
            subprocess.run([interpreter, "-n", str(path)], check=True, capture_output=True)
            assert b"pipefail" in content


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_effects_are_declared_exactly_and_the_release_names_the_script(folder: Path) -> None:
    """`make starter-scripts` writes both; the difference is for a person to read."""
    report = examine(read_entry(folder), with_quality=False)
    report.check()
    assert report.warnings == ()
    assert names_entry(report.entry)


def find_errors(node: tree_sitter.Node) -> list[str]:
    """The lines that a grammar did not understand."""
    if node.is_error or node.is_missing:
        text = (node.text or b"")[:80].decode(errors="replace")
        return [f"line {node.start_point.row + 1}: {text!r}"]
    return [error for child in node.children if child.has_error for error in find_errors(child)]
