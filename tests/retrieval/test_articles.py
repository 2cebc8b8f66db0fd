# SPDX-License-Identifier: Apache-2.0
"""Articles are read whole or refused by name, and cut so that citations can be shown in place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.articles import parse_article, read_articles
from retrieval.chunking import cut_into_chunks
from retrieval.errors import ArticleFormatError

FRONT = "id: a\ntitle: A\nplatforms: [linux]\nfailure_class: dns\n"
BODY = "---\n# A\n\nText with\n---\na rule.\n"


def test_a_rule_in_the_body_does_not_end_it():
    article = parse_article(f"---\n{FRONT}{BODY}", source="a.md")
    assert article.body == "# A\n\nText with\n---\na rule.\n"
    assert (article.products, article.symptoms) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# No front matter\n",
        "---\n- a list\n---\nbody\n",
        "---\nid: [\n---\nbody\n",
        f"---\n{FRONT.replace('dns', 'boredom')}---\nbody\n",
        f"---\n{FRONT.replace('linux', 'plan9')}---\nbody\n",
        f"---\n{FRONT.replace('[linux]', '[]')}---\nbody\n",
        f"---\n{FRONT.replace('title: A', '')}---\nbody\n",
        f"---\n{FRONT}---\n \n",
    ],
)
def test_what_is_no_article_is_refused_by_name(text):
    with pytest.raises(ArticleFormatError, match=r"odd\.md: "):
        parse_article(text, source="odd.md")


def test_a_folder_with_a_foreign_encoding_or_two_of_one_id_is_refused(tmp_path):
    (tmp_path / "a.md").write_text(f"---\n{FRONT}{BODY}")
    assert [article.article_id for article in read_articles(tmp_path)] == ["a"]
    (tmp_path / "b.md").write_text(f"---\n{FRONT}{BODY}")
    with pytest.raises(ArticleFormatError, match=r"b\.md: .*another article has the id a"):
        list(read_articles(tmp_path))
    (tmp_path / "b.md").write_bytes(b"---\n\xff\xfe---\n")
    with pytest.raises(ArticleFormatError, match=r"b\.md: "):
        list(read_articles(tmp_path))


lines = st.lists(
    st.one_of(
        st.sampled_from(["# One", "## Two", "", "   ", "\t", "#no heading", "```"]),
        st.text(max_size=60),
        st.integers(1, 400).map(lambda count: "word " * count),
    ),
    max_size=30,
)


@given(body=lines.map("\n".join), max_words=st.integers(1, 200))
def test_chunks_are_the_bodys_own_characters_in_order(body, max_words):
    chunks = cut_into_chunks(body, max_words=max_words)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    end = 0
    for chunk in chunks:
        assert chunk.text == body[chunk.start_offset : chunk.end_offset] == chunk.text.strip()
        assert not body[end : chunk.start_offset].strip()  # only blanks lie between
        assert chunk.text
        end = chunk.end_offset
    assert not body[end:].strip()
