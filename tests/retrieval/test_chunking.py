# SPDX-License-Identifier: Apache-2.0
"""Passages follow the structure: they cover the text, keep steps whole, and none is useless."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.chunking import MAX_WORDS, MIN_WORDS, count_words, cut_into_chunks
from retrieval.parsing.documents import Block, BlockKind

LINES = st.one_of(
    st.sampled_from(["", "# One", "## Two", "### Three", "- item", "1. step", "```", "~~~", "---"]),
    st.sampled_from(["| a | b |", "|---|---|", "    code", "Title\n=====", "> quote", "[a]: /b"]),
    st.integers(1, 300).map(lambda count: "word " * count),
    st.integers(1, 9_000).map(lambda count: "x" * count),
    st.text(max_size=60),
    st.integers(1, 400).map(lambda count: "漢" * count),
)
BODIES = st.lists(LINES, max_size=30).map("\n".join)


def words(count: int, word: str = "word") -> str:
    return " ".join([word] * count)


def assert_covered(text: str, chunks, max_words: int) -> None:
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert chunk.text == text[chunk.start_offset : chunk.end_offset] == chunk.text.strip()
        assert chunk.text
        assert len(chunk.text.split()) <= count_words(chunk.text) <= max_words
    bounds = [0, *(at for c in chunks for at in (c.start_offset, c.end_offset)), len(text)]
    assert bounds == sorted(bounds)
    for start, end in list(pairwise(bounds))[::2]:
        assert not text[start:end].strip()


@given(text=BODIES, max_words=st.integers(1, 200))
def test_every_character_is_in_one_passage_within_the_limit(text, max_words):
    assert_covered(text, cut_into_chunks(text, max_words=max_words), max_words)


@given(data=st.data(), text=BODIES, max_words=st.integers(1, 200))
def test_no_claim_about_blocks_breaks_the_invariant(data, text, max_words):
    offsets = st.integers(-5, len(text) + 5)
    block = st.builds(
        Block,
        kind=st.sampled_from(BlockKind),
        level=st.integers(0, 7),
        start_offset=offsets,
        end_offset=offsets,
        page=st.none() | st.integers(1, 3),
    )
    blocks = data.draw(st.lists(block, max_size=20))
    assert_covered(text, cut_into_chunks(text, blocks, max_words=max_words), max_words)


def test_a_section_that_is_not_small_begins_a_passage():
    text = f"# One\n\n{words(MIN_WORDS)}\n\n# Two\n\n{words(MIN_WORDS)}\n"
    assert [chunk.headings for chunk in cut_into_chunks(text)] == [("One",), ("Two",)]


def test_comments_of_a_script_do_not_make_passages_of_a_line():
    """A comment looks like a heading of level 1; code between two of them is short."""
    text = "".join(f"# step {number}\nsystemctl restart unit{number}\n" for number in range(30))
    chunks = cut_into_chunks(text)
    assert len(chunks) <= 6
    assert_covered(text, chunks, MAX_WORDS)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        (words(5_000), 5_000 // MAX_WORDS),
        ("x" * 1_000_000, 80),
        ("磁盘已满" * 2_000, 20),
        ("```\n" + words(5_000) + "\n```", 5_000 // MAX_WORDS),
        ("| " + words(5_000) + " | b |\n|---|---|\n| 1 | 2 |", 5_000 // MAX_WORDS),
        ("- " + words(5_000), 5_000 // MAX_WORDS),
        ("# " + words(5_000), 5_000 // MAX_WORDS),
    ],
)
def test_a_line_of_any_length_is_cut(text, least):
    chunks = cut_into_chunks(text)
    assert len(chunks) >= least
    assert_covered(text, chunks, MAX_WORDS)


def test_a_long_paragraph_is_cut_between_sentences():
    text = " ".join(f"{words(20)}." for _ in range(30))
    assert all(chunk.text.endswith(".") for chunk in cut_into_chunks(text))


@pytest.mark.parametrize(
    "block",
    [
        "```\n" + "\n".join(f"command {n}" for n in range(50)) + "\n```",
        "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | x |" for n in range(15)),
        "1. " + words(90) + "\n   " + words(40),
    ],
)
def test_code_tables_and_steps_stay_whole(block):
    chunks = cut_into_chunks(f"# Title\n\n{words(100)}\n\n{block}\n\n{words(100)}\n")
    assert sum(block in chunk.text for chunk in chunks) == 1


def test_steps_are_not_cut_inside():
    steps = [f"{number}. {words(25, f'step{number}')}" for number in range(1, 20)]
    chunks = cut_into_chunks("# Fix\n\n" + "\n".join(steps))
    assert len(chunks) > 1
    for step in steps:
        assert sum(step in chunk.text for chunk in chunks) == 1


def test_a_heading_stays_with_what_follows_it():
    text = f"# A\n\n{words(170)}\n\n## B\n\n### C\n\n{words(178)}\n"
    chunks = cut_into_chunks(text)
    assert [chunk.text.split("\n")[0] for chunk in chunks][:2] == ["# A", "## B"]
    assert "word" in chunks[1].text
    assert chunks[1].headings == ("A", "B", "C")


def test_small_sections_under_one_parent_are_joined():
    text = "# A\n\nintroduction\n\n## B\n\nsmall\n\n## C\n\nsmall too\n\n# D\n\nsmall\n"
    chunks = cut_into_chunks(text)
    assert [chunk.text for chunk in chunks] == [
        "# A\n\nintroduction", "## B\n\nsmall\n\n## C\n\nsmall too", "# D\n\nsmall",
    ]  # fmt: skip
    assert [chunk.headings for chunk in chunks] == [("A",), ("A",), ("D",)]


def test_sections_of_a_useful_size_stay_apart():
    text = f"# A\n\n## B\n\n{words(60)}\n\n## C\n\n{words(60)}\n"
    assert [chunk.headings for chunk in cut_into_chunks(text)] == [("A", "B"), ("A", "C")]


def test_a_hash_in_a_code_block_is_no_heading():
    (chunk,) = cut_into_chunks("# A\n\n```bash\n# install\napt install x\n# done\n```\n")
    assert chunk.headings == ("A",)


def test_headings_of_both_notations_are_read():
    (one, two) = cut_into_chunks("Title \\#1\n===\n\ntext\n\nSub\n---\n\ntext\n")
    assert (one.headings, two.headings) == (("Title #1",), ("Title #1", "Sub"))


def test_pages_are_where_a_passage_begins():
    text = f"{words(150)}\n{words(150)}"
    middle = text.index("\n") + 1
    blocks = [
        Block(kind=BlockKind.PARAGRAPH, level=0, start_offset=0, end_offset=middle, page=3),
        Block(kind=BlockKind.PARAGRAPH, level=0, start_offset=middle, end_offset=999, page=4),
    ]
    assert [chunk.page for chunk in cut_into_chunks(text, blocks)] == [3, 4]


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\u2028\u00a0"])
def test_blank_text_has_no_passages(text):
    assert cut_into_chunks(text) == []


@pytest.mark.parametrize(
    "text",
    ["word " * 400_000, "# h\n" * 40_000, "- " * 2_000, "> " * 2_000 + "x", "[" * 100_000],
)
def test_cutting_takes_time_in_proportion(text):
    started = time.process_time()
    cut_into_chunks(text)
    assert time.process_time() - started < 6
