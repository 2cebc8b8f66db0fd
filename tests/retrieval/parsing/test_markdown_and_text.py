# SPDX-License-Identifier: Apache-2.0
"""Markdown and plain text: front matter, blocks, encodings, and nothing that is not seen."""

import codecs
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.parsing.characters import normalise_characters
from retrieval.parsing.documents import BlockKind
from retrieval.parsing.errors import (
    BrokenDocumentError,
    EmptyDocumentError,
    EncodingError,
    OversizeError,
    UnknownFormatError,
)
from retrieval.parsing.markdown import find_blocks

ARTICLE = """---
id: KB-7
title: Printer queue stuck
products: [HP LaserJet, CUPS]
platforms: [linux, macos]
language: en-GB
updated: 2024-05-06
---
# Queue

The printer does not print.

## Fix

1. Stop the service
2. Clear the queue
   - also the spool
3. Start it

```bash
# not a heading
systemctl restart cups
```

| code | meaning |
|------|---------|
| 1    | jam     |
"""


def test_an_article_with_front_matter(read_one):
    document = read_one(ARTICLE, "queue.md")
    assert document.title == "Printer queue stuck"
    assert document.external_id == ""
    assert document.language == "en"
    assert document.updated_at == datetime(2024, 5, 6, tzinfo=UTC)
    assert document.metadata == {
        "id": "KB-7",
        "products": "HP LaserJet, CUPS",
        "platforms": "linux, macos",
        "language": "en-GB",
        "updated": "2024-05-06",
    }
    assert document.text.startswith("# Queue")
    shown = [(b.kind, b.level, document.text[b.start_offset : b.end_offset].split("\n")[0])
             for b in document.blocks]  # fmt: skip
    assert shown == [
        (BlockKind.HEADING, 1, "# Queue"),
        (BlockKind.PARAGRAPH, 0, "The printer does not print."),
        (BlockKind.HEADING, 2, "## Fix"),
        (BlockKind.LIST_ITEM, 1, "1. Stop the service"),
        (BlockKind.LIST_ITEM, 1, "2. Clear the queue"),
        (BlockKind.LIST_ITEM, 2, "- also the spool"),
        (BlockKind.LIST_ITEM, 1, "3. Start it"),
        (BlockKind.CODE, 0, "```bash"),
        (BlockKind.TABLE, 0, "| code | meaning |"),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [("# Of *the* text\n\nx", "Of *the* text"), ("words", "my file"), ("a\n===\n\nb", "a")],
)
def test_titles(read_one, text, title):
    assert read_one(text, "folder/my_file.md").title == title


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- SECRET -->",
        "<!-- \n\nSECRET\n\n-->",
        "<div style='display:none'>\n\nSECRET\n\n</div>",
        "text <span hidden>SECRET</span>",
        "[comment]: # (SECRET)",
        "[x]: https://example.com 'SECRET'",
        "<script>SECRET</script>",
        "<details hidden>SECRET</details>",
        "> <!-- SECRET -->",
    ],
)
def test_what_a_page_does_not_show_is_left_out(read_one, hidden):
    document = read_one(f"# Seen\n\nBefore.\n\n{hidden}\n\nAfter `code`.\n\n- item\n", "a.md")
    assert "SECRET" not in document.text
    for seen in ("# Seen", "Before.", "After `code`.", "- item"):
        assert seen in document.text


def test_a_placeholder_in_code_stays(read_one):
    text = "# A\n\nRun `ping <host>`\n\n```\ncd <folder>\n```"
    assert read_one(text, "a.md").text == text


def test_plain_text_shows_all_that_it_holds(read_one):
    assert read_one("Step <1> <!-- seen -->\n", "a.txt").text == "Step <1> <!-- seen -->"


WORDS = "Der Drucker für das Büro druckt nicht, prüfen Sie das Gerät \u2013 und grüßen Sie Zoë."


@pytest.mark.parametrize(
    "content",
    [
        WORDS.encode(),
        codecs.BOM_UTF8 + WORDS.encode(),
        WORDS.encode("utf-16"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + WORDS.encode("utf-32-le"),
        (WORDS * 2).encode("utf-16-le"),
        WORDS.encode("cp1252"),
        WORDS.replace("\u2013", "-").encode("latin-1"),
    ],
)
def test_encodings(read_one, content):
    document = read_one(content, "a.txt")
    assert document.text.replace(" - ", " \u2013 ") in {WORDS, WORDS * 2}
    assert document.language == "de"


def test_cyrillic_in_a_legacy_encoding(read_one):
    text = "Принтер не печатает документы. Перезапустите службу печати и проверьте очередь. "
    assert read_one((text * 3).encode("cp1251"), "a.txt").text.startswith("Принтер не печатает")


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [
        (bytes(range(256)) * 8, "a.txt", EncodingError),
        (bytes(range(256)) * 8, "a.md", EncodingError),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(99), "a.png", UnknownFormatError),
        (b"MZ\x90\0\x03\0\0\0" * 20, "setup.exe", UnknownFormatError),
        (b"import os\n", "a.py", UnknownFormatError),
        (b"a,b\n1,2\n", "a.csv", UnknownFormatError),
        (b"", "a.md", EmptyDocumentError),
        (b" \r\n\t", "a.txt", EmptyDocumentError),
        ("\ufeff".encode(), "a.txt", EmptyDocumentError),
        ("\u200b\u202e".encode(), "a.txt", EmptyDocumentError),
        (b"---\ntitle: x\n---\n", "a.md", EmptyDocumentError),
        (b"<!-- only this -->", "a.md", EmptyDocumentError),
        (b"---\ntitle: [x\n---\ntext\n", "a.md", BrokenDocumentError),
        (codecs.BOM_UTF16_LE + b"a", "a.txt", EncodingError),
    ],
)
def test_what_is_no_text_is_refused(read, content, name, error):
    with pytest.raises(error) as caught:
        read(content, name)
    assert type(caught.value) is error
    assert len(str(caught.value)) > 10


def test_a_rule_and_no_front_matter(read_one):
    assert read_one("---\n\njust words\n\n---\n\nmore", "a.md").text.endswith("more")


def test_too_much_text(read):
    with pytest.raises(OversizeError):
        read("word " * 300, "a.md", max_text_characters=1_000)


def test_an_alias_bomb_in_the_front_matter(read_one):
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    text = f"---\nl0: &l0 [x]\n{levels}\nproducts: *l11\n---\ntext here\n"
    assert read_one(text, "a.md").metadata == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("e\u0301", "é"),
        ("ab\u202ecd\u2066e\u200bf\ufeff", "abcdef"),
        ("tag" + "".join(chr(0xE0000 + ord(c)) for c in "IGNORE"), "tag"),
        ("a\u00a0b\u00adc", "a bc"),
        ("\x00a\x1b[31mb\x7f", "a[31mb"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
        ("a\u200db\u200c", "ab"),
        ("\uf0b7 item", "• item"),
    ],
)
def test_characters(text, shown):
    assert normalise_characters(text) == shown


@given(text=st.text(st.characters(), max_size=300))
def test_normal_characters_are_visible_and_stay(text):
    normal = normalise_characters(text)
    assert unicodedata.is_normalized("NFC", normal)
    kept = {"\n", "\t", "\u200c", "\u200d"}
    unseen = {"Cc", "Cs", "Co", "Cf", "Zl", "Zp"}
    assert [c for c in normal if unicodedata.category(c) in unseen and c not in kept] == []
    assert normalise_characters(normal) == normal


@given(text=st.text(st.sampled_from("#-*>`~|1.)[]:<>/! \n\tab="), max_size=200))
def test_blocks_are_in_order_and_hold_the_text(text):
    end = 0
    for block in find_blocks(text):
        assert end <= block.start_offset < block.end_offset <= len(text)
        assert text[block.start_offset : block.end_offset].strip()
        end = block.end_offset


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Le service d'impression ne fonctionne plus. Veuillez redémarrer le poste.", "fr"),
        ("Le service d'impression ne fonctionne plus.", "und"),
        ("プリンターが動きません。再起動してください。", "ja"),
        ("```\nThe code is English but it does not count\n```", "und"),
        ("cups 404", "und"),
    ],
)
def test_languages(read_one, text, language):
    assert read_one(text, "a.md").language == language
