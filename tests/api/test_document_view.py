# SPDX-License-Identifier: Apache-2.0
"""A document as a page: what is marked, what is never made of it, and that no word is hidden."""

import html
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.document_view import has_mark, render_document

BODY = """# Dock

The dock blinks.
It hums.

1. Run:
   ```sh
   dockctl reset
   ```
   then restart
2. Unplug it
3. Wait

   for a minute

- tight
- list

> quoted

| sign | meaning |
|:-----|--------:|
| red  | dead    |
| blue | well    |
"""


def mark(text, body=BODY):
    start = body.index(text)
    page = render_document(body, start, start + len(text))
    assert page is not None
    assert page.count('id="passage"') == 1
    assert not re.search("</[^>]*class=", page)
    return page


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("# Dock", '<h2 class="marked" id="passage">Dock</h2>'),
        ("It hums", '<p class="marked" id="passage">The dock blinks.<br />'),
        ("dockctl", '<code class="marked" id="passage">dockctl reset'),
        ("for a", '<p class="marked" id="passage">for a minute</p>'),
        ("list", '<li class="marked" id="passage">list</li>'),
        ("quoted", '<p class="marked" id="passage">quoted</p>'),
        ("red", '<tr class="marked" id="passage">\n<td>red</td>'),
    ],
)
def test_the_smallest_block_is_marked(text, marked):
    assert marked in mark(text)


def test_a_sentence_after_the_code_of_its_step_is_marked_with_the_step():
    body = "1. Run:\n   ```\n   dockctl\n   ```\n   then restart\n2. Wait\n"
    page = mark("then restart", body)
    assert page.startswith('<ol>\n<li class="marked" id="passage">Run:')
    assert page.count("marked") == 1
    page = mark("under", "- # Head\n  under\n")
    assert '<li class="marked" id="passage">' in page


def test_lines_are_counted_as_the_parser_does():
    body = "one\n\ntwo\n\n\nthree\n"
    for text in ("one", "two", "three"):
        assert f'<p class="marked" id="passage">{text}</p>' in mark(text, body)
    page = render_document(body, body.index("two"), body.index("three"))
    assert page.count("marked") == 1


def test_nothing_is_marked_where_nothing_is_asked_for():
    for start, end in ((0, 0), (5, 2), (10**6, 10**6 + 1)):
        page = render_document(BODY, start, end)
        assert "marked" not in page
        assert not has_mark(page)


@given(st.text(alphabet='ab1 >*-+.)|`#[]()<&;:=_~\\!"\n\t', max_size=80))
@example("[hidden]: https://dock.example\n")
@example("<!-- hidden -->\n")
@example("![hidden](https://dock.example 'also')")
def test_a_page_hides_no_word(body):
    """Who decides on a document must see what a search finds in it: else it is shown as written."""
    page = render_document(body)
    if page is not None:
        seen = html.unescape(re.sub("<[^>]*>", " ", page))
        prose = re.sub(r"(?m)^(?:[ \t>*+-]|\d{1,9}[.)](?=\s))+", "", body)
        for word in set(re.findall("[ab]+", prose)) - {"a", "b"}:
            assert word in seen.replace(" ", "") or word in seen, (body, page)


def test_what_a_page_would_hide_is_not_rendered():
    assert render_document("> " * 70 + "hidden words\n") is None
    assert render_document("| a |\n|---|\n| shown | hidden |\n") is None
    assert render_document("```sh hidden words\nls\n```\n") is None
    assert render_document("```ignore\n```\n") is None
    assert render_document("1. One\n4625. Two\n") is None  # a browser would show another number
    assert render_document("|a|\n|-|\n|b|:(){ :|:& };:|\n") is None
    assert render_document("shown\x1b]hidden\x07\n") is None
    assert render_document("```bash\nls\n```\n") is not None
    assert render_document("0. x\n1. y\n") is not None
    assert render_document("Head\n====\n\n3) x\n4) y\n\n_so_ my\\_var\n") is not None
    assert render_document(BODY) is not None


def test_no_style_is_inline():
    assert "style=" not in render_document(BODY)


@pytest.mark.parametrize(
    "text", ["- a\n", "> - > - > - a\n", "# a\n", "-|-\n", "|a" * 200 + "|\n", "[", "*a ", "`a"]
)
def test_no_text_takes_long(text):
    """Everybody may read documents, and one process answers all."""
    body = "|a" * 200 + "|\n" + "|-" * 200 + "|\n" if text.startswith("|") else ""
    body += text * (100_000 // len(text))
    for length in (50_000, 100_000):
        started = time.process_time()
        render_document(body[:length], 0, length)
        assert time.process_time() - started < 5
