# SPDX-License-Identifier: Apache-2.0
"""PDF and DOCX: structure, titles, and a verdict on every damaged, protected or hostile file."""

import logging
import zipfile
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from docx import Document
from docx.oxml import OxmlElement
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from retrieval.parsing.documents import BlockKind
from retrieval.parsing.errors import (
    ArchiveBombError,
    BrokenDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    OversizeError,
    ParsingError,
    UnknownFormatError,
)
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.reading import read_file

logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


def make_pdf(*, title: str = "") -> bytes:
    pdf = FPDF()
    if title:
        pdf.set_title(title)
    for number in (1, 2):
        pdf.add_page()
        pdf.set_font("Helvetica", size=20)
        pdf.multi_cell(0, 12, f"Chapter {number}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", size=11)
        pdf.multi_cell(
            0,
            6,
            f"The printer on floor {number} does not print. Check the cable and the network first,"
            " since they are the cause in most of the cases that we have seen.",
            new_x="LMARGIN",
            new_y="NEXT",
        )
        for step in ("1. Stop the service.", "2. Clear the queue.", "- Done."):
            pdf.multi_cell(0, 6, step, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def make_docx(*, title: str = "") -> bytes:
    document = Document()
    document.core_properties.title = title
    document.core_properties.modified = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    document.add_heading("Wi-Fi drops", 1)
    paragraph = document.add_paragraph("The laptop loses ")
    paragraph.add_run("its connection").bold = True
    paragraph.add_run("SECRET").font.hidden = True
    deleted = OxmlElement("w:del")
    deleted.append(OxmlElement("w:r"))
    deleted[0].append(OxmlElement("w:delText"))
    deleted[0][0].text = "SECRET"
    paragraph._p.append(deleted)
    inserted = OxmlElement("w:ins")
    inserted.append(OxmlElement("w:r"))
    inserted[0].append(OxmlElement("w:t"))
    inserted[0][0].text = " often."
    paragraph._p.append(inserted)
    document.add_heading("Fix", 2)
    document.add_paragraph("Open the settings", style="List Number")
    document.add_paragraph("Forget the network", style="List Number")
    document.add_paragraph("on both sides", style="List Bullet 2")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Band", "Use", "5", "yes"), strict=True
    ):
        cell.text = text
    return save(document)


def save(document) -> bytes:
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def test_a_pdf(read_one):
    document = read_one(make_pdf(title="Printers"), "wrong.md")
    assert document.title == "Printers"
    assert document.language == "en"
    assert document.updated_at is not None
    assert "most of the cases that we have seen." in document.text.replace("\n", " ")
    shown = [(b.kind, b.page, document.text[b.start_offset : b.end_offset][:12])
             for b in document.blocks]  # fmt: skip
    one_page = [
        (BlockKind.HEADING, "# Chapter {}"), (BlockKind.PARAGRAPH, "The printer "),
        (BlockKind.LIST_ITEM, "1. Stop the "), (BlockKind.LIST_ITEM, "2. Clear the"),
        (BlockKind.LIST_ITEM, "- Done."),
    ]  # fmt: skip
    assert shown == [(kind, n, text.format(n)) for n in (1, 2) for kind, text in one_page]


PARTS = (
    "cables", "fans", "fuses", "hinges", "keys", "lamps", "pins", "rails", "screws", "switches",
)  # fmt: skip


class Manual(FPDF):
    """Every page has a header, and a footer with its number."""

    def header(self):
        self.set_font("Helvetica", size=9)
        self.cell(0, 8, "Contoso service desk - internal", new_x="LMARGIN", new_y="NEXT")

    def footer(self):
        self.set_y(-15)
        self.set_font("Helvetica", size=9)
        self.cell(0, 8, f"Page {self.page_no()} of 4", new_x="LMARGIN", new_y="NEXT")


def make_manual(n_pages: int, *, empty: bool = False) -> bytes:
    pdf = Manual()
    for number in range(1, n_pages + 1):
        pdf.add_page()
        for size, text in (
            ()
            if empty
            else (
                (18, f"Step {number}"),
                (11, f"The {['first', 'second', 'third', 'fourth'][number - 1]} thing to try."),
                (11, "Ask the service desk."),
                (
                    11,
                    f"It takes {number} minutes on a good day, and there is more to it than that.",
                ),
                *((11, f"Check {part} of the {number * 'very '}long list.") for part in PARTS),
            )
        ):
            pdf.set_font("Helvetica", size=size)
            pdf.multi_cell(0, 10, text, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def test_lines_that_run_along_the_pages_are_left_out(read_one):
    document = read_one(make_manual(4), "manual.pdf")
    assert document.text.startswith("Contoso service desk - internal")
    assert document.text.count("Contoso") == document.text.count("of 4") == 1
    assert all(f"# Step {number}" in document.text for number in range(1, 5))
    pages = {
        block.page: document.text[block.start_offset : block.end_offset]
        for block in document.blocks
        if "thing to try" in document.text[block.start_offset : block.end_offset]
    }
    assert [pages[page].split()[1] for page in (1, 2, 3, 4)] == [
        "first", "second", "third", "fourth",
    ]  # fmt: skip
    # Two pages are too few to tell, and so are the lines of pages with nothing else.
    assert read_one(make_manual(2), "manual.pdf").text.count("Contoso") == 2
    assert read_one(make_manual(4, empty=True), "manual.pdf").text.count("Contoso") == 4


def make_pages(*edges: str, is_foot: bool = False) -> bytes:
    """Make a PDF whose pages begin or end with these lines, all in one type."""
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for number, edge in enumerate(edges):
        pdf.add_page()
        words = ("Causes", *(f"Checks of {part}" for part in PARTS))
        body = [f"{word} of the {'abcdefgh'[number]} kind." for word in words]
        for line in (*body, edge) if is_foot else (edge, *body):
            pdf.multi_cell(0, 8, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


@pytest.mark.parametrize(
    "tops",
    [
        ("0x80070005", "0x80070002", "0x80070057", "0x80070490"),
        ("Event 1001", "Event 7031", "Event 41", "Event 6008"),
        ("Event 1", "Event 2", "Event 3", "Event 4"),  # as if it were the page's number
        ("KB5001001", "KB5001002", "KB5001003", "KB5001004"),
        ("KB 5034441", "KB 5034122", "KB 5035853", "KB 5036893"),
        ("Error 1603 of the installer",) * 4,
        ("20 30 1.5", "40 31 1.7", "10 32 1.9", "70 33 2.2"),
        ("Model 4400", "Model 4500", "Model 4700", "Model 5100"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"),
    ],
)
@pytest.mark.parametrize("is_foot", [False, True])
def test_codes_and_figures_at_the_edges_of_pages_are_kept(read_one, tops, is_foot):
    text = read_one(make_pages(*tops, is_foot=is_foot), "codes.pdf").text
    for top in set(tops):
        assert text.count(top) == tops.count(top), text


@pytest.mark.parametrize(
    ("tops", "mark"),
    [
        ([f"Handbook | {n}" for n in (7, 8, 9, 10)], "Handbook"),  # a part of a book
        ([f"Handbook 2024 - page {n}" for n in (1, 2, 3, 4)], "Handbook"),
        (["Page 1 of 2", "Page 2 of 2", "Page 1 of 2", "Page 2 of 2"], "Page"),  # two in one
        (["Seite 1 von 3", "Seite 2 von 3", "Seite 3 von 3", "Seite 1 von 1"], "Seite"),
        (["Version 2.4.1, 2024-05-06"] * 4, "Version"),
        (["Printed from the intranet"] * 4, "Printed"),
        ([f"{n} - Handbook" for n in (1, 2, 3, 4)], "Handbook"),
        ([f"- {n} - " for n in (1, 2, 3, 4)], "- 1 -"),
        ([f"Handbook, page {n} of 4, internal" for n in (1, 2, 3, 4)], "Handbook"),
        (["Restart the computer in safe mode."] * 4, "Restart"),
    ],
)
def test_lines_that_differ_in_the_pages_number_run_along_the_pages(read_one, tops, mark):
    text = read_one(make_pages(*tops), "running.pdf").text
    assert text.replace("\\", "").startswith(tops[0].strip())  # it may say what is nowhere else
    assert text.count(mark) == tops[0].count(mark)
    assert text.count("Causes of the") == 4


@pytest.mark.parametrize(
    "tops",
    [
        [f"Step {n}: open the panel" for n in (1, 2, 3, 4)],
        [f"Slot {n} is dead, replace the module" for n in (4, 5, 6, 7)],
        [f"The installer returned {n}" for n in (1601, 1602, 1603, 1604)],
    ],
)
@pytest.mark.parametrize("is_foot", [False, True])
def test_lines_that_are_counted_but_by_no_number_of_a_page_are_kept(read_one, tops, is_foot):
    text = read_one(make_pages(*tops, is_foot=is_foot), "counted.pdf").text
    assert [top for top in tops if top not in text] == []


@pytest.mark.parametrize("line", ["Restart the computer in safe mode.", "netsh winsock reset"])
def test_pages_too_short_to_have_edges_keep_their_lines(read_one, line):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for word in ("alpha", "beta", "gamma"):
        pdf.add_page()
        for text in (f"Fix {word}.", f"Open the panel {word}.", f"Press the {word} switch.", line):
            pdf.multi_cell(0, 8, text, new_x="LMARGIN", new_y="NEXT")
    assert read_one(bytes(pdf.output()), "short.pdf").text.count(line) == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", b"%PDF-1.7 broken", "print it to a new PDF"),
        ("a.pdf", make_pdf()[:-900], "print it to a new PDF"),
        ("a.md", b"", "is empty"),
        ("a.docx", b"PK\x03\x04 nothing", "fetch it again"),
    ],
)
def test_what_is_wrong_is_said_without_jargon(read, name, content, words):
    with pytest.raises(ParsingError, match=words) as caught:
        read(content, name)
    assert "Error" not in str(caught.value)
    assert "Exception" not in str(caught.value)


def test_the_title_of_a_pdf_without_one_is_its_first_heading(read_one):
    assert read_one(make_pdf()).title == "Chapter 1"


def test_a_docx(read_one):
    document = read_one(make_docx(), "wrong.pdf")
    assert document.title == "Wi-Fi drops"
    assert document.updated_at == datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    assert document.text == (
        "# Wi-Fi drops\n\nThe laptop loses its connection often.\n\n## Fix\n\n"
        "1. Open the settings\n2. Forget the network\n   - on both sides\n\n"
        "| Band | Use |\n|---|---|\n| 5 | yes |"
    )


def test_the_title_of_a_docx_is_its_own(read_one):
    assert read_one(make_docx(title="Radio")).title == "Radio"


def test_a_blank_page_is_empty(read):
    pdf = FPDF()
    pdf.add_page()
    for content in (bytes(pdf.output()), save(Document())):
        with pytest.raises(EmptyDocumentError):
            read(content)


def encrypt(content: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_protected_files(read, read_one, pack):
    with pytest.raises(EncryptedDocumentError):
        read(encrypt(make_pdf(), "secret"))
    assert "Chapter 1" in read_one(encrypt(make_pdf(), "")).text  # opens for every reader
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    with pytest.raises(EncryptedDocumentError):
        read(ole + "EncryptedPackage".encode("utf-16-le"), "a.docx")
    with pytest.raises(UnknownFormatError):
        read(ole, "old.doc")
    with pytest.raises(UnknownFormatError):
        read(pack({"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}), "a.xlsx")


def hand_made_pdf(*objects: str, trailer: str = "/Root 1 0 R") -> bytes:
    content, offsets = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{written}\nendobj\n".encode("latin-1")
    start = len(content)
    content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    content += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    trailer = f"<< /Size {len(objects) + 1} {trailer} >>".replace("SELF", str(start))
    return content + f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode()


CATALOG = "<< /Type /Catalog /Pages 2 0 R >>"
PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"


def stream_object(data: bytes, extra: str = "") -> str:
    return f"<< /Length {len(data)} {extra} >>\nstream\n{data.decode('latin-1')}\nendstream"


ENDLESS = {
    "pages that hold themselves": hand_made_pdf(
        CATALOG, "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    ),
    "a previous table that is this one": hand_made_pdf(
        CATALOG, "<< /Type /Pages /Kids [] /Count 0 >>", trailer="/Root 1 0 R /Prev SELF"
    ),
    "an object that is itself": hand_made_pdf(CATALOG, "2 0 R"),
    "a form that draws itself": hand_made_pdf(
        CATALOG,
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE.replace("/Contents", "/Resources << /XObject << /X 5 0 R >> >> /Contents"),
        stream_object(b"/X Do"),
        stream_object(
            b"/X Do",
            "/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
            " /Resources << /XObject << /X 5 0 R >> >>",
        ),
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_endless_pdfs_get_a_verdict(read, name):
    with pytest.raises((BrokenDocumentError, EmptyDocumentError, OversizeError)):
        read(ENDLESS[name])


def test_a_pdf_whose_stream_unpacks_to_far_more(read):
    bomb = zlib.compress(zlib.compress(bytes(200_000_000)))
    content = hand_made_pdf(
        CATALOG,
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE,
        stream_object(bomb, "/Filter [/FlateDecode /FlateDecode]"),
    )
    with pytest.raises((OversizeError, BrokenDocumentError, EmptyDocumentError)):
        read(content)


@pytest.mark.parametrize("make", [make_pdf, make_docx])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_file_is_broken_or_partly_read(read, make, share):
    content = make()
    with suppress(BrokenDocumentError, EmptyDocumentError, UnknownFormatError):
        read(content[: int(len(content) * share)], "a")


def test_a_docx_that_is_a_bomb_or_names_entities(read, pack):
    with pytest.raises(ArchiveBombError):
        read(pack({"word/document.xml": b" " * 30_000_000}), "a.docx")
    entities = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:body><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body></w:document>"
    )
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(make_docx())) as source, zipfile.ZipFile(stream, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            target.writestr(item, entities if item.filename == "word/document.xml" else content)
    with pytest.raises((BrokenDocumentError, EmptyDocumentError)):
        read(stream.getvalue())


SAMPLES = {"PDF": make_pdf(title="x"), "DOCX": make_docx(title="x")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_a_changed_file_is_read_or_refused(data):
    content = bytearray(SAMPLES[data.draw(st.sampled_from(list(SAMPLES)))])
    for _ in range(data.draw(st.integers(1, 12))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    with suppress(ParsingError):
        read_file(bytes(content), name="a", limits=ParserLimits())
