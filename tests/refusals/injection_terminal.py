# SPDX-License-Identifier: Apache-2.0
"""Runs `eucora incident` on the attacked database; reads what reaches the terminal and the log."""

import asyncio
import io
import json
import re

import pytest
from typer.testing import CliRunner

import api.cli_ground
from api.cli import app
from tests.refusals.injection_pages import assert_legible_terminal
from tests.refusals.injection_world import World

LOG_BREAKS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OWN_LINE = re.compile(r"^  \d{4}-\d\d-\d\dT\S+ ([a-z_]+): ")
OWN_STEPS = {"open", "proposed", "escalated", "approved", "remediating", "verifying"}


async def read_terminal(world: World, patch: pytest.MonkeyPatch, n_incidents: int) -> None:
    """List and show incidents as an operator does; nothing may pass for a line of ours."""
    ground = world.services.ground
    patch.setenv("EUCORA_DATABASE_URL", ground.addresses.owner)
    patch.setenv("EUCORA_DATA_DIR", str(ground.settings.data_dir))
    patch.setattr(api.cli_ground.console, "width", 300)
    listed = await _run("incident", "list", "--limit", "500")
    assert_legible_terminal(listed, "incident list")
    for incident_id in world.incidents[-n_incidents:]:
        shown = await _run("incident", "show", incident_id)
        assert_legible_terminal(shown, incident_id)
        steps = [found[1] for found in map(OWN_LINE.match, shown.splitlines()) if found]
        rows = await world.desk.query(
            "SELECT to_status FROM incident_transitions WHERE incident_id = %s"
            " ORDER BY occurred_at", incident_id,
        )  # fmt: skip
        assert sorted(steps) == sorted(row["to_status"] for row in rows)
        assert set(steps) <= OWN_STEPS
        world.tally["terminal"] += 1


async def _run(*words: str) -> str:
    ended = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert ended.exit_code == 0, (ended.output, ended.exception)
    return ended.output


def assert_log_legible(log: io.StringIO) -> None:
    """Every line is one JSON object of printable characters, whoever wrote what is in it."""
    lines = log.getvalue().splitlines()
    assert lines
    for each in lines:
        assert not LOG_BREAKS.search(each)
        assert isinstance(json.loads(each), dict)
