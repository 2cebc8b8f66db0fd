# SPDX-License-Identifier: Apache-2.0
"""Identities in other characters, and values by the notation of the file that they come from."""
# ruff: noqa: E501, RUF001 - tables of cases; look-alikes are what some are about

import base64
import json
import urllib.parse
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.encoded_text import DecodedText, may_be_encoded
from guardrails.keyed_values import entity_of_key

ADDRESS = "jane.doe@corp.local"
# (as it is written, what must not be left of it)
WRITTEN = [
    # --- characters by their number or in another form
    (r"CORP\\jdoe42 is locked", "jdoe42"),
    (r"CORP\\\\jdoe42 is locked", "jdoe42"),
    (r"C:\\Users\\jdoe42\\Desktop", "jdoe42"),
    (r"CORP\u005cjdoe42 is locked", "jdoe42"),
    ("CORP&#92;jdoe42 is locked", "jdoe42"),
    (r"\u006aane.doe@corp.local", "doe"),
    (r"\x6a\x61\x6e\x65.doe@corp.local", "doe"),
    (r"\152\141\156\145.doe@corp.local", "doe"),
    ("`u{6a}ane.doe@corp.local", "doe"),
    ("&#106;ane.doe@corp.local", "doe"),
    ("&#0000106ane.doe&#64corp.local", "doe"),
    ("jane.doe&commat;corp&period;local", "doe"),
    ("%6aane.doe@corp.local", "doe"),
    ("%256aane.doe%2540corp.local", "doe"),
    ("=?utf-8?Q?jane=2Edoe=40corp=2Elocal?=", "doe"),
    ("ｊａｎｅ．ｄｏｅ＠ｃｏｒｐ．ｌｏｃａｌ", "ｄｏｅ"),
    ("ⓙⓐⓝⓔ.ⓓⓞⓔ@corp.local", "ⓓⓞⓔ"),
    ("𝓳𝓪𝓷𝓮.𝓭𝓸𝓮@corp.local", "𝓭𝓸𝓮"),
    ("🅙🅐🅝🅔.doe@corp.local", "doe"),
    ("jane.doe@corp。local", "doe"),
    ("jаnе.dое@соrр.local", "dое"),
    ("S\u20111\u20115\u201121\u20113623811015\u20113361044348\u201130300820\u20111013", "30300820"),
    ("call +1\u2011415\u2011555\u20110133", "0133"),
    # --- addresses in pieces
    ("mail jane.doe@\ncorp.local please", "doe"),
    ("mail jane.doe\n@corp.local please", "doe"),
    ("mail jane.doe@corp.\nlocal please", "local"),
    ("mail jane.do\ne@corp.local please", "jane.do"),
    ("mail j\u00adane.d\u200boe@corp.local", "oe"),
    ("mail j&shy;ane.d&#8203;oe@corp.local", "oe"),
    ("jane dot doe at corp dot local", "doe"),
    ("jane.doe AT corp.local", "doe"),
    ("jane.doe @ corp.local", "doe"),
    ("j a n e . d o e @ c o r p . l o c a l", "d o e"),
    ('"jane doe"@corp.local', "doe"),
    ("jane.doe+tag=x@corp.local", "doe"),
    ("ping 192.168.001.001 fails", "001"),
    ("10 . 20 . 30 . 40 is down", "20 . 30"),
    ("card 4111.1111.1111.1111", "1111"),
    ("jane.<b>doe</b>@corp.local", "doe"),
    ("jane.doe<!-- x -->@corp.local", "doe"),
    ("**jane.doe**@corp.local", "doe"),
    ("jane.doe -at- corp -dot- local", "doe"),
    ("10 dot 20 dot 30 dot 40", "20 dot"),
    ("\u0661\u0660.\u0662\u0660.\u0663\u0660.\u0664\u0660 is down", "\u0662\u0660"),
    ("00 : 1a : 2b : 3c : 4d : 5e", "3c"),
    (" ".join(str(ord(one)) for one in ADDRESS), "106 97"),
    # --- blocks
    (base64.b64encode(b"mail jane.doe@corp.local").decode(), "bWFpbC"),
    (base64.b64encode(base64.b64encode(b"mail jane.doe@corp.local")).decode(), "WW1Gc"),
    (base64.b64encode("net user jdoe42 S3cret!x".encode("utf-16-le")).decode(), "agBkAG8"),
    (b"jane.doe@corp.local".hex(), "6a616e65"),
    (b"jane.doe@corp.local".hex(" "), "6a 61 6e"),
    # --- YAML, TOML and their like
    ("password: |\n  blue sky\n  over all\nport: 1", "over"),
    ("db:\n  password: >-\n    blue sky\n    over all\n  port: 1", "over"),
    ("password: !vault |\n  $ANSIBLE_VAULT;1.1\n  66386439653", "66386439653"),
    ("password:\n\n    hunter2x\n", "hunter2x"),
    ("passwords:\n  - blue\n  - red\nport: 1", "red"),
    ('password = """\nblue sky\nover all"""', "over"),
    ("PASSWORD=$(cat <<EOF\nblue sky\nEOF\n)", "blue"),
    ("- name: DB_PASSWORD\n  value: blue", "blue"),
    ("password,blue\nuser,zorro", "blue"),
    ("| password | blue sky |", "blue"),
    ("password:\n```\nhunter2x\n```", "hunter2x"),
    ("__Password__: `hunter2x`", "hunter2x"),
    ("password: 'it''s blue'", "blue"),
    (r'password: "a\"blue"', "blue"),
    ("PASSWORD=blue\\\nsky", "sky"),
    ("zorro:$6$salt$abcdefghijklmnop:19000:0:", "salt"),
    ("jdbc:oracle:thin:zorro/blue@h:1521/x", "blue"),
    # --- pairs
    ('[{"key":"password","value":"blue sky"}]', "blue"),
    ('{"value":"blue","name":"api_key"}', "blue"),
    ('{"Key":"DbPassword","Value":"blue sky"}', "blue"),
    ('<add key="password" value="blue"/>', "blue"),
    ('<entry key="DB_PASSWORD">blue</entry>', "blue"),
    ("<name>password</name><value>blue</value>", "blue"),
    ("<password><![CDATA[blue sky]]></password>", "blue"),
    ('("password", "blue")', "blue"),
    ('{:password => "blue"}', "blue"),
    ("[password]=blue", "blue"),
    ('{"passwords":["blue","red"]}', "red"),
    ('{"Name":"x","Password":{"Value":"blue sky"}}', "blue"),
    (r'{\"password\":\"blue\"}', "blue"),
    (json.dumps(json.dumps({"password": "blue", "user": "CORP\\jdoe42"})), "jdoe42"),
    ("<input type=password value='blue sky'>", "blue"),
    ('{"log":"user jdoe42\\npassword: hunter2x"}', "hunter2x"),
    # --- objects about somebody
    ('{"user":{"id":4,"name":"zorro"}}', "zorro"),
    ('{"members":[{"name":"zorro"},{"name":"ytta"}]}', "ytta"),
    ("user:\n  id: 4\n  name: zorro\n", "zorro"),
    ("<owner><name>zorro</name></owner>", "zorro"),
    ("user.name = zorro", "zorro"),
    ("users:\n  - name: zorro\n  - name: ytta\n", "ytta"),
    ("[user]\nname = zorro", "zorro"),
    ('{"first_name":"zorro","last_name":"ytta"}', "ytta"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "gone"), WRITTEN)
def test_masks(masker, text, gone):
    once = masker.mask(text).text
    assert gone not in once
    assert masker.mask(once).text == once


KEPT = [
    "the update \u2014 see https://learn.microsoft.com/en-us/windows \u2026 works, 50 \u00b0C \u00bd \u2122",
    r"C:\\Windows\\System32\\drivers\\etc and \\n in a text",
    "see you at lunch.\nThe server is up at 10",
    "`fs.inotify.max_user_watches =\n   524288` and `--vacuum-size=200M`",
    "password,user,host\n",
    '{"name": "colour", "value": "blue"}',
    '{"process": {"name": "zorro"}}',
    "a b c and x - y, 1 2 3",
]


@pytest.mark.parametrize("text", KEPT)
def test_leaves(masker, text):
    assert masker.mask(text).text == text


ENCODERS = (
    urllib.parse.quote,
    lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    lambda text: "".join(f"&#{ord(one)};" for one in text),
    lambda text: "".join(f"&#x{ord(one):x};" for one in text),
    lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    lambda text: "".join(f"\\x{ord(one):02x}" if one.isascii() else one for one in text),
    lambda text: "".join(
        chr(ord(one) + 0xFEE0) if one.isascii() and one.isalnum() else one for one in text
    ),
    lambda text: text.replace("\\", "\\\\"),
)


@pytest.mark.parametrize(
    "identity",
    [ADDRESS, "CORP\\jdoe42", "10.20.30.40", "S-1-5-21-3623811015-3361044348-30300820-1013"],
)
@pytest.mark.parametrize("encoders", [(one,) for one in ENCODERS] + [*product(ENCODERS, repeat=2)])
def test_what_is_encoded_is_masked_where_it_stands(masker, identity, encoders):
    text = identity
    for encode in encoders:
        text = encode(text)
    masked = masker.mask(f"it is {text} today").text
    assert masked.startswith("it is <")
    assert masked.endswith("> today")
    assert "doe" not in masked


@given(
    st.lists(
        st.sampled_from(("%41", "&#66;", "\\u0043", "\uff24", "e", " ", "\n", "\\\\f", "&shy;")),
        max_size=12,
    )
)
def test_every_character_has_its_place(pieces):
    text = "".join(pieces)
    decoded = DecodedText(text)
    places = [decoded.find_place(place, place + 1) for place in range(len(decoded.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)
    for one, (start, end) in zip(decoded.text, places, strict=True):
        assert one in text[start:end] or (start, end) in decoded.list_changed()
    assert may_be_encoded(text) or not decoded.list_changed()


@pytest.mark.parametrize(
    "forged",
    [
        "\uff1cPERSON_1\uff1e",
        "\u2039PERSON_1\u203a",
        "&lt;PERSON_1&gt;",
        "%3CPERSON_1%3E",
        "\\u003cPERSON_1\\u003e",
    ],
)
def test_a_forged_pseudonym_is_given_to_nobody(masker, forged):
    masked = masker.mask(f"{forged} wrote to jane.doe@corp.local and Mr. Tom Becker")
    assert masked.text.endswith("<PERSON_2>")
    assert "<PERSON_1>" not in masked.originals


def test_values_of_pairs_and_of_objects_about_somebody_are_masked(masker):
    masked = masker.mask_value(
        [
            {"key": "password", "value": "blue"},
            {"name": "db_token", "values": [1, "red"]},
            {"user": {"id": "zz", "name": "zorro", "type": "local"}},
            {"owner": {"first": "Ytta", "team": "sales"}},
            {"device": {"name": "srvx", "os": "linux"}},
            {"name": "colour", "value": "blue-ish"},
            {"dbPassword": "green"},
        ]
    )
    assert masked == [
        {"key": "password", "value": "<SECRET_1>"},
        {"name": "db_token", "values": ["<SECRET_4>", "<SECRET_2>"]},
        {"user": {"id": "<USERNAME_1>", "name": "<PERSON_1>", "type": "local"}},
        {"owner": {"first": "<PERSON_2>", "team": "sales"}},
        {"device": {"name": "<HOST_1>", "os": "linux"}},
        {"name": "colour", "value": "blue-ish"},
        {"dbPassword": "<SECRET_3>"},
    ]


def test_keys_that_end_with_what_they_are():
    assert entity_of_key("dbPassword") == "SECRET"
    assert entity_of_key("client_hostname") == "HOST"
    assert entity_of_key("password_policy") is None
