# SPDX-License-Identifier: Apache-2.0
"""Reading scripts, hiding one in another, and the figures of their ranking."""

import gzip
import json
import random

import numpy as np
import pytest

from benchmarks.attack_tactics import only_looks_or_gathers
from benchmarks.guardrails_scripts import find_recall
from benchmarks.script_sets import (
    SampleScript,
    UnusableScriptsError,
    hide,
    list_places,
    pair_by_length,
    read_scripts,
)


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
    with pytest.raises(UnusableScriptsError, match=r"neither x\.jsonl\.gz nor x\.jsonl"):
        read_scripts(tmp_path, "x.jsonl", dangerous=False)
    row = {"id": "1", "lang": "shell", "text": "date", "technique": "T1003.001"}
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    (script,) = read_scripts(tmp_path, "x.jsonl", dangerous=True)
    assert (script.interpreter, script.group) == ("bash", "T1003")
    (tmp_path / "y.jsonl").write_text('{"id": "1", "lang": "shell"}\n')
    with pytest.raises(UnusableScriptsError, match=r"y\.jsonl:1 needs the texts"):
        read_scripts(tmp_path, "y.jsonl", dangerous=True)
    (tmp_path / "z.jsonl").write_text("{")
    with pytest.raises(UnusableScriptsError, match="not readable"):
        read_scripts(tmp_path, "z.jsonl", dangerous=True)
