# SPDX-License-Identifier: Apache-2.0
"""Masking costs time in proportion to a text of any shape; what exceeds a bound leaks nothing."""

import random
import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails import finder, masking
from guardrails.findings import find_all
from guardrails.identifier_patterns import PATTERNS
from guardrails.known_originals import KnownOriginals
from guardrails.long_stretches import MAX_WORD_CHARACTERS, find_long
from guardrails.masking import Masker
from guardrails.pattern_parts import bound_repetitions
from guardrails.spelling import is_misspelt
from guardrails.stretches import Stretches
from guardrails.time_budget import left_seconds, spend_at_most
from tests.guardrails.odd_shapes import SHAPES

GROWTH = 2.6  # twice the text
NOISE_SECONDS = 0.3


def spend(act, *given):
    started = time.process_time()
    act(*given)
    return time.process_time() - started


def is_linear(build, act, size):
    """Say whether twice the size costs about twice the time: of three tries one is undisturbed."""
    return any(
        spend(act, build(2 * size)) <= GROWTH * spend(act, build(size)) + NOISE_SECONDS
        for _ in range(3)
    )


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_costs_more_than_its_length(masker, name):
    assert is_linear(SHAPES[name], masker.mask, 4_000)


@settings(max_examples=25, deadline=None)
@given(st.text(st.sampled_from("aA1 .,-_@:/\\'\"=<>|()[]{}%&\n"), min_size=1, max_size=8))
def test_no_repeated_piece_costs_more_than_its_length(masker, piece):
    assert is_linear(lambda length: piece * (length // len(piece)), masker.mask, 4_000)


@pytest.mark.parametrize("name", ["turns of '> '", "random words", "random printable"])
def test_long_texts_cost_no_more_a_character(masker, name):
    assert is_linear(SHAPES[name], masker.mask, 30_000)


def test_no_repetition_of_our_tables_is_without_bound():
    assert bound_repetitions(r"[*+]\*+x*?\p{L}+{") == r"[*+]\*{1,128}x{0,128}?\p{L}{1,128}{"
    assert [p for p in PATTERNS if bound_repetitions(p.expression) != p.expression] == []


def test_many_values_under_keys_cost_linear_time(masker):
    def build(size):
        return {"users": [f"zorro{n}x" for n in range(size)], "log": "zorro1x " * size}

    assert is_linear(build, masker.mask_value, 1_000)


def test_many_namesakes_and_keys_that_become_one_cost_linear_time(masker):
    def build(size):
        return {f"Anna {'abcdefghij'[n % 10]}{n}": n for n in range(size)}

    assert is_linear(build, masker.mask_value, 800)
    assert len(masker.mask_value({f"10.0.0.5{' ' * n}": n for n in range(50)})) == 50


def test_what_takes_too_long_is_masked_wholly(masker, monkeypatch):
    monkeypatch.setattr(finder, "_PIECE_SECONDS", 0.0)
    text = "a line that says nothing\n" * 20
    masked = masker.mask(text)
    assert masked.text == "<SECRET_1>"
    assert masked.originals == {"<SECRET_1>": text}
    assert masker.mask(text + "<PERSON_3>").text == "<SECRET_1><PERSON_3>"


def test_texts_of_a_document_that_takes_too_long_are_masked_wholly(masker, monkeypatch):
    value = {"log": ["the disk is full", "a line\n" * 60]}
    monkeypatch.setattr(masking, "seconds_for", lambda n_texts, n_characters: 0.0)
    assert masker.mask_value(value) == {"<SECRET_1>": ["<SECRET_2>", "<SECRET_3>"]}
    monkeypatch.undo()
    assert masker.mask_value(value) == value


def test_the_budget_of_an_expression_ends():
    with pytest.raises(TimeoutError), spend_at_most(0.0):
        left_seconds()
    with spend_at_most(60), spend_at_most(0.0), pytest.raises(TimeoutError):
        find_all(regex.compile("x"), "x" * 5000)
    assert left_seconds() > 1


def test_what_is_beyond_the_bound_of_a_text_is_masked(masker, monkeypatch):
    monkeypatch.setattr(finder, "MAX_CHARACTERS", 900)
    masked = masker.mask("word " * 180 + "the rest of jane.doe@corp.local").text
    assert masked == "word " * 180 + "<SECRET_1>"


@pytest.mark.parametrize("around", ["{}", "see {} there", 'x="{}";'])
def test_a_word_of_thousands_of_characters_is_masked_wholly(masker, around):
    word = "Zm9vYmFy" * (MAX_WORD_CHARACTERS // 8 + 1)
    assert masker.mask(around.format(word)).text == around.format("<SECRET_1>")


def test_a_private_key_longer_than_a_piece_is_masked_to_its_end(masker):
    key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n" * 3000
    text = f"mine:\n-----BEGIN PRIVATE KEY-----\n{key}-----END PRIVATE KEY-----\nthanks"
    assert masker.mask(text).text == "mine:\n<SECRET_1>\nthanks"
    assert find_long(text) == [(6, len(text) - 7)]
    assert masker.mask(text.replace("-----END PRIVATE KEY-----", "")).text == "mine:\n<SECRET_1>"


def test_identifiers_are_found_wherever_pieces_are_cut(masker):
    for filling in (32_000, 32_760, 36_850):
        text = "word " * (filling // 5) + "ask jane.doe@corp.local or CORP\\jdoe42 about it"
        assert masker.mask(text).text.endswith("ask <EMAIL_1> or <USERNAME_1> about it")


def test_words_nobody_meant_are_told_at_once():
    letters = random.Random(3)
    words = ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(4000)]
    is_misspelt("recieve")  # reads the lists
    assert spend(lambda: [is_misspelt(word) for word in words]) < 1
    assert sum(map(is_misspelt, words)) < 100


@pytest.mark.parametrize("word", ["recieve", "pasword", "printerr", "instaling", "connexion",
                                  "shutdwon", "managment", "laptop-batery"])  # fmt: skip
def test_words_but_for_a_letter_are_misspelt(word):
    assert is_misspelt(word)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6)), max_size=6),
    st.integers(0, 60),
    st.integers(1, 12),
)
def test_stretches_are_looked_up_as_if_all_were_compared(drawn, start, length):
    places: list[tuple[int, int]] = []
    for begin, size in sorted(drawn):
        if not places or begin >= places[-1][1]:
            places.append((begin, begin + size))
    end = start + length
    stretches = Stretches(places)
    inside = {place for first, last in places for place in range(first, last)}
    mine = set(range(start, end))
    assert stretches.touch(start, end) == bool(mine & inside)
    assert stretches.hold(start, end) == any(a <= start and end <= b for a, b in places)
    left = [place for a, b in stretches.leave_out(start, end) for place in range(a, b)]
    assert left == sorted(mine - inside)
    cut = [place for a, b in stretches.cut(start, end) for place in range(a + start, b + start)]
    assert cut == sorted(mine & inside)


def test_known_originals_are_words_of_their_own():
    known = KnownOriginals()
    for original in ("Kremlin9", "svc_sql", "@zorro", "!!!!", "x", "root", "blue sky"):
        known.add("SECRET", original)
    text = "kremlin9, kremlin99 svc_sql (@ZORRO) !!!! x root Blue Sky blue skyline <SECRET_3>"
    found = [text[start:end] for start, end, _ in known.find(text)]
    assert found == ["kremlin9", "svc_sql", "@ZORRO", "Blue Sky", "!!!!"]


def test_a_text_of_a_million_characters_of_one_word_is_soon_masked():
    masker = Masker()
    masker.warm_up()
    assert spend(masker.mask, "a" * 1_000_000) < 15
