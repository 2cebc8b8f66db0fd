# SPDX-License-Identifier: Apache-2.0
"""Masking costs time in proportion to a text of any shape; what exceeds a bound leaks nothing."""

import random
import re
import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from guardrails import (
    encoded_text,
    finder,
    findings,
    identifier_patterns,
    identifier_tokens,
    listed_names,
    long_stretches,
    masking,
    other_scripts,
    recognisers,
    secret_tokens,
    short_numbers,
    stand_ins,
    strange_words,
    street_addresses,
    text_engine,
)
from guardrails.findings import find_all
from guardrails.known_originals import KnownOriginals
from guardrails.long_stretches import MAX_WORD_CHARACTERS, find_long
from guardrails.masking import Masker
from guardrails.pattern_parts import IdentifierPattern, bound_repetitions
from guardrails.spelling import is_misspelt
from guardrails.stretches import Stretches
from guardrails.time_budget import left_seconds, spend_at_most
from tests.guardrails.odd_shapes import SHAPES

GROWTH = 2.6  # twice the text
NOISE_SECONDS = 0.1
# How long a shape is: so long that what grows with the square of it stands out from the noise.
AIM_SECONDS, PROBE_CHARACTERS = 0.04, 4_000
MIN_CHARACTERS, MAX_CHARACTERS = 8_000, 30_000


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


def choose_size(build, act):
    """Return how many characters are masked in about `AIM_SECONDS`."""
    seconds = spend(act, build(PROBE_CHARACTERS))
    aimed = int(PROBE_CHARACTERS * AIM_SECONDS / max(seconds, 0.001))
    return min(max(aimed, MIN_CHARACTERS), MAX_CHARACTERS)


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_costs_more_than_its_length(masker, name):
    build = SHAPES[name]
    assert is_linear(build, masker.mask, choose_size(build, masker.mask))


@settings(max_examples=25, deadline=None)
@given(st.text(st.sampled_from("aA1 .,-_@:/\\'\"=<>|()[]{}%&\n"), min_size=1, max_size=8))
def test_no_repeated_piece_costs_more_than_its_length(masker, piece):
    def build(length):
        return piece * (length // len(piece))

    assert is_linear(build, masker.mask, choose_size(build, masker.mask))


@pytest.mark.parametrize("name", ["turns of '> '", "random words", "random printable"])
def test_long_texts_cost_no_more_a_character(masker, name):
    assert is_linear(SHAPES[name], masker.mask, 30_000)


def list_expressions(value):
    """Yield the expressions in a table, a row or a value."""
    if isinstance(value, re.Pattern | regex.Pattern):
        yield value.pattern
    elif isinstance(value, IdentifierPattern):
        yield value.expression
    elif isinstance(value, tuple):
        for item in value:
            yield from list_expressions(item)


def find_unbounded(expression):
    """Return the repetitions without bound, but for those of an expression that is one run."""
    plain = re.sub(r"\\[pP]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", expression)
    if re.fullmatch(r"x\+(?:\|x\+)*", plain):  # ends where it ends: nothing is tried again
        return []
    return re.findall(r"(?<![?*+}])[*+]|\{\d*,\}", plain)


@pytest.mark.parametrize("searched", [
    encoded_text, findings, identifier_tokens, identifier_patterns, listed_names, long_stretches,
    other_scripts, recognisers, secret_tokens, short_numbers, stand_ins, strange_words,
    street_addresses, text_engine,
], ids=lambda module: module.__name__)  # fmt: skip
def test_no_expression_that_searches_a_text_repeats_without_bound(searched):
    expressions = list(list_expressions(tuple(vars(searched).values())))
    assert expressions or searched is stand_ins
    assert {one: found for one in expressions if (found := find_unbounded(one))} == {}


@pytest.mark.parametrize(("written", "bounded"), [
    (r"[*+]\*+x*?\p{L}+{", r"[*+]\*{1,128}x{0,128}?\p{L}{1,128}{"),
    ("a{3,}b{200,}?c{2}d{2,3}", "a{3,128}b{200,200}?c{2}d{2,3}"),
    ("(?:ab){0,}+c?+", "(?:ab){0,128}+c?+"),
])  # fmt: skip
def test_a_repetition_without_bound_is_given_one(written, bounded):
    assert bound_repetitions(written) == bounded
    assert find_unbounded(written)
    assert not find_unbounded(bounded)


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


@pytest.mark.parametrize(("bound", "value", "said"), [
    ({}, "Zm9vYmFy" * 600,
     {"reason": "a word or a key too long", "characters": 4800, "stretches": 1}),
    ({"MAX_CHARACTERS": 300}, "a word " * 60, {"reason": "too long", "characters": 120}),
    ({"_PIECE_SECONDS": 0.0}, "a word " * 60, {"reason": "takes too long", "characters": 420}),
    # of many texts the first is told
    ({"seconds_for": lambda *_: 0.0}, ["a\nb", "a word " * 60, "c d"],
     {"reason": "takes too long", "characters": 3}),
])  # fmt: skip
def test_what_is_masked_wholly_is_told_without_its_content(masker, monkeypatch, bound, value, said):
    monkeypatch.setattr(masking, "seconds_for", bound.pop("seconds_for", masking.seconds_for))
    for name, limit in bound.items():
        monkeypatch.setattr(finder, name, limit)
    with capture_logs() as lines:
        assert "<SECRET_1>" in str(masker.mask_value(value))
    assert lines == [{"event": "a part of a text is masked wholly", "log_level": "warning", **said}]


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
