# SPDX-License-Identifier: Apache-2.0
"""Masking of objects whose keys say what their values are, and of what only looks like ours."""

import pytest

from guardrails.encoded_text import DecodedText
from guardrails.identifier_patterns import PATTERNS
from guardrails.name_samples import ENTITIES as NAME_ENTITIES
from guardrails.pattern_parts import ENTITIES, PSEUDONYM
from guardrails.recognisers import build_analyser


def test_lists_and_objects_under_secret_keys_are_masked_whole(masker):
    value = {
        "passwords": ["blue", "a1b2c3"],
        "clientSecret": {"value": "plainword", "expires_in": 3600, "rotated": True},
        "users": ["jdoe42", "x"],
        "Serial-Number": "42",
    }
    assert masker.mask_value(value) == {
        "passwords": ["<SECRET_1>", "<SECRET_2>"],
        "clientSecret": {"value": "<SECRET_3>", "expires_in": "<SECRET_4>", "rotated": True},
        "users": ["<USERNAME_1>", "<USERNAME_2>"],
        "Serial-Number": "<SERIAL_1>",
    }


def test_a_value_under_a_key_is_masked_wherever_it_stands_again(masker):
    masked, originals = masker.mask_document(
        {"log": "kremlin9 went down, Kremlin9 is up", "device": {"hostName": "kremlin9"}}
    )
    assert masked == {
        "log": "<HOST_1> went down, <HOST_1> is up",
        "device": {"hostName": "<HOST_1>"},
    }
    assert originals == {"<HOST_1>": "kremlin9"}


def test_a_word_under_a_key_is_not_masked_elsewhere(masker):
    masked = masker.mask_value({"user": "printer", "note": "the printer is off"})
    assert masked == {"user": "<USERNAME_1>", "note": "the printer is off"}


def test_keys_that_become_one_pseudonym_keep_their_values(masker):
    masked = masker.mask_value({"Anna Schmidt": 1, "Schmidt, Anna": 2, "ok": 3})
    assert masked == {"<PERSON_1>": 1, "<PERSON_1> (2)": 2, "ok": 3}


def test_objects_masked_twice_are_masked_once(masker):
    value = {"tokens": ["q1w2e3"], "user": {"displayName": "Priya Raman"}, "t": "jane%40corp.local"}
    once = masker.mask_value(value)
    assert masker.mask_value(once) == once


def test_only_our_own_entities_make_a_pseudonym(masker):
    assert not PSEUDONYM.search("<FOO_1> <NAME_2> <PERSON_X> <person_1>")
    masked = masker.mask("<FOO_1> wrote to <PERSON_4>")
    assert masked.text == "<FOO_1> wrote to <PERSON_4>"
    assert masked.originals == {}  # whoever types one claims nobody


def test_a_typed_pseudonym_is_given_to_nobody_else(masker):
    masked = masker.mask("<PERSON_1> met Priya Raman")
    assert masked.text == "<PERSON_1> met <PERSON_2>"
    assert masked.originals == {"<PERSON_2>": "Priya Raman"}


def test_every_entity_that_is_found_makes_a_pseudonym():
    found = {pattern.entity for pattern in PATTERNS} | set(NAME_ENTITIES)
    for recogniser in build_analyser().registry.recognizers:
        found |= set(recogniser.supported_entities)
    assert found <= set(ENTITIES)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a%40b", "a@b"),
        ("J%C3%BCrgen", "Jürgen"),
        ("J%FCrgen", "Jürgen"),
        ("a&#x40;b &amp; c", "a@b & c"),
        ("a[at]b[.]c", "a@b.c"),
        ("J=C3=BCr=\ngen", "Jürgen"),
        ("port=33 of 100% & more", "port=33 of 100% & more"),
        ("%00%zz", "%00%zz"),
    ],
)
def test_decodes(text, meant):
    decoded = DecodedText(text)
    assert decoded.text == meant
    assert decoded.find_place(0, len(meant)) == (0, len(text))
