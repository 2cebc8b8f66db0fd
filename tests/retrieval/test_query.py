# SPDX-License-Identifier: Apache-2.0
"""Pasted tickets: what says nothing goes, what says something stays, and no text takes long."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.query import MAX_CHARACTERS, MAX_WINDOWS, WINDOW_WORDS, understand_query

TICKET = """\
Hi team,

since KB5034441 my laptop <HOST_1> shows 0x80070643, see https://wiki.example/kb?x=0x1234

> On Monday <PERSON_2> wrote:
> is it the printer?

Dear all!
Thanks in advance
Kind regards, <PERSON_1>
Sent from my phone
"""


def test_a_ticket_is_read_without_its_ceremony():
    query = understand_query(TICKET)
    assert query.text == "since KB5034441 my laptop shows 0x80070643, see"
    assert query.windows == (query.text,)
    assert {"kb:5034441", "code:0x80070643", "code:0x1234"} == set(query.signals)


@pytest.mark.parametrize(
    "line",
    [
        "Hello my printer is dead", "Hi, outlook crashes on start", "hi printer shows an error",
        "Good morning everyone my VPN drops", "cheering noises from the fan",
        "Dear IT, the disk is full",
    ],
)  # fmt: skip
def test_a_complaint_after_a_greeting_stays(line):
    assert understand_query(f"{line}\nplease help").text == f"{line} please help"


@pytest.mark.parametrize(
    "line",
    [
        "Hi", "Hello all", "  Hey there!", "Dear Mrs Smith,", "Good morning team", "Thanks",
        "Many thanks", "thank you so much", "Thanks in advance!", "Regards", "Kind regards, Ada",
        "Best   regards", "Cheers, Ada", "Sent from my phone", "> quoted", "  | quoted",
        "<PERSON_1>", "http://a.example/b", "A1b2" * 20,
    ],
)  # fmt: skip
def test_what_says_nothing_is_left_out(line):
    assert understand_query(f"{line}\ndisk full").text == "disk full"


@pytest.mark.parametrize("text", ["thanks", "> 0x80070005", "<PERSON_1>", "https://a.example"])
def test_what_is_nothing_else_is_read_all_the_same(text):
    assert understand_query(text).text == text


def test_signals_survive_what_is_left_out():
    query = understand_query("disk full\n> error 0x80070005\nhttps://a.example/KB5034441")
    assert query.text == "disk full"
    assert set(query.signals) == {"code:0x80070005", "kb:5034441"}


def test_a_decimal_result_code_is_a_keyword_in_hexadecimal_too():
    query = understand_query("update fails: -2147024891")
    assert query.text == "update fails: -2147024891 0x80070005"
    assert query.windows == ("update fails: -2147024891",)
    assert understand_query("update fails: 0X80070005").text == "update fails: 0X80070005"


def test_long_texts_are_read_in_windows():
    words = [f"w{number}" for number in range(1_000)]
    query = understand_query(" ".join(words))
    assert len(query.windows) == MAX_WINDOWS
    assert " ".join(query.windows).split() == words[: MAX_WINDOWS * WINDOW_WORDS]
    assert query.text.split() == words


def test_what_is_beyond_the_bound_is_not_read():
    text = "disk full ".ljust(MAX_CHARACTERS)
    assert understand_query(text + "printer 0x80070005") == understand_query(text)


@given(st.text(st.characters(), max_size=500))
@settings(max_examples=300, deadline=None)
def test_any_text_is_understood(text):
    query = understand_query(text)
    assert 1 <= len(query.windows) <= MAX_WINDOWS
    assert query.text == " ".join(query.text.split())
    assert "\x00" not in query.text
    query.text.encode()
    assert bool(query.text) == bool(text.replace("\x00", " ").split())


@pytest.mark.parametrize(
    "unit",
    ["\n", " ", " \n", "\t\n ", ">", ">\n", "hi ", "hi\n", "Thanks \n", "regards ", "kind ", "-",
     "a_", "AB_", "1.", "0x", "KB ", "error ", "event   ", "https://", "<A_1", "\ufdfa"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "x", "\nx"])
def test_no_text_takes_long(unit, end):
    """A pattern whose blanks span lines once took hours for a page of empty lines."""
    text = (unit * MAX_CHARACTERS)[: MAX_CHARACTERS - len(end)] + end
    began = time.process_time()
    understand_query(text)
    assert time.process_time() - began < 1  # 0.02 s
