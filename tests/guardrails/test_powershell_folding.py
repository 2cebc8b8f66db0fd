# SPDX-License-Identifier: Apache-2.0
"""Constant folding of PowerShell and of shells: values, and bounds on hostile text."""
# ruff: noqa: E501 - tables

import time

import pytest

from contracts.canonical import canonical_json
from guardrails.powershell_folding import MAX_VALUE_CHARACTERS, fold_statement, fold_value
from guardrails.script_analysis import analyse_script, analysis_document
from guardrails.shell_folding import fold_bash, fold_cmd


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a' + \"b\"", "ab"),
        ("\"{1}{0}\" -f 'b','a'", "ab"),
        ("-join ('a','b')", "ab"),
        ("('b','a')[1,0] -join ''", "ab"),
        ("'ba'[-1..-2] -join ''", "ab"),
        ("[char]97 + [char]0x62", "ab"),
        ("-join [char[]](97,98)", "ab"),
        ("[string]::Join('', ('a','b'))", "ab"),
        ("'aXb'.Replace('X','')", "ab"),
        ("'aXb' -replace 'X',''", "ab"),
        ("('a!b' -split '!') -join ''", "ab"),
        ("[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('YWI='))", "ab"),
        ("$x + 'b'", "ab"),
        ('"$x`b"', "a\b"),
        ("$env:ComSpec[4,26,25] -join ''", "Iex"),
        ("'a' * 3", "aaa"),
        ("$unknown + 'b'", None),
        ('"$(Get-Date)"', None),
        ("Get-Date", None),
    ],
)
def test_values(expression, value):
    assert fold_value(expression, {"x": "a"}) == value


def test_statements_keep_what_is_unknown():
    assert fold_statement("& ('i'+'ex') $y", {}) == ("& ('iex') $y", True)
    assert fold_statement("Get-Service spooler", {}) == ("Get-Service spooler", False)


def test_shells():
    variables: dict[str, str] = {}
    fold_bash("a=cat; b='/etc/'", variables)
    assert fold_bash('$a ${b}sha"do"w', variables) == "cat /etc/shadow"
    assert fold_bash(r"$'\x63at' x", {}) == "cat x"
    assert fold_cmd("%comspec:~0,3%", {}) == "C:\\"
    fold_cmd("set x=abc", variables)
    assert fold_cmd("!x:~1,1!%x:b=z%", variables) == "bazc"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 60_000,
        "'" * 60_001,
        "'a'+" * 15_000 + "'b'",
        "1," * 60_000,
        "$(" * 30_000 + ")" * 30_000,
        "@'\n" * 20_000,
        "'a'*9999999*9999999",
        "$x+" * 20_000 + "$x",
        "('" + "a" * 30_000 + "'*30000)",
    ],
)
def test_hostile_text_takes_bounded_time(text):
    started = time.thread_time()
    folded, _ = fold_statement(text, {"x": "y" * 1000})
    assert time.thread_time() - started < 2
    assert len(folded) < len(text) + 3 * MAX_VALUE_CHARACTERS


@pytest.mark.parametrize("interpreter", ["powershell", "bash", "cmd", "python"])
@pytest.mark.parametrize(
    "piece",
    [b"$(", b"'a'+", b"x | ", b"iex 'iex ", b"a=b;", b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldY", b"%a:~1,1%",
     b"[char]65+", b"echo a > b && ", b"(" , b"{", b"\n'", b"reg add ", b"net user lsass sam "],
)  # fmt: skip
def test_a_large_hostile_script_takes_bounded_time(interpreter, piece):
    content = piece * (60_000 // len(piece))
    started = time.thread_time()
    analysis = analyse_script(interpreter, content)
    assert time.thread_time() - started < 4
    assert analysis is not None


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("cmd", "if " + "a" * 5000 + " b"),
        ("cmd", 'if "' + '"x"' * 2000),
        ("bash", "read\nfor\nunset"),
        ("python", "1if 1else 2\n"),
        ("powershell", "iex ([char]0xD800 + [char]0xDC00)"),
        ("bash", "bash -c $'\\ud800'"),
    ],
)
def test_what_once_hung_or_raised(interpreter, text):
    started = time.thread_time()
    assert canonical_json(analysis_document(analyse_script(interpreter, text.encode())))
    assert time.thread_time() - started < 2
