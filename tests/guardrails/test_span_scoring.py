# SPDX-License-Identifier: Apache-2.0
"""The benchmark's span rules on cases counted by hand, and our development set's exact spans."""

import pytest

from benchmarks.guardrails_pii import read_labelled
from benchmarks.guardrails_spans import Leakage, SpanScore, Tokeniser
from benchmarks.helpdesk_texts import make_helpdesk_texts
from benchmarks.labelled_files import UnusableFileError

CASES = [
    # labelled, found -> (labelled, found, both)
    ("Jane Doe called", [(0, 8, "PERSON")], [(0, 8, "NAME")], (1, 1, 1)),  # types do not matter
    ("Jane Doe called", [(0, 8, "PERSON")], [(0, 4, "PERSON"), (5, 8, "X")], (1, 1, 1)),
    ("Jane Doe called", [(0, 8, "PERSON")], [(0, 4, "PERSON")], (1, 1, 0)),
    ("the Jane of Doe", [(4, 8, "P"), (12, 15, "P")], [(4, 15, "P")], (1, 1, 1)),  # "of" joins
    ("at 5 High Street", [(3, 16, "A")], [(3, 9, "A")], (1, 1, 1)),  # "Street" counts nothing
    ("zebras here", [], [(0, 6, "P")], (0, 1, 0)),
]


@pytest.mark.parametrize(("text", "labelled", "found", "counts"), CASES)
def test_spans_are_counted_by_the_rules(text, labelled, found, counts):
    score = SpanScore(0.7)
    score.add(Tokeniser().split(text), labelled, found)
    assert (score.overall.labelled, score.overall.found, score.overall.both) == counts


def test_leakage_counts_characters_but_no_white_space():
    leakage = Leakage()
    leakage.add("Jane Doe", [(0, 8, "P")], [(0, 4, "P")])
    assert leakage.summarise()["leaked_chars"] == pytest.approx(3 / 7)
    assert leakage.summarise()["fully_masked"] == 0


def test_the_development_set_is_large_and_its_spans_are_exact():
    texts = make_helpdesk_texts(fillings=3)
    assert len(texts) >= 400
    assert [text.text for text in texts] == [text.text for text in make_helpdesk_texts(fillings=3)]
    for text in texts:
        assert all(text.text[start:end].strip() for start, end, _ in text.spans)


@pytest.mark.parametrize("line", ["{}", "no json", '{"text": "x", "spans": [[0, 9, "P"]]}', ""])
def test_an_unusable_file_is_refused_with_what_it_needs(tmp_path, line):
    path = tmp_path / "pii.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UnusableFileError, match=r"span|needs"):
        read_labelled(path)
