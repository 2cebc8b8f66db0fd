# SPDX-License-Identifier: Apache-2.0
"""In long texts expressions are tried only where they can match, and find what they would find."""

from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.helpdesk_texts import make_helpdesk_texts
from guardrails.expression_reach import count_reach
from guardrails.identifier_patterns import PATTERNS
from guardrails.need_places import NeedPlaces
from tests.guardrails.odd_shapes import SHAPES
from tests.stack.prepared import ROOT

FILLING = "lorem ipsum dolor sit amet consectetur " * 16 + "\n"


@pytest.mark.parametrize(("expression", "reach"), [
    (r"a\.[b-d\]]\p{L}", 5),
    (r"(?i)a(?:b|cde)f?", 6),
    (r"(?<=ab)\Kc{2,4}?(?=d{3})\b", 10),
    (r"(?:a{1,2}(?:b|c){3}){4}+", 21),
    (r"(?P<x>a)(?-i:b)(?>c)", 4),
    ("a+", None),
    ("a{2,}", None),
    (r"(a)\1", None),
    (r"(a)?(?(1)b{9}|c)", None),
    (r"\Xa", None),
])  # fmt: skip
def test_the_reach_of_an_expression_is_counted(expression, reach):
    assert count_reach(expression) == reach
    assert regex.compile(expression)


def test_most_of_our_expressions_have_a_reach_of_a_line_or_two():
    reaches = [count_reach(form.expression) for form in PATTERNS if form.needs]
    assert sum(reach is not None and reach <= 512 for reach in reaches) > 0.75 * len(reaches)


@given(st.lists(st.integers(0, 9000), max_size=8), st.integers(0, 2500), st.booleans())
def test_what_is_within_reach_of_a_need_is_near(places, reach, digits):
    text = [" "] * 9001
    for place in places:
        text[place] = "7" if digits else "x"
    near = NeedPlaces("".join(text)).list_near(() if digits else ("x",), reach, digits=digits)
    assert all(first < last <= 9001 for first, last in near)
    assert all(before[1] < after[0] for before, after in pairwise(near))
    for place in places:
        first, last = max(place - reach, 0), min(place + reach, 9001)
        assert any(start <= first and last <= end for start, end in near)


def list_long_texts():
    texts = [sample.text for sample in make_helpdesk_texts(fillings=1)]
    yield from (("\n" + FILLING).join(texts[n : n + 12]) for n in range(0, len(texts), 12))
    articles = [path.read_text() for path in sorted((ROOT / "knowledge/articles").glob("*.md"))]
    yield "\n".join(articles[:12])
    for build in list(SHAPES.values())[::20]:
        yield build(3000) + FILLING + "password is Zorro!77x"


def test_as_much_is_found_as_if_all_were_looked_at(masker, monkeypatch):
    for text in list_long_texts():
        near = masker.find_spans(text)
        with monkeypatch.context() as patch:
            patch.setattr(NeedPlaces, "list_near", lambda *_, text=text, **__: [(0, len(text))])
            assert masker.find_spans(text) == near
