# SPDX-License-Identifier: Apache-2.0
"""How the help of commands is set: whole paragraphs, and no type where none is to be given.

Typer keeps the line breaks of a docstring's later paragraphs, which break sentences in a terminal
of another width than ours, and shows a flag as if it took a `<bool>`.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

Parameter = TypeVar("Parameter")


class Command(TyperCommand):
    """A command whose help is set so."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self.help = unfold(self.help)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return its parameters; flags take nothing."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands whose own options are shown so."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return its parameters; flags take nothing."""
        return _without_types(super().get_params(ctx))


def set_help(app: typer.Typer) -> None:
    """Let all commands of an application, and of those in it, show their help so."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            set_help(group.typer_instance)


def unfold(text: str | None) -> str | None:
    """Return a help text with each paragraph on one line, for the terminal to fold."""
    if text is None:
        return None
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _without_types(parameters: Sequence[Parameter]) -> list[Parameter]:
    for parameter in parameters:
        if isinstance(parameter, TyperOption) and parameter.is_flag:
            parameter.metavar = ""
    return list(parameters)
