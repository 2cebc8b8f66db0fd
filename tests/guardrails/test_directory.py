# SPDX-License-Identifier: Apache-2.0
"""The directory of people and machines: what is found, what is not, and how fast."""

import time

import pytest

from guardrails.directory import Directory
from guardrails.person_names import may_be_same, name_key

PEOPLE = (
    "Anna Maria Schmidt", "Müller, Jörg (IT)", "Siobhan O'Brien", "Jan van der Berg", "Will Page",
    "Mark Print", "Łukasz Wójcik", "Jean-Luc Moreau", "Nguyễn Thị Hạnh", "Grace Hall",
)  # fmt: skip


@pytest.fixture(scope="module")
def directory() -> Directory:
    filled = Directory()
    for name in PEOPLE:
        filled.add_person(name)
    for account in (
        "jdoe7",
        r"CORP\mlovell",
        "petra.kessler@corp.example",
        "svc_backup",
        "print",
        "will",
        "12345",
    ):
        filled.add_account(account)
    for host in ("FRA-LT-0042.corp.example", "server", "print-server", "atlas"):
        filled.add_host(host)
    filled.add_serial("5CG1234XYZ")
    return filled


FOUND = [
    ("ask Anna Maria Schmidt", "Anna Maria Schmidt", "PERSON"),
    ("anna schmidt's disk is full", "anna schmidt", "PERSON"),
    ("SCHMIDT, ANNA MARIA called", "SCHMIDT, ANNA MARIA", "PERSON"),
    ("from Schmidt, A. today", "Schmidt, A.", "PERSON"),
    ("A. Schmidt is out", "A. Schmidt", "PERSON"),
    ("A Schmidt is out", "A Schmidt", "PERSON"),
    ("Anna S. is out", "Anna S.", "PERSON"),
    ("write to anna.schmidt please", "anna.schmidt", "PERSON"),
    ("Anna M. Schmidt", "Anna M. Schmidt", "PERSON"),
    ("the PC of Jorg Muller", "Jorg Muller", "PERSON"),
    ("the PC of joerg mueller", "joerg mueller", "PERSON"),
    ("JÖRG MÜLLER", "JÖRG MÜLLER", "PERSON"),
    ("the PC of Jo\u0308rg Mu\u0308ller", "Jo\u0308rg Mu\u0308ller", "PERSON"),
    ("siobhan obrien", "siobhan obrien", "PERSON"),
    ("Siobhan O\u2019Brien said", "Siobhan O\u2019Brien", "PERSON"),
    ("Jan van der Berg and", "Jan van der Berg", "PERSON"),
    ("van der Berg, Jan", "Berg, Jan", "PERSON"),
    ("Jan Berg", "Jan Berg", "PERSON"),
    ("lukasz wojcik", "lukasz wojcik", "PERSON"),
    ("Jean Luc Moreau", "Jean Luc Moreau", "PERSON"),
    ("Jean-Luc cannot print", "Jean-Luc", "PERSON"),
    ("nguyen thi hanh", "nguyen thi hanh", "PERSON"),
    ("Will Page is out", "Will Page", "PERSON"),
    ("WILL PAGE is out", "WILL PAGE", "PERSON"),
    ("Page, Will", "Page, Will", "PERSON"),
    ("Schmidt cannot print", "Schmidt", "PERSON"),
    ("the laptop from anna is slow", "anna", "PERSON"),
    ("anna's laptop is slow", "anna", "PERSON"),
    ("Hi Will, the VPN fails", "Will", "PERSON"),
    ("Mark's laptop is slow", "Mark", "PERSON"),
    ("Grace said it broke", "Grace", "PERSON"),
    ("locked: JDOE7", "JDOE7", "USERNAME"),
    ("the profile jdoe7_old", "jdoe7", "USERNAME"),
    ("~mlovell/x", "mlovell", "USERNAME"),
    ("petra kessler called", "petra kessler", "PERSON"),
    ("svc_backup fails", "svc_backup", "USERNAME"),
    ("fra-lt-0042 is offline", "fra-lt-0042", "HOST"),
    ("atlas is offline", "atlas", "HOST"),
    ("tag 5cg1234xyz", "5cg1234xyz", "SERIAL"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "known", "entity"), FOUND)
def test_finds(directory, text, known, entity):
    found = {(text[start:end], kind) for start, end, kind in directory.find_spans(text)}
    assert (known, entity) in found


NOT_FOUND = [
    "Will the page print? Mark the box, then print the page.",
    "it will mark the print job; page two of the hall",
    "Print spooler: Page fault. Mark as read. Grace period: 30 days.",
    "the page will print and the mark will stay",
    "a page, a mark, a print",
    "event 12345 on the server",
    "the print-server answers",
    "Port 445. Berges. Annabel. Schmidtke. xjdoe7x",
    "the grace period ends; Hall of fame",
    "Open the schmidt app; the Schmidt app is a word of its own here",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_FOUND)
def test_leaves_words_alone(directory, text):
    assert [text[start:end] for start, end, _ in directory.find_spans(text)] == []


def test_an_empty_directory_finds_nothing():
    assert Directory().find_spans("Anna Schmidt") == []


def test_time_does_not_grow_with_the_directory(directory):
    big = Directory()
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in range(20_000):
        word = "".join(letters[number // 26**place % 26] for place in range(4))
        big.add_person(f"Q{word} Z{word[::-1]}x")
        big.add_host(f"LT-{number:06d}")
        big.add_account(f"u{number}.q")
    text = "The laptop LT-9 of u77 is slow since Monday; Outlook hangs at start. " * 200

    def best_seconds(searched: Directory) -> float:
        seconds = []
        for _ in range(3):
            started = time.thread_time()
            searched.find_spans(text)
            seconds.append(time.thread_time() - started)
        return min(seconds)

    assert best_seconds(big) < 3 * best_seconds(directory)
    assert best_seconds(big) / len(text) < 3e-6  # below a tenth of what masking may take


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Schmidt, Anna", "ANNA SCHMIDT", True),
        ("A. Schmidt", "Anna Schmidt", True),
        ("anna.schmidt", "Anna Schmidt", True),
        ("Anna", "Anna Schmidt", True),
        ("Jorg Müller", "Jörg Mueller", True),
        ("B. Schmidt", "Anna Schmidt", False),
        ("Anna Weber", "Anna Schmidt", False),
        ("A.", "Anna Schmidt", False),
    ],
)
def test_who_may_be_the_same(one, other, same):
    assert may_be_same(name_key(one), name_key(other)) is same
