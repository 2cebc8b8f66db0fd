# SPDX-License-Identifier: Apache-2.0
"""Exact signals: one form for each thing, whatever way people write it."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.signals import MAX_SIGNALS, list_signals


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x80070005", "code:0x80070005"),
        ("0X80070005", "code:0x80070005"),
        ("failed (-2147024891)", "code:0x80070005"),
        ("HRESULT 0x00000005", "code:0x5"),
        ("KB5034441", "kb:5034441"),
        ("kb 5034441", "kb:5034441"),
        ("KB-5034441", "kb:5034441"),
        ("cve-2021-34527", "cve:2021-34527"),
        ("Event ID 7031", "event:7031"),
        ("event id: 07031", "event:7031"),
        ("events 7031", "event:7031"),
        ("exit code 1603", "number:1603"),
        ("error 1603", "number:1603"),
        ("returned code=1603", "number:1603"),
        ("550 5.7.1 rejected", "mail:5.7.1"),
        ("INACCESSIBLE_BOOT_DEVICE", "constant:inaccessible_boot_device"),
        ("npm ERR EACCES", "constant:eacces"),
        ("ntdll.DLL", "file:ntdll.dll"),
        ("version 10.0.19045", "version:10.0.19045"),
        ("v2.4", "version:2.4"),
    ],
)
def test_canonical_form(text, expected):
    assert expected in list_signals(text)


@pytest.mark.parametrize(
    "text", ["", "the printer is out of paper", "call 555 1234", "0x12", "EUREKA!", "event"]
)
def test_what_is_no_code(text):
    assert [one for one in list_signals(text) if not one.startswith("constant:")] == []


@given(st.integers(2**31, 2**32 - 1))
def test_all_ways_to_write_a_result_code_meet(code):
    written = [f"0x{code:x}", f"0X{code:X}", f"0x{code:08x}"]
    if code - 2**32 <= -2_000_000_000:
        written.append(f"error {code - 2**32}")
    assert len({list_signals(text)[0] for text in written}) == 1


@given(st.text(max_size=400))
@settings(deadline=None)
def test_any_text_can_be_read(text):
    signals = list_signals(text)
    assert len(signals) == len(set(signals)) <= MAX_SIGNALS
    assert all(one.partition(":")[2] for one in signals)


@given(st.text(string.ascii_letters + string.digits + " .-_x:", max_size=200))
@settings(deadline=None)
def test_case_of_hexadecimal_and_files_does_not_matter(text):
    def exact(written):
        return {one for one in list_signals(written) if one.startswith(("code:", "file:", "kb:"))}

    assert exact(text.upper()) == exact(text.lower())


def test_there_are_never_too_many():
    assert len(list_signals(" ".join(f"KB{number}" for number in range(100_000, 100_200)))) == 64
