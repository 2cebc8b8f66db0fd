# SPDX-License-Identifier: Apache-2.0
"""Masking: what must go, what must stay, and what masking promises of itself."""
# ruff: noqa: E501 - tables of cases

import re
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import MaskingError
from guardrails.identifier_patterns import PATTERNS
from guardrails.masking import Masker

MASKED = [
    ("if it rings, page 4312", "4312", "PHONE"),
    ("my pager 712 is dead", "712", "PHONE"),
    ("My name is Priya Raman and my PC is slow", "Priya Raman", "PERSON"),
    ("Laptop hot.\n\nKind regards,\nTom Becker", "Tom Becker", "PERSON"),
    ("the user Anna Schmidt cannot print", "Anna Schmidt", "PERSON"),
    ("jane doe's disk is full", "jane doe", "PERSON"),
    ("Doe, Jane called", "Doe, Jane", "PERSON"),
    ("mail of Søren Kjær-Holm bounced", "Søren Kjær-Holm", "PERSON"),
    ("ask bkowalski.", "bkowalski", "PERSON"),
    ("Hi Bob,\nhelp", "Bob", "PERSON"),
    ("contact jane.doe@corp.local now", "jane.doe@corp.local", "EMAIL"),
    (r"CORP\jsmith is locked", r"CORP\jsmith", "USERNAME"),
    (r"C:\Users\j.smith\AppData\Local", "j.smith", "USERNAME"),
    (r"C:\Users\John Smith\Desktop\x", "John Smith", "USERNAME"),
    ("/home/jsmith/.cache is 12 GB", "jsmith", "USERNAME"),
    ("/Users/jsmith/Library/Caches", "jsmith", "USERNAME"),
    ("Failed password for invalid user bob from 192.168.1.7", "bob", "USERNAME"),
    ("username: jsmith42", "jsmith42", "USERNAME"),
    ("LAPTOP-4F7KQ2ZX is offline", "LAPTOP-4F7KQ2ZX", "HOST"),
    ("NYC-LT-00421 is offline", "NYC-LT-00421", "HOST"),
    ("ping files.corp.internal fails", "files.corp.internal", "HOST"),
    ("hostname=web7", "web7", "HOST"),
    ("Janes-MacBook-Pro.local", "Janes-MacBook-Pro.local", "HOST"),
    ("see http://intranet/wiki", "intranet", "HOST"),
    ("gateway 10.20.30.40 is down", "10.20.30.40", "IP"),
    ("addr fe80::1ff:fe23:4567:890a up", "fe80::1ff:fe23:4567:890a", "IP"),
    ("eth0 00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5e", "MAC"),
    ("S-1-5-21-3623811015-3361044348-30300820-1013", "S-1-5-21-3623811015-3361044348-30300820-1013", "SID"),
    (r"open \\fs01\hr$\payroll.xlsx", r"\\fs01\hr$\payroll.xlsx", "UNC_PATH"),
    ("CN=Jo Ray,OU=Sales,DC=corp,DC=example failed", "CN=Jo Ray,OU=Sales,DC=corp,DC=example", "DN"),
    ("password: hunter22", "hunter22", "SECRET"),
    ("my password is Summer2024!", "Summer2024!", "SECRET"),
    ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop", "SECRET"),
    ("https://bob:pw123@git.example.org/x", "pw123", "SECRET"),
    ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "SECRET"),
    ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "MIIB", "SECRET"),
    ("123456-123456-123456-123456-123456-123456-123456-123456", "123456-123456", "SECRET"),
    ("Serial number: C02XK1ABJGH5", "C02XK1ABJGH5", "SERIAL"),
    ("SSID: HomeNet5", "HomeNet5", "SSID"),
    ("call me at +1 415 555 0133", "+1 415 555 0133", "PHONE"),
    ("ext. 4412", "4412", "PHONE"),
    ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "CARD"),
    ("DE89370400440532013000", "DE89370400440532013000", "IBAN"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "gone", "entity"), MASKED)
def test_masks(masker, text, gone, entity):
    masked = masker.mask(text)
    assert gone not in masked.text
    assert f"<{entity}_1>" in masked.text


KEPT = [
    "KB5034441 failed with 0x80070643 on version 10.0.19045.3803",
    "version 1.2.3.4 of the agent, build 22631.3007",
    "/var/log is 91% full; /home is 40% full; C:\\Windows\\Temp too",
    "systemd-resolved.service and user@1000.service are inactive",
    "127.0.0.1 and ::1 answer, 0.0.0.0:22 listens, mask 255.255.255.0",
    "[System.IO.File]::ReadAllText failed in HKLM\\SOFTWARE\\Microsoft\\Windows",
    "S-1-5-18 owns it. CVE-2024-1234, ISO-8859-1, UTF-8, error 1603",
    "my password is not working and has expired",
    "I am unable to log in since the update",
    "Thanks for the help",
    "https://learn.microsoft.com/en-us/windows",
    "Failed password for root",
    "C:\\Users\\Public\\Documents and C:\\Users\\%USERNAME%\\x",
    "see section 4.2 at page 10 of the manual",
    "the printer leaves page 100 blank",
    "it crashed--2 times today, outlook--2016 is offline--3rd time, pages missing--10 of 20",
]


@pytest.mark.parametrize("text", KEPT)
def test_keeps(masker, text):
    assert masker.mask(text).text == text


def test_an_extension_takes_no_bracket_that_it_has_not_opened(masker):
    masked = masker.mask("ring me (desk, +44 20 7946 0958 x12).").text
    assert masked == "ring me (desk, <PHONE_1>)."
    assert masker.mask("ring +44 20 7946 0958 (ext 12) now").text == "ring <PHONE_1> now"


def test_pseudonyms_are_consistent_and_reversible():
    masker = Masker(["Jane Doe"])
    text = "Jane Doe wrote to JANE DOE from 10.0.0.5; 10.0.0.6 and 10.0.0.5 fail"
    masked = masker.mask(text)
    assert masked.text.count("<PERSON_1>") == 2
    assert masked.text.count("<IP_1>") == 2
    assert masked.originals == {
        "<PERSON_1>": "Jane Doe",
        "<IP_1>": "10.0.0.5",
        "<IP_2>": "10.0.0.6",
    }
    first, second = masker.mask_many(["10.0.0.5 down", "10.0.0.6, 10.0.0.5 down"])
    assert (first.text, second.text) == ("<IP_1> down", "<IP_2>, <IP_1> down")
    assert "10.0.0.6" not in first.originals.values()


def test_typed_pseudonyms_are_not_given_again(masker):
    masked = masker.mask("<IP_1> and 10.0.0.5")
    assert masked.text == "<IP_1> and <IP_2>"
    assert masker.mask(masked.text).text == masked.text
    later = masker.mask("10.0.0.9 and 10.0.0.5", known=masked.originals)
    assert later.text == "<IP_3> and <IP_2>"


KNOWN = [
    ("VPN broken for jdoe42", "VPN broken for <USERNAME_1>"),
    ("JDoe42's profile jdoe42_old", "<USERNAME_1>'s profile <USERNAME_1>_old"),
    ("jdoe421 and xjdoe42 are others", "<HOST_1> and <HOST_2> are others"),
    ("write to jdoe42@corp.local", "write to <EMAIL_1>"),
    (r"C:\Users\jdoe42\x", r"C:\Users\<USERNAME_1>\x"),
    ("jdo\u200be42 called", "<USERNAME_1> called"),
]


@pytest.mark.parametrize(("text", "masked"), KNOWN)
def test_what_is_known_is_masked_wherever_it_is_a_word(masker, text, masked):
    assert masker.mask(text, {"<USERNAME_1>": "jdoe42"}).text == masked


def test_a_known_original_and_what_overlaps_it_leave_nothing_between(masker):
    masked = masker.mask("call jane doe smith now", {"<USERNAME_1>": "Doe Smith"})
    assert masked.text.startswith("call <")
    assert not any(name in masked.text.lower() for name in ("jane", "doe", "smith"))


@pytest.mark.parametrize("name", ["root", "a", "", "USERNAME", "[a-z]+"])
def test_a_known_original_that_names_nobody_masks_nothing_else(masker, name):
    text = "a root shell of <USERNAME_2>"
    assert masker.mask(text, {"<USERNAME_1>": name}).text == text


def test_invisible_characters_hide_nothing(masker):
    assert masker.mask("ja\u200bne.d\u202eoe@corp.local").text == "<EMAIL_1>"


def test_values_are_masked_by_key_and_by_content(masker):
    value = {
        "hostname": "web1",
        "processes": [{"name": "Jane Doe.exe", "user": "jsmith", "pid": 4}],
        "metrics": {"disk_used_percent:/home/jsmith": 91.5},
        "ok": None,
    }
    masked = masker.mask_value(value)
    assert masked == {
        "hostname": "<HOST_1>",
        "processes": [{"name": "<PERSON_1>.exe", "user": "<USERNAME_1>", "pid": 4}],
        "metrics": {"disk_used_percent:/home/<USERNAME_1>": 91.5},
        "ok": None,
    }
    assert masker.mask_value(masked) == masked


def test_hostile_values_are_refused(masker):
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    for value in (deep, {1: "x"}, object()):
        with pytest.raises(MaskingError):
            masker.mask_value(value)


def test_directory_can_change_and_ignores_system_accounts():
    masker = Masker()
    assert masker.mask("page vexholt and root").text == "page vexholt and root"
    masker.set_directory(["Page Vexholt", "root", "", "Al"], hosts=["orion"])
    assert masker.mask("page vexholt, orion, root, al").text == "<PERSON_1>, <HOST_1>, root, al"


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "A.",
        "a@",
        "CN=a,",
        "user ",
        "\\\\a\\",
        "1-",
        "AB ",
        "password: ",
        "::",
        "Jane ",
        "eyJ",
        "/home/a",
    ],
)
def test_hostile_texts_cost_linear_time(masker, unit):
    text = unit * (40_000 // len(unit))
    started = time.process_time()
    masker.mask(text)
    assert time.process_time() - started < 10


def test_long_texts_are_masked_to_the_end(masker):
    text = "ordinary line of text\n" * 5000 + "from 10.0.0.5"
    assert masker.mask(text).text.endswith("from <IP_1>")


def test_no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("masking went online")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert Masker().mask("x@example.co.uk at 10.0.0.1").text == "<EMAIL_1> at <IP_1>"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_masking_twice_changes_nothing(text):
    masker = _shared()
    once = masker.mask(text).text
    assert masker.mask(once).text == once


def _shared(cache=[]):  # noqa: B006 - one masker for all examples
    if not cache:
        cache.append(Masker(["Jane Doe"]))
    return cache[0]


@pytest.mark.parametrize("hidden", ["\ufe0f", "\u034f", "\u180b", "\u3164", "\uffa0", "\U000e0101"])
def test_what_nobody_sees_hides_no_name(hidden):
    masked = Masker(["Anna Schmidt"]).mask(f"anna{hidden} sch{hidden}midt called")
    assert masked.text == "<PERSON_1> called"


def test_a_pseudonym_that_a_text_spells_with_hidden_characters_is_not_given_again():
    masked, _ = Masker(["Bob Kowalski"]).mask_document(
        {"t": "<PERS\u200bON_1> did it", "u": "Bob Kowalski"}, {}
    )
    assert masked == {"t": "<PERSON_1> did it", "u": "<PERSON_2>"}


def test_a_great_number_that_a_text_writes_takes_none_away():
    masked = Masker(["Bob Kowalski"]).mask("<PERSON_999999> and Bob Kowalski")
    assert masked.text == "<PERSON_999999> and <PERSON_1>"


def test_thousands_of_known_originals_cost_little():
    known = {f"<EMAIL_{n}>": f"person{n}@corp.local" for n in range(1, 3001)}
    masker = Masker()
    masker.warm_up()
    began = time.process_time()
    masker.mask_many(["the printer is offline again"] * 100, known)
    assert time.process_time() - began < 3


def test_no_expression_has_a_repetition_that_formatting_has_broken():
    """In an f-string `{0,12}` is a tuple, written `(0, 12)`, which matches those characters."""
    broken = re.compile(r"\(\d+, \d*\)|\{\d*, \d*\}")
    assert [one.expression for one in PATTERNS if broken.search(one.expression)] == []
