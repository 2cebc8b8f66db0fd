# SPDX-License-Identifier: Apache-2.0
"""Masking leaves no tail of what it found, and masking twice changes nothing; articles survive."""

import itertools
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.helpdesk_texts import make_helpdesk_texts
from guardrails.findings import unite
from guardrails.masking import Masker
from guardrails.pattern_parts import PSEUDONYM
from guardrails.sanitise import plain_text
from guardrails.stand_ins import TextWithStandIns, merge
from tests.stack.prepared import find_name_models

ARTICLES = Path(__file__).parents[2] / "knowledge" / "articles"
MAX_FALSE_PER_1000_WORDS = 0.5
# (as written, what must not be left of it)
IDENTITIES = (
    ("jane.doe@corp.local", "doe"),
    (r"CORP\kdavis42", "kdavis42"),
    (r"\\fs01\hr$\payroll.xlsx", "payroll"),
    ("https://git.kramer-group.de/team/repo?id=77", "kramer"),
    ("password: hunter22x", "hunter22x"),
    ("CN=Jo Ray,OU=Sales,DC=corp,DC=zz", "Sales"),
    ("10.20.30.40", "20.30"),
    ("00:1a:2b:3c:4d:5e", "3c:4d"),
    ("NYC-LT-00421", "00421"),
    ("+1 415 555 0133 ext. 77", "0133"),
    ("4111 1111 1111 1111", "1111"),
    ("DE89370400440532013000", "0440532"),
    ("12 High Street, London SW1A 1AA", "High"),
    ("user jdoe42", "jdoe42"),
    ("/home/kdavis/x", "kdavis"),
    ("Mr. Tom Becker", "Becker"),
    ("serial C02XK1ABJGH5", "ABJGH5"),
    ("S-1-5-21-3623811015-3361044348-30300820-1013", "30300820"),
)
WORDS = (
    "the disk is full",
    "please help",
    "error 0x80070005",
    "KB5034441",
    "<PERSON_3>",
    "ok",
    "-",
)
# Of the words: what everybody has, and a diagnosis needs.
KEPT = (re.compile(r"\bKB\d+"), re.compile(r"(?:error )?0x\d+"))
GLUE = (" ", "\n", ", ", "; ", " | ", "\t", ". ", " (", ") ", ": ", "\n\n", " - ", "\r\n")


@st.composite
def tickets(draw):
    """Return a text and what must not be left of it."""
    parts = draw(st.lists(st.sampled_from((*IDENTITIES, *WORDS)), min_size=1, max_size=8))
    text = ""
    secrets = []
    for part in parts:
        written, secret = part if isinstance(part, tuple) else (part, None)
        text += written + draw(st.sampled_from(GLUE))
        if secret:
            secrets.append(secret)
    return text, secrets


@settings(max_examples=80, deadline=None)
@given(tickets())
def test_nothing_is_left_and_twice_is_once(masker, ticket):
    text, secrets = ticket
    masked = masker.mask(text)
    assert [secret for secret in secrets if secret in masked.text] == []
    assert masker.mask(masked.text).text == masked.text


PARTS = ("zwick", "offline", "PC", "Ada", "é", "x9", "2", "10", "2016", "password", "C:", "http://")
SIGNS = (
    " ", "-", "--", "\u2013", "_", ".", "/", "\\", "@", ":", "=", "#", "%", "&", "$", "~", "+", "(",
    ")", "[", "{", "<", ">", '"', "'", "`", "|", ",", ";", "!", "\n", ": ", '": "', "",
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.tuples(*map(st.sampled_from, (PARTS, SIGNS))).map("".join), max_size=6))
def test_no_text_is_an_error(masker, parts):
    text = "".join(parts)
    assert bool(masker.mask(text).text.strip()) == bool(text.strip())


@settings(max_examples=80, deadline=None)
@given(tickets())
def test_every_finding_is_covered_to_its_last_character(masker, ticket):
    text = plain_text(ticket[0])
    spans = masker.find_spans(text)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    covered = {place for start, end, _ in spans for place in range(start, end)}
    kept = {
        place for form in KEPT for match in form.finditer(text) for place in range(*match.span())
    }
    pseudonyms = {place for each in PSEUDONYM.finditer(text) for place in range(*each.span())}
    assert not covered & pseudonyms
    for finding in masker._engine.finder._analyser.analyze(text, "en"):
        touched = set(range(finding.start, finding.end)) - pseudonyms
        assert touched <= covered or touched <= kept, text[finding.start : finding.end]


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 12), st.sampled_from("ABC"), st.floats(0, 1))
    )
)
def test_united_spans_cover_what_they_are_made_of(stretches):
    stretches = [(start, start + length, kind, score) for start, length, kind, score in stretches]
    united = unite(stretches)
    covered = [place for start, end, _ in united for place in range(start, end)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {place for start, end, *_ in stretches for place in range(start, end)}


def test_masking_twice_changes_nothing_with_the_name_model_too():
    masker = Masker(name_models=find_name_models())
    assert masker.knows_outsiders
    changed = []
    for sample in make_helpdesk_texts(fillings=2):
        once = masker.mask(sample.text).text
        if (twice := masker.mask(once).text) != once:
            changed.append((once, twice))
    assert changed == []


def test_a_second_look_at_every_word_finds_no_more(monkeypatch):
    texts = [sample.text for sample in make_helpdesk_texts(fillings=2)]
    masker, eager = (Masker(name_models=find_name_models()) for _ in range(2))
    found = [masker.find_spans(text) for text in texts]
    monkeypatch.setattr("guardrails.name_decoding.DOUBTFUL_SCORE", 0.0)
    assert [eager.find_spans(text) for text in texts] == found


def test_spans_are_apart(masker):
    texts = [sample.text for sample in make_helpdesk_texts(fillings=1)]
    for text in (*texts, "on behalf of Dr. med. Ilona Varga"):
        spans = masker.find_spans(text)
        assert all(before[1] <= after[0] for before, after in pairwise(spans)), text


def test_the_host_behind_credentials_is_masked_at_once(masker):
    text = "https://jdoe42:Winter3166!@git.kramer-group.de/team/repo.git"
    assert masker.mask(text).text == "https://<USERNAME_1>:<SECRET_1>@<URL_1>"


@pytest.mark.parametrize("glued", ["{}10.20.30.40", "10.20.30.40{}", "{}jane.doe@corp.local"])
def test_what_is_glued_to_a_pseudonym_is_masked(masker, glued):
    masked = masker.mask(glued.format("<PERSON_3>")).text
    assert "10.20" not in masked
    assert "doe" not in masked
    assert "<PERSON_3>" in masked


@given(
    st.text("ab ", max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 12)), max_size=4),
)
def test_places_in_a_text_with_stand_ins_are_those_of_the_text(text, stretches):
    taken = merge(
        (start, min(start + length, len(text))) for start, length in stretches if start < len(text)
    )
    seen = TextWithStandIns(text, taken)
    singles = {(each, each + 1) for each in range(len(text))} - set(taken)
    outside = [each for each in range(len(text)) if not any(a <= each < b for a, b in taken)]
    shown = [
        each
        for each, letter in enumerate(seen.shown)
        if letter in "ab" or (letter == " " and seen.find_place(each, each + 1) in singles)
    ]
    assert [seen.find_place(each, each + 1) for each in shown] == [(a, a + 1) for a in outside]
    for start, end in itertools.combinations(range(len(seen.shown) + 1), 2):
        first, last = seen.find_place(start, end)
        assert 0 <= first < last <= len(text)
        assert all(last <= a or b <= first or first <= a < b <= last for a, b in taken)


def test_articles_lose_next_to_nothing(masker):
    words, false = 0, []
    for path in sorted(ARTICLES.glob("*.md")):
        text = plain_text(path.read_text())
        words += len(text.split())
        false += [text[start:end] for start, end, _ in masker.find_spans(text)]
    assert 1000 * len(false) / words <= MAX_FALSE_PER_1000_WORDS, false
