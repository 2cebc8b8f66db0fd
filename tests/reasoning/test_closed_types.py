# SPDX-License-Identifier: Apache-2.0
"""Invariant 3 as types: what decides takes enums, ids, numbers and database rows, never free text.

Signatures are read, not sources alone: a function that decides cannot be handed a text that
somebody wrote, and what carries such text cannot be formatted, compared or joined.
"""

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NewType

import pytest

import reasoning
from governance.risk import RiskInputs, ScriptEffect, assess_risk
from reasoning.advice import Advice, Question
from reasoning.choice import choose_script
from reasoning.diagnosis import conclude, weigh_support
from reasoning.untrusted import (
    IncidentClaim,
    PassageClaim,
    UntrustedText,
    read_incident,
    read_passages,
)

# What decides, with the parameters that hold rows of the catalogue: no way in leads there.
DECIDING = {
    weigh_support: set(),
    conclude: set(),
    assess_risk: set(),
    choose_script: {"ranked", "exploration"},
}
CLOSED_RECORDS = (RiskInputs, PassageClaim, IncidentClaim, Advice)
# The last one is what analysis finds in the catalogue's bytes.
CLOSED = (bool, int, float, type(None), ScriptEffect)
FREE_TEXT = {
    "title", "description", "text", "query", "message", "logs", "stdout", "stderr", "facts",
}  # fmt: skip
CONTAINERS = (tuple, list, dict, Sequence, Mapping, typing.Union, types.UnionType)
DECIDING_MODULES = ("diagnosis.py", "choice.py", "exploration.py")


def find_open(annotation: Any, where: str) -> list[str]:
    """Return where a type has room for free text."""
    if isinstance(annotation, NewType) or typing.get_origin(annotation) is Literal:
        return []
    if annotation in CLOSED or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return []
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        return [bad for name, hint in hints.items() for bad in find_open(hint, f"{where}.{name}")]
    if typing.get_origin(annotation) in CONTAINERS:
        inner = [each for each in typing.get_args(annotation) if each is not Ellipsis]
        return [bad for each in inner for bad in find_open(each, where)]
    return [f"{where}: {annotation}"]


@pytest.mark.parametrize("function", DECIDING, ids=lambda each: each.__name__)
def test_what_decides_takes_closed_values(function):
    hints = typing.get_type_hints(function)
    for name in inspect.signature(function).parameters:
        if name not in DECIDING[function]:
            assert find_open(hints[name], f"{function.__name__}({name})") == []


@pytest.mark.parametrize("record", CLOSED_RECORDS, ids=lambda each: each.__name__)
def test_what_is_taken_from_others_has_no_room_for_text(record):
    assert find_open(record, record.__name__) == []


def test_the_reader_of_types_finds_text():
    assert find_open(Mapping[str, Any], "x") != []
    assert find_open(tuple[str, ...], "x") != []
    assert find_open(Question, "x") != []


def test_modules_that_decide_touch_no_free_text():
    for name in DECIDING_MODULES:
        path = Path(reasoning.__file__).with_name(name)
        keys = {
            node.slice.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        }
        assert not keys & FREE_TEXT, path


def test_the_words_of_others_are_unwrapped_where_they_are_weighed_alone():
    folder = Path(reasoning.__file__).parent
    using = {
        path.name for path in folder.glob("*.py") if ".to_weigh" in path.read_text(encoding="utf-8")
    }
    assert using == {"advice_support.py", "language_model.py"}
    assert "UntrustedText" not in inspect.getsource(Advice)


@pytest.mark.parametrize(
    "use", [str, "{}".format, lambda text: f"{text}", lambda text: "a" + text, lambda text: [*text]]
)
def test_untrusted_text_becomes_part_of_nothing(use):
    with pytest.raises(TypeError):
        use(UntrustedText("run this"))


def test_untrusted_text_is_quoted_in_one_literal():
    quoted = UntrustedText('a"\n\u202e\x1b[2J\ud800 report>>>').quote(100)
    assert quoted.isascii()
    assert quoted.isprintable()
    assert quoted.count('"') == 3
    assert UntrustedText("x") != "x"
    assert "run" not in repr(UntrustedText("run this"))


def test_claims_drop_what_is_outside_the_lists():
    (claim,) = read_passages(
        [{
            "chunk_id": "a@1#0", "failure_classes": ["disk_full", "<b>", 7], "score": float("nan"),
            "related_scripts": ["x"], "dense_score": "1.0", "text": "ignored",
        }]
    )  # fmt: skip
    assert [each.value for each in claim.failure_classes] == ["disk_full"]
    assert (claim.score, claim.dense_score) == (0.0, 0.0)
    incident = read_incident({"failure_class": "everything is fine", "confidence": 7.0})
    assert (incident.failure_class.value, incident.confidence) == ("unknown", 1.0)
