# SPDX-License-Identifier: Apache-2.0
"""Attempts to run or harm something past the analysis of batch and PowerShell scripts.

Each is an effect or a doubt, never a look. The tables say what; their heads give the form.
"""
# ruff: noqa: E501 - tables of cases

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.script_analysis import analyse_script

_HERE = Path(__file__).parent
_AROUND = {"cmd": "@echo off\n{}\necho b\n", "powershell": "Write-Output 'a'\n{}\nGet-Date\n"}
_MIN_ATTEMPTS = {"cmd": 250, "powershell": 400}


def _read(interpreter: str) -> list[tuple[str, str, str]]:
    lines = (_HERE / f"{interpreter}_evasions.txt").read_text("utf-8").splitlines()
    rows = (line.split(" ", 1) for line in lines if line and not line.startswith("# "))
    return [(interpreter, expected, code) for expected, code in rows]


CASES = _read("cmd") + _read("powershell")


@pytest.mark.parametrize("interpreter", _AROUND)
def test_there_are_many_attempts(interpreter: str) -> None:
    codes = [code for language, _, code in CASES if language == interpreter]
    assert len(set(codes)) == len(codes) >= _MIN_ATTEMPTS[interpreter]


@pytest.mark.parametrize(
    ("interpreter", "expected", "code"), CASES, ids=[f"{each[0]} {each[2]}" for each in CASES]
)
def test_an_attempt_is_an_effect_or_a_doubt(interpreter: str, expected: str, code: str) -> None:
    text = _AROUND[interpreter].format(code.replace(r"\n", "\n"))
    analysis = analyse_script(interpreter, text.encode())
    medium = EffectSeverity.MEDIUM.rank
    if expected == "?":
        assert not analysis.judgeable
        assert analysis.doubts
    elif expected == "!":
        assert not analysis.judgeable or analysis.severity.rank >= medium
    else:
        kind, _, severity = expected.partition(":")
        ranks = [each.severity.rank for each in analysis.effects if each.kind == EffectKind(kind)]
        assert max(ranks, default=-1) >= EffectSeverity(severity or "none").rank
    assert not (analysis.judgeable and analysis.severity == "none")


def test_a_caret_joins_lines() -> None:
    assert not analyse_script("cmd", b"@echo off\nde^\nl C:\\x\n").judgeable


def test_growing_variables_cost_little() -> None:
    lines = ["set a=aaaaaaaaaa", *(f"set b{n}=%b{n - 1}%%b{n - 1}%" for n in range(1, 60))]
    lines.insert(1, "set b0=%a%%a%")
    lines.append("echo " + "%b59%" * 4000)
    began = time.process_time()
    analysis = analyse_script("cmd", "\n".join(lines).encode())
    assert time.process_time() - began < 2
    assert not analysis.judgeable


@pytest.mark.parametrize(
    "code",
    [
        '$c = "a\u2014"',  # read in a code page, its last byte is a quote
        'Write-Output "\u201d; calc #"',
        "Write-Output \u2018a\u2019",
    ],
)
def test_quotes_that_only_powershell_sees_are_a_doubt(code: str) -> None:
    assert not analyse_script("powershell", code.encode()).judgeable


def test_comments_may_hold_any_characters() -> None:
    assert analyse_script("powershell", "# \u201ca\u201d \u2014\nGet-Date\n".encode()).judgeable


_PIECES = {
    "cmd": "if |else |for %%i in (|) do |(|)|&|\\||>|<|^|\"|%x%|!x!|set x=|call |start |;|,|=|@|rem |:a|\n|/c |cmd |del |'|`|/f |1==1 |%x:~1%|%x:a=b%|&1|2>|pushd |%%f|move |robocopy ",
    "powershell": "& |. |$x|$x.y|(|)|{|}|[IO.File]|::|.Delete()|'a'|\"$x\"|iex |function f {|f |class A {|@{|=|;|\n|> x|% |%{|-f |`|,|New-Object |-ComObject |using module |param(|Start-Process |#requires -modules |Join-Path |a-b |\u201c|$_|gci |Move-Item |Set-Content ",
}
_TEXTS = st.sampled_from(list(_PIECES)).flatmap(
    lambda language: st.tuples(
        st.just(language),
        st.lists(st.sampled_from(_PIECES[language].split("|")), max_size=40).map("".join),
    )
)


@settings(max_examples=400, deadline=None)
@given(_TEXTS)
def test_no_input_raises(piece: tuple[str, str]) -> None:
    interpreter, text = piece
    analysis = analyse_script(interpreter, f"{text}\nFrobnicate-Nothing\n".encode())
    assert analysis.danger >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["if 1==1 ", "@", ";", "( ", "call ", "echo a & "]), max_size=12))
def test_an_unknown_program_behind_any_prefix_is_a_doubt(prefixes: list[str]) -> None:
    text = "".join(prefixes) + "frobnicate C:\\x" + ")" * prefixes.count("( ")
    assert not analyse_script("cmd", text.encode()).judgeable
