# SPDX-License-Identifier: Apache-2.0
"""Archives and formats: content before suffix, every member accounted for, no bomb goes off."""

import stat
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.parsing.errors import (
    ArchiveBombError,
    BrokenDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    OversizeError,
    ParsingError,
    Reason,
    UnknownFormatError,
    UnsafePathError,
    error_for,
)
from retrieval.parsing.formats import Format, is_script_folder, recognise
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.reading import read_file


def test_members_are_documents_by_path_and_the_rest_is_told(read, pack):
    inner = pack({"deep/c.html": "<html><p>See</p></html>"})
    parsed = read(
        pack(
            {
                "b.md": "# B",
                "a/a.txt": "words",
                "inner.zip": inner,
                "picture.png": b"\x89PNG\0\0\0\0",
                "empty.md": "",
                "__MACOSX/._b.md": b"\0",
                ".hidden.md": "# H",
                "fix/manifest.yaml": "id: fix",
                "fix/detect.sh": "exit 0",
                "fix/README.md": "# about",
                "kb.json": '{"result": [{"sys_id": "s1", "text": "<p>x</p>"}]}',
            }
        )
    )
    assert [document.external_id for document in parsed.documents] == [
        "a/a.txt", "b.md", "inner.zip#deep/c.html", "kb.json#s1",
    ]  # fmt: skip
    assert {item.member: item.reason.value for item in parsed.refusals} == {
        "picture.png": "unknown_format",
        "empty.md": "empty",
        "fix/manifest.yaml": "unknown_format",
        "fix/detect.sh": "unknown_format",
        "fix/README.md": "unknown_format",
    }


@pytest.mark.parametrize(
    "name", ["../../x.md", "a/../../x.md", "/etc/x.md", "C:\\x.md", "..\\x.md", "a\\..\\x.md"]
)
def test_names_that_point_outside_refuse_the_archive(read, pack, name):
    with pytest.raises(UnsafePathError, match="points outside"):
        read(pack({"good.md": "# Good", name: "# Bad"}))


def test_links_refuse_the_archive(read):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("link.md")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafePathError):
        read(stream.getvalue())


def test_bombs_do_not_go_off(read, pack):
    flat = pack({"a.md": b"\0" * 30_000_000})
    with pytest.raises(ArchiveBombError):
        read(flat)
    with pytest.raises(ArchiveBombError):
        read(pack({"inner.zip": flat, "a.md": "# A"}))
    many = pack({f"{n}.md": bytes(900_000) for n in range(8)})
    with pytest.raises(ArchiveBombError):
        read(many, max_archive_bytes=5_000_000)
    nested = pack({f"{n}.zip": pack({"a.md": bytes(900_000)}) for n in range(8)})
    with pytest.raises(ArchiveBombError):
        read(nested, max_archive_bytes=5_000_000)


def test_archives_nest_twice_and_no_deeper(read, pack):
    once = pack({"a.md": "# A"})
    twice = pack({"b.zip": once})
    assert [d.external_id for d in read(twice).documents] == ["b.zip#a.md"]
    with pytest.raises(ArchiveBombError):
        read(pack({"c.zip": twice}))


def test_too_many_members_or_documents(read, pack):
    content = pack({f"{n}.md": "# A" for n in range(30)})
    with pytest.raises(OversizeError):
        read(content, max_archive_members=20)
    with pytest.raises(OversizeError):
        read(content, max_documents=20)
    parsed = read(pack({"big.md": "word " * 1_000, "a.md": "# A"}), max_file_bytes=4_000)
    assert [item.reason for item in parsed.refusals] == [Reason.OVERSIZE]


def test_protected_and_damaged_archives(read, pack):
    content = bytearray(pack({"a.md": "# A " * 50}, zipfile.ZIP_STORED))
    locked = bytearray(content)
    locked[6] |= 1
    locked[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(EncryptedDocumentError):
        read(bytes(locked))
    with pytest.raises(BrokenDocumentError):
        read(bytes(content[:-30]))
    content[60] ^= 0xFF
    with pytest.raises(EmptyDocumentError, match="damaged"):
        read(bytes(content))
    with pytest.raises(EmptyDocumentError):
        read(pack({}))


@pytest.mark.parametrize(
    ("content", "name", "form"),
    [
        ("%PDF-1.4\n", "a.txt", Format.PDF),
        ("# Title\n\ntext", "a.html", Format.TEXT),
        ("# Title", "a.md", Format.MARKDOWN),
        ("---\nid: x\n---\ntext", "a.txt", Format.MARKDOWN),
        ("<!DOCTYPE html><p>x", "a.md", Format.HTML),
        ("<?xml version='1.0'?>\n<!-- x -->\n<html xmlns='x'><p/></html>", "a", Format.HTML),
        ("<div>some</div> # md", "a.md", Format.MARKDOWN),
        ("<p>fragment</p>", "a", Format.HTML),
        ("text and <b>bold</b>", "a.html", Format.HTML),
        ("<host> is a placeholder", "a.txt", Format.TEXT),
        ("[link](x) then text", "a.md", Format.MARKDOWN),
        ("{not json", "a.txt", Format.TEXT),
        ('{"result": [{"sys_id": 1}]}', "a.md", Format.SERVICENOW_JSON),
        ('{"results": [{"body": {"storage": {"value": 1}}}]}', "a", Format.CONFLUENCE_JSON),
        ("<unload><kb_knowledge/></unload>", "a.html", Format.SERVICENOW_XML),
        ("<hibernate-generic></hibernate-generic>", "a", Format.CONFLUENCE_XML),
        ("The magic is %PDF-1.4, they say", "a.txt", Format.TEXT),
    ],
)
def test_content_tells_the_format(content, name, form):
    assert recognise(content.encode(), name=name) is form


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("{\\rtf1 text}", "a.txt"),
        ('{"a": 1}', "a.json"),
        ("<?xml version='1.0'?><rss/>", "feed.xml"),
        ("[1, 2]", "a.md"),
    ],
)
def test_what_is_no_knowledge_is_unknown(content, name):
    with pytest.raises(UnknownFormatError):
        recognise(content.encode(), name=name)


def test_a_script_folder_is_known_by_its_manifest(tmp_path):
    assert not is_script_folder(tmp_path)
    (tmp_path / "manifest.yaml").write_text("id: x")
    assert is_script_folder(tmp_path)


def test_a_large_file_is_refused_unread(read):
    with pytest.raises(OversizeError, match="more than 10"):
        read("word " * 10, max_file_bytes=10)


def test_every_reason_has_one_error_and_a_message_that_says_what_to_do():
    for reason in Reason:
        error = error_for(reason)()
        assert error.reason is reason
        assert len(str(error)) > 20


STARTS = st.sampled_from(
    [b"", b"%PDF-1.7\n", b"PK\x03\x04", b"<html>", b"<?xml version='1.0'?><unload><kb_knowledge>",
     b"<hibernate-generic>", b'{"result":[', b'{"results":[{"body":{"storage":', b"---\n", b"# x\n",
     b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)  # fmt: skip


@given(start=STARTS, rest=st.binary(max_size=300) | st.text(max_size=200).map(str.encode),
       suffix=st.sampled_from(["", ".md", ".html", ".json", ".xml", ".zip", ".docx"]))  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_any_bytes_are_read_or_refused(start, rest, suffix):
    with suppress(ParsingError):
        parsed = read_file(start + rest, name=f"file{suffix}", limits=ParserLimits())
        assert all(document.text.strip() for document in parsed.documents)
