# SPDX-License-Identifier: Apache-2.0
"""What is read from an expression is in every text that it matches."""

import re
from functools import cache

import pytest
import regex
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.helpdesk_texts import make_helpdesk_texts
from guardrails import findings, name_positions, street_addresses
from guardrails.expression_index import ExpressionIndex
from guardrails.expression_parts import PART
from guardrails.expression_traces import list_shapes, list_words
from guardrails.identifier_patterns import PATTERNS
from guardrails.requirements import CutText, Requirements, list_set, make_set
from guardrails.street_words import list_last_words
from guardrails.trace_alphabets import SHAPES as SHAPE
from guardrails.trace_alphabets import WORDS
from tests.guardrails.odd_shapes import SHAPES
from tests.stack.prepared import ROOT

OURS = {
    "forms": [form.expression for form in PATTERNS],
    "addresses": [
        head.pattern for head in (*street_addresses._HEADS, *street_addresses._SURE_HEADS)
    ],
    "positions": [expression.pattern for expression, _ in name_positions._POSITIONS],
    "kept": [f"(?i){form}" for form in findings._KEPT_FORMS],
}  # fmt: skip


@pytest.mark.parametrize(("expression", "words", "shapes"), [
    (r"(?i:laptop|PC)s?[ ]\w+", {"laptop ", "laptops ", "pc ", "pcs "}, set()),
    (r"\bKB\d{6,8}\b", {"kb"}, {"a000000"}),
    (r"[a-z]{4,20}[._][a-z]{2,24}\d{0,3}", {".", "_"}, {"a.a", "a_a"}),
    (r"(?<![\w./-])\d{5,7}-[A-Z]{1,2}(?![\w-])", {"-"}, {"00000-a"}),
    (r"\d{40}", set(), {"000000"}),
    (r"x*|y", set(), set()),
    (r"(?:ab|c.*d){2,}", {"ab", "c"}, set()),
    (r"n\u00e9\(?e?\)?[ ]le[ ]", {"n\u00e9 le ", "n\u00e9(e) le "}, {"a a ", "a() a "}),
    (r"(?:user){0,1}[=:]", {"=", ":"}, {"=", ":"}),
    (r"(a)\1[ \t]+#", {" #"}, {" #"}),
    (r"(?=foo)[a-f]{9}", {"foo"}, set()),
    (r"(?!foo)\w", set(), set()),
    (r"(?|ab|cd)!", {"!"}, {"!"}),
    (r"[^\d]-[\s\S]~", {"-"}, {"-"}),
])  # fmt: skip
def test_traces_are_read(expression, words, shapes):
    assert regex.compile(expression)
    assert words <= list_words(expression)
    assert shapes <= list_shapes(expression)
    assert bool(words) == bool(list_words(expression))
    assert bool(shapes) == bool(list_shapes(expression))


LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "sv_SE", "tr_TR",
    "ru_RU", "ja_JP", "zh_CN", "pt_BR",
)  # fmt: skip


@cache
def list_texts():
    texts = [sample.text for sample in make_helpdesk_texts(fillings=2)]
    texts += [path.read_text() for path in sorted((ROOT / "knowledge/articles").glob("*.md"))[:40]]
    texts += [build(300) for build in SHAPES.values()]
    written = "".join(path.read_text() for path in sorted((ROOT / "tests/guardrails").glob("*.py")))
    texts += re.findall(r'"((?:[^"\\\n]|\\.){12,300})"', written)[::4]
    return tuple(dict.fromkeys(texts))


def draw_addresses():
    for locale in LOCALES:
        people = Faker(locale)
        people.seed_instance(locale)
        for _ in range(100):
            address = people.address()
            yield from (address, address.upper(), f"Please ship it to {address}.")


@pytest.mark.parametrize("kind", OURS)
def test_no_text_that_an_expression_of_ours_matches_is_left_out(kind):
    index = ExpressionIndex(OURS[kind])
    compiled = [regex.compile(expression, regex.VERSION0) for expression in OURS[kind]]
    matched: set[int] = set()
    for text in (*list_texts(), *draw_addresses()) if kind == "addresses" else list_texts():
        possible = set(index.list_possible(text))
        for place, expression in enumerate(compiled):
            if expression.search(text):
                assert place in possible, (OURS[kind][place], text)
                matched.add(place)
    assert len(matched) > 0.5 * len(compiled)


def test_what_is_not_understood_has_no_traces():
    for expression in (
        "(?x)foo bar", "xy{,2}qz", "(?:foobar){e<=1}", "[[:alpha:]]qz", r"\N{BULLET}qz",
        "(?V1)[a--b]q",
    ):  # fmt: skip
        assert regex.compile(expression)
        assert list_words(expression) == list_shapes(expression) == frozenset(), expression
    assert list_words("[a-z-_]qq") == {"qq"}


def test_capitals_of_any_alphabet_are_folded_as_the_expressions_do():
    """For each letter that an expression of ours has, whatever `(?i)` takes for it."""
    parts = {part for kind in OURS.values() for one in kind for part in PART.findall(one)}
    letters = {part for part in parts if len(part) == 1 and part.isalpha()}
    codes = (code for code in range(0x20, 0x10000) if not 0xD800 <= code < 0xE000)
    characters = "".join(map(chr, codes))
    for letter in letters | set("\u00df\u00e9\u0131\u043e\u03bf"):
        for match in regex.finditer(f"(?i){letter}", characters, regex.VERSION0):
            assert WORDS.trace(match.group()) == WORDS.trace(letter), (letter, match.group())


def test_letters_and_digits_are_those_of_the_expressions():
    characters = [chr(code) for code in range(0x20, 0x30000) if not 0xD800 <= code < 0xE000]
    for expression, shape in ((r"[\p{L}\p{M}]", "a"), (r"\d", "0")):
        compiled = regex.compile(expression)
        wrong = [one for one in characters if compiled.match(one) and SHAPE.trace(one) != shape]
        assert wrong == []


STREETS = (
    "ATAT\u00dcRK BULVARI 12, Ankara", "visit 12 Wilson LAne tomorrow", "12 Main ROad",
    "12 Main sTREET", "12 ATAT\u00dcRK BULVARI", "45 VIAROMA", "ViaRoma 12, Milano", "c/Mayor 3",
    "An der Alster 9", "BDROMA 12", "BDRoma 12", "12 JLSUDIRMAN",
    "\u0423\u041b\u041b\u0415\u041d\u0418\u041d\u0410, 12",
)  # fmt: skip


def test_streets_are_tried_where_a_word_for_one_is():
    head = street_addresses._HEADS[street_addresses._STREET_PLACE]
    texts = (*STREETS, *draw_addresses(), *list_texts())
    matched = [text for text in texts if head.search(text)]
    assert len(matched) > 500
    assert {*STREETS} <= {*matched}
    for text in matched:
        assert street_addresses._has_street_word(text), text


def test_an_expression_that_is_no_list_of_words_is_refused():
    for expression in ("(?:rue|rue[s])", "(?:a(?:b|c))", "rue"):
        with pytest.raises(ValueError, match=r"no (list|word)"):
            list(list_last_words(expression))


def test_most_expressions_need_not_be_searched_for():
    index = ExpressionIndex(OURS["forms"])
    texts = [sample.text for sample in make_helpdesk_texts(fillings=1)]
    tried = sum(len(index.list_possible(text)) for text in texts) / len(texts)
    assert tried < 0.12 * len(PATTERNS)


LITERALS = st.text(
    "abKz9 -_.:\u00e9\u0130\u0131\u017f\u212a\u00df\u1e9e\n", min_size=1, max_size=4
).map(re.escape)
SETS = st.sampled_from(
    (r"[a-c]", r"[A-Z\d]", r"[._-]", r"[\s,]", r"\d", r"\s", ".", r"[^a]", r"\w")
)
BOUNDS = st.sampled_from(("?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}", "?", "+?"))


LETTER = "[a-z]"


def extend(inner):
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, BOUNDS).map(lambda parts: f"(?:{parts[0]}){parts[1]}"),
        inner.map(lambda part: f"(?i:{part})"),
        inner.map(lambda part: f"({part})"),
        inner.map(lambda part: f"(?={part}){part}"),
        inner.map(lambda part: rf"(?<!qq)\b(?:{part})?"),
        inner.map(lambda part: f"{part}(?<=b|{LETTER}|9| )"),
        inner.map(lambda part: f"(?:^|{part}|$)"),
    )


EXPRESSIONS = st.recursive(st.one_of(LITERALS, SETS), extend, max_leaves=8)


@given(st.data(), EXPRESSIONS)
def test_every_match_of_any_expression_has_its_traces(data, expression):
    text = data.draw(st.from_regex(re.compile(expression)))
    text = data.draw(st.text("aA9 \n", max_size=3)) + text
    if regex.search(expression, text, regex.VERSION0):
        words, shapes = list_words(expression), list_shapes(expression)
        assert not words or any(one in WORDS.trace(text) for one in words)
        assert not shapes or any(one in SHAPE.trace(text) for one in shapes)


@given(st.lists(st.lists(st.text("abc", max_size=5), max_size=3)), st.text("abc"))
def test_requirements_are_met_where_a_text_has_one_of_their_strings(needs, text):
    met = [place for place, wanted in enumerate(needs)
           if not wanted or any(one in text for one in wanted)]  # fmt: skip
    found = Requirements(needs).find_met(CutText(text))
    assert list(list_set(found)) == met
    assert found == make_set(met)
