# SPDX-License-Identifier: Apache-2.0
"""A script folder is a catalogue entry, or is refused with what is wrong and where."""

import asyncio
import copy
from typing import Any

import pytest
import yaml

from kernel.audit import AuditIntake
from retrieval.catalogue import Catalogue, find_script, list_scripts, load_files
from retrieval.errors import ManifestError, ScriptNotFoundError, VersionConflictError
from retrieval.manifest import (
    MAX_STEP_BYTES,
    Manifest,
    Parameter,
    bind_parameters,
    read_entry,
)

MANIFEST: dict[str, Any] = {
    "id": "linux-say-hello",
    "version": "1.0.0",
    "title": "Say hello",
    "description": "Says hello.",
    "author": "ada",
    "platforms": ["linux"],
    "interpreter": "bash",
    "failure_classes": ["dns"],
    "parameters": [
        {"name": "who", "type": "string", "description": "w", "pattern": "[a-z]{1,8}"},
        {"name": "times", "type": "integer", "description": "t", "minimum": 1, "maximum": 3,
         "default": 2},
        {"name": "rate", "type": "number", "description": "r", "minimum": 0, "maximum": 1,
         "default": 0.5},
        {"name": "tone", "type": "enum", "description": "t", "choices": ["calm", "loud"],
         "default": "calm"},
        {"name": "twice", "type": "boolean", "description": "t", "default": False},
        {"name": "unit", "type": "string", "description": "u", "pattern": "[a-z.]+",
         "bind": "worst_service", "default": "cron.service"},
    ],
    "privilege": "user",
    "blast_radius": "process",
    "reversible": False,
    "timeout_seconds": 10,
    "expected_effect": {
        "within_seconds": 60,
        "all": [{"metric": "service_running:{unit}", "operator": "<", "value": 1}],
    },
}  # fmt: skip
STEPS = ("detect", "remediate", "verify")


@pytest.fixture
def write(tmp_path):
    """Write a script folder with a changed manifest; return it."""

    def write(changes=None, *, steps=STEPS, content="true\n"):
        folder = tmp_path / "linux-say-hello"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.yaml").write_text(yaml.safe_dump({**MANIFEST, **(changes or {})}))
        for step in steps:
            (folder / f"{step}.sh").write_text(content)
        return folder

    return write


def parameter(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return the parameters with one changed; None leaves a field out."""
    parameters = copy.deepcopy(MANIFEST["parameters"])
    (changed,) = (item for item in parameters if item["name"] == name)
    changed.update(changes)
    for field in [field for field, value in changed.items() if value is None]:
        del changed[field]
    return {"parameters": parameters}


def test_a_sound_folder_is_read(write):
    entry = read_entry(write())
    assert set(entry.steps) == set(STEPS)
    assert entry.content_sha256 == read_entry(write()).content_sha256
    assert entry.content_sha256 != read_entry(write(content="false\n")).content_sha256
    assert entry.content_sha256 != read_entry(write({"timeout_seconds": 11})).content_sha256


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (parameter("who", pattern=None), "needs a pattern"),
        (parameter("who", pattern="[a-z"), "who: the pattern is no regular expression"),
        (parameter("times", minimum=None), "needs minimum and maximum"),
        (parameter("times", maximum=None), "needs minimum and maximum"),
        (parameter("times", minimum=4, default=None), "times: the minimum exceeds the maximum"),
        (parameter("rate", maximum=float("nan")), "maximum"),
        (parameter("rate", minimum=float("-inf")), "minimum"),
        (parameter("times", default=9), r"must be an integer in \[1, 3\]"),
        (parameter("times", default=1.5), "must be an integer"),
        (parameter("times", default=True), "must be an integer"),
        (parameter("tone", choices=[]), "needs choices"),
        (parameter("tone", default="shrill"), "must be one of calm, loud"),
        (parameter("twice", default="yes"), "must be true or false"),
        (parameter("unit", default="cron; reboot"), "must match"),
        (parameter("who", name="Who"), "name"),
        (parameter("who", name="times"), "two parameters are named times"),
        (parameter("who", type="path"), "type"),
        (parameter("who", secret=True), "secret"),
        ({"id": "linux-other"}, "the manifest's id is 'linux-other'"),
        ({"id": "../../etc"}, "id"),
        ({"version": "1.0"}, "version"),
        ({"platforms": ["plan9"]}, "platforms"),
        ({"platforms": []}, "platforms"),
        ({"interpreter": "perl"}, "interpreter"),
        ({"failure_classes": ["boredom"]}, "failure_classes"),
        ({"privilege": "root"}, "privilege"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"approved": True}, "approved"),
        ({"expected_effect": {"within_seconds": 60, "all": []}}, "expected_effect"),
        (
            {"preconditions": [{"metric": "x.{size}", "operator": "<", "value": 1}]},
            "x.{size} names no parameter",
        ),
        (
            {"preconditions": [{"metric": "x", "operator": "<", "value": float("nan")}]},
            "preconditions",
        ),
        (
            {"preconditions": [{"metric": "disk_used", "operator": "<", "value": 1}]},
            "names the metric 'disk_used', and no report has it; there are agent_errors",
        ),
        (
            {
                "expected_effect": {
                    "within_seconds": 60,
                    "all": [{"metric": "disk_used_percent:", "operator": "<", "value": 1}],
                }
            },
            "expected_effect names the metric 'disk_used_percent:'.* disk_used_percent:MOUNT,",
        ),
        ({"reversible": True}, r"missing rollback\.sh"),
    ],
)
def test_a_bad_manifest_is_refused_with_its_reason(write, changes, message):
    with pytest.raises(ManifestError, match=message) as refusal:
        read_entry(write(changes))
    assert str(refusal.value).startswith("linux-say-hello")


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"a: [", b"\xff\xfe\x00", b"id: \x00"])
def test_what_is_no_manifest_is_refused(write, content):
    folder = write()
    (folder / "manifest.yaml").write_bytes(content)
    with pytest.raises(ManifestError, match=r"linux-say-hello/manifest\.yaml"):
        read_entry(folder)


@pytest.mark.parametrize(
    "line",
    ["title: 2026-13-45", 'title: !!int "abc"', 'title: !!timestamp "abc"', "title: &a x\nid: *a"],
)
def test_what_yaml_stumbles_over_is_refused(write, line):
    folder = write(content="true\n")
    (folder / "manifest.yaml").write_text(line)
    with pytest.raises(ManifestError, match=r"manifest\.yaml"):
        read_entry(folder)


def test_a_pattern_that_takes_for_ever_is_refused():
    parameter = {
        "name": "x", "type": "string", "description": "d", "pattern": "(a|aa)+b",
        "default": "a" * 200,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"takes too long|must match"):
        Parameter.model_validate(parameter)


def test_missing_and_huge_steps_are_refused(write, tmp_path):
    with pytest.raises(ManifestError, match=r"manifest\.yaml"):
        read_entry(tmp_path / "nowhere")
    with pytest.raises(ManifestError, match=r"exceeds 131072 bytes"):
        read_entry(write(content="#" * (MAX_STEP_BYTES + 1)))
    folder = write(content="true\n")
    (folder / "verify.sh").unlink()
    with pytest.raises(ManifestError, match=r"missing verify\.sh"):
        read_entry(folder)


def bind(given, facts=None):
    manifest = Manifest.model_validate(MANIFEST)
    return bind_parameters(manifest, given=given, find_bound=(facts or {}).get)


def test_given_beats_fact_beats_default():
    assert bind({"who": "ada"}) == {
        "who": "ada", "times": 2, "rate": 0.5, "tone": "calm", "twice": False,
        "unit": "cron.service",
    }  # fmt: skip
    facts = {"worst_service": "cups.service"}
    assert bind({"who": "ada"}, facts)["unit"] == "cups.service"
    assert bind({"who": "ada", "unit": "ssh.service"}, facts)["unit"] == "ssh.service"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no value for parameter who"),
        ({"who": "ada", "target": "dev-2"}, "has no parameter target"),
        ({"who": "Ada"}, "who must match"),
        ({"who": "ada\n"}, "who must match"),
        ({"who": "ada\x00"}, "who must match"),
        ({"who": "ada$(id)"}, "who must match"),
        ({"who": 7}, "who must be"),
        ({"who": ["ada"]}, "who must be"),
        ({"who": "ada", "times": 4}, "times must be"),
        ({"who": "ada", "times": "2"}, "times must be"),
        ({"who": "ada", "times": True}, "times must be"),
        ({"who": "ada", "times": 2.0}, "times must be"),
        ({"who": "ada", "rate": float("nan")}, "rate must be"),
        ({"who": "ada", "rate": float("inf")}, "rate must be"),
        ({"who": "ada", "tone": "CALM"}, "tone must be one of"),
        ({"who": "ada", "twice": 1}, "twice must be"),
        ({"who": "ada", "unit": "a" * 257}, "unit must match"),
    ],
)
def test_no_value_leaves_its_bounds(given, message):
    with pytest.raises(ManifestError, match=message):
        bind(given)


def test_a_fact_out_of_bounds_is_no_way_around():
    with pytest.raises(ManifestError, match="unit must match"):
        bind({"who": "ada"}, {"worst_service": "cups.service; reboot"})


async def import_entry(connection, entry, clock, ids) -> bool:
    catalogue = Catalogue(clock=clock, audit=AuditIntake(clock, ids))
    return await catalogue.import_entry(
        connection, entry, analysis={}, quality={}, sign=lambda moment: b"signed",
        actor="user:ada", correlation_id="cor_import",
    )  # fmt: skip


async def test_a_version_never_changes_its_bytes(connection, clock, ids, write):
    assert await import_entry(connection, read_entry(write()), clock, ids) is True
    assert await import_entry(connection, read_entry(write()), clock, ids) is False
    with pytest.raises(ManifestError, match="raise the version"):
        await import_entry(connection, read_entry(write(content="rm -rf /\n")), clock, ids)
    catalogue = Catalogue(clock=clock, audit=AuditIntake(clock, ids))
    await catalogue.put_in_force(connection, "linux-say-hello", "1.0.0")
    newer = read_entry(write({"version": "1.10.0"}, content="echo new\n"))
    assert await import_entry(connection, newer, clock, ids) is True
    assert (await find_script(connection, "linux-say-hello")).manifest.version == "1.0.0"
    with pytest.raises(VersionConflictError, match=r"older than 1\.10\.0"):
        await import_entry(connection, read_entry(write({"version": "1.9.0"})), clock, ids)
    await catalogue.put_in_force(connection, "linux-say-hello", "1.10.0")
    assert (await find_script(connection, "linux-say-hello")).manifest.version == "1.10.0"
    assert [item.manifest.version for item in await list_scripts(connection)] == ["1.10.0"]
    old = await load_files(connection, "linux-say-hello", "1.0.0")
    assert set(old.values()) == {b"true\n"}
    events = await (
        await connection.execute("SELECT subject_id FROM audit_events ORDER BY event_id")
    ).fetchall()
    assert [event["subject_id"] for event in events] == [
        "linux-say-hello@1.0.0", "linux-say-hello@1.10.0",
    ]  # fmt: skip
    with pytest.raises(ScriptNotFoundError, match=r"linux-say-hello 9\.0\.0"):
        await find_script(connection, "linux-say-hello", "9.0.0")
    with pytest.raises(ScriptNotFoundError):
        await load_files(connection, "linux-say-hello", "9.0.0")


async def test_several_who_import_one_script_take_turns(pool, clock, ids, write):
    entry = read_entry(write())

    async def load() -> bool:
        async with pool.connection() as connection:
            return await import_entry(connection, entry, clock, ids)

    assert sorted(await asyncio.gather(*(load() for _ in range(4)))) == [False, False, False, True]
