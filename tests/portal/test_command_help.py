# SPDX-License-Identifier: Apache-2.0
"""The help of every command: sentences go on over lines, flags take nothing, arguments are told."""

from itertools import pairwise

import pytest
from typer.core import TyperArgument
from typer.main import get_command
from typer.testing import CliRunner

from api.cli import app
from guardrails.reidentification import MAX_REASON_CHARACTERS, MIN_REASON_CHARACTERS


def walk(command, *path):
    """Yield every command that is no group, with the words that call it."""
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, *path, name)
    if not getattr(command, "commands", {}):
        yield path, command


COMMANDS = [each for each in walk(get_command(app)) if each[0] != ("agent",)]


def show_help(path) -> list[str]:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    return shown.output.splitlines()


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(c[0]) for c in COMMANDS])
def test_no_sentence_is_broken_and_no_flag_takes_a_value(path, command):
    lines = show_help(path)
    assert "<bool>" not in "\n".join(lines)
    prose = [line.strip() for line in lines[: find_first_panel(lines)]]
    for line, following in pairwise(prose):
        first_word = following.split(" ")[0]
        assert not line or not first_word or len(line) + 1 + len(first_word) > 78, (line, following)
    assert command.help


@pytest.mark.parametrize("group", ["models", "drift", "incident", "scripts"])
def test_every_argument_is_explained(group):
    arguments = [
        (path, parameter)
        for path, command in COMMANDS
        for parameter in command.params
        if path[0] == group and isinstance(parameter, TyperArgument)
    ]
    assert arguments
    assert [(path, one.name) for path, one in arguments if not one.help] == []


def test_a_reveals_help_states_the_bounds_of_its_reason():
    (options,) = [command.params for path, command in COMMANDS if path == ("privacy", "reveal")]
    (reason,) = [one for one in options if one.name == "reason"]
    assert f"in {MIN_REASON_CHARACTERS} to {MAX_REASON_CHARACTERS} characters" in reason.help


def find_first_panel(lines) -> int:
    return next(n for n, line in enumerate(lines) if line.startswith("╭"))
