# SPDX-License-Identifier: Apache-2.0
"""One deadline for a script's analysis: hostile repetition ends in a doubt, in bounded time."""

import time
from math import inf

import pytest

from guardrails.script_analysis import analyse_script
from guardrails.script_reading import Deadline, DeadlineError
from guardrails.syntax_trees import parse

_SECONDS = 0.2
_PIECES = [
    "()",
    "(())",
    "a()",
    "$(()",
    "<<a\n",
    "[[",
    "&&a",
    "<(a)",
    "a;",
    "{}",
    "a,",
    "a<",
    "@a\n",
]


@pytest.mark.parametrize("interpreter", ["bash", "zsh", "powershell", "cmd", "python"])
def test_hostile_repetition_ends_in_time(interpreter, monkeypatch):
    monkeypatch.setattr("guardrails.script_analysis.Deadline", lambda: Deadline(_SECONDS))
    for piece in _PIECES:
        began = time.thread_time()
        analyse_script(interpreter, (piece * 40_000)[:60_000].encode())
        spent = time.thread_time() - began
        # What cannot be stopped (one regular expression, Python's parser) comes on top.
        assert spent < _SECONDS + 2, (interpreter, piece, spent)


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("cmd", "echo " + "for " * 12_000),
        ("bash", " && ".join(["[[ $x =~ ^[0-9]+$ ]]"] * 1000) + " && echo $((x))"),
        ("bash", "for ((" + " " * 60_000 + "i=0; i<3; i++ )); do ls & wait; done"),
        ("bash", "dmesg " + "--level " * 30 + "zz zz zz"),
    ],
    ids=["for in for", "checks in a row", "blanks", "options"],
)
def test_what_repeats_in_a_pattern_ends_in_time(interpreter, text, monkeypatch):
    monkeypatch.setattr("guardrails.script_analysis.Deadline", lambda: Deadline(_SECONDS))
    began = time.thread_time()
    analyse_script(interpreter, text.encode())
    assert time.thread_time() - began < 2 * _SECONDS


def test_a_deadline_that_is_over_stops_the_parser():
    clock = iter([0.0, *([0.5] * 2), *([1.5] * 100)])
    deadline = Deadline(1.0, clock=lambda: next(clock), wall_clock=lambda: inf)
    with pytest.raises(DeadlineError):
        parse("bash", b"()" * 30_000, deadline)


def test_processor_time_counts_and_is_asked_for_only_when_it_could_be_up():
    used, gone, asked = [0.0], [0.0], []
    deadline = Deadline(1.0, lambda: asked.append(1) or used[0], lambda: gone[0])
    asked.clear()
    gone[0] = 0.9
    assert not deadline.is_over
    assert not asked
    used[0], gone[0] = 0.3, 1.5  # it waited for others
    assert not deadline.is_over
    assert len(asked) == 1
    gone[0] = 2.1
    assert not deadline.is_over
    assert len(asked) == 1
    used[0], gone[0] = 1.01, 2.21
    assert deadline.is_over
    with pytest.raises(DeadlineError):
        deadline.check()


def test_what_takes_too_long_is_a_doubt(monkeypatch):
    ended = Deadline(-1.0)
    monkeypatch.setattr("guardrails.script_analysis.Deadline", lambda: ended)
    analysis = analyse_script("bash", b"date\n")
    assert not analysis.judgeable
    assert [doubt.reason for doubt in analysis.doubts] == ["takes too long to be read"]
