# SPDX-License-Identifier: Apache-2.0
"""Texts that nobody writes and that cost an expression most: one shape repeated to any length."""

# ruff: noqa: E501 - tables of pieces

import json
import random
from collections.abc import Callable
from typing import Final


def _repeat(piece: str) -> Callable[[int], str]:
    return lambda length: (piece * (length // len(piece) + 1))[:length]


def _random(alphabet: str, seed: int = 5) -> Callable[[int], str]:
    return lambda length: "".join(random.Random(seed).choices(alphabet, k=length))


def _nest(opening: str, closing: str) -> Callable[[int], str]:
    def build(length: int) -> str:
        depth = length // (len(opening) + len(closing))
        return opening * depth + closing * depth

    return build


def _number(template: str) -> Callable[[int], str]:
    """Return a shape whose every piece is another one, so that nothing can be remembered."""

    def build(length: int) -> str:
        pieces: list[str] = []
        size = 0
        while size < length:
            pieces.append(template.replace("{}", str(len(pieces))))
            size += len(pieces[-1])
        return "".join(pieces)[:length]

    return build


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_BASE64: Final = _LETTERS.upper() + _LETTERS + "0123456789+/"
SHAPES: Final[dict[str, Callable[[int], str]]] = {
    # --- one character
    **{
        f"only {name}": _repeat(character)
        for name, character in {
            "a": "a", "A": "A", "e acute": "\u00e9", "han": "\u5f20", "cyrillic": "\u0416",
            "digits": "7", "backslashes": "\\", "slashes": "/", "dots": ".", "hyphens": "-",
            "underscores": "_", "less-thans": "<", "greater-thans": ">", "ats": "@",
            "colons": ":", "semicolons": ";", "commas": ",", "equals": "=", "percents": "%",
            "ampersands": "&", "hashes": "#", "stars": "*", "pipes": "|", "quotes": '"',
            "apostrophes": "'", "spaces": " ", "tabs": "\t", "newlines": "\n",
            "parentheses": "(", "brackets": "[", "braces": "{", "pluses": "+", "dollars": "$",
            "fullwidth": "\uff41", "combining": "\u0301",
        }.items()
    },
    # --- two or three by turns
    **{
        f"turns of {piece!r}": _repeat(piece)
        for piece in (
            "a.", "a-", "a_", "a@", "a:", "a/", "a\\", "\\\\a", "1.", "1-", "1:", "1 ", "1 1-",
            "1,", "1a", "aB", "A1", "a1-", "A-1", "f:", "0:", "00:", "ab:", "ff-", "00 ", "A B ",
            "A. ", "A.", "a, ", "a b ", "ab ", "Ab", "Ab ", "Ab-", "Ab'", "Ab, ", "AB ", "(a", "[a]",
            "<a>", "</", "{}", "()", "[]", "''", '""', "'a", '"a"', "a=", "a= ", "=\n", "=4",
            "%61", "%", "&a;", "&#97;", "\\u0061", "\\n", " \n", "\n\t", "\n\n ", "a\n", "A\n",
            "1\n", "a\t", "a|", "|a|\n", "a;b\n", "a,b\n", "- ", "--", "--a ", "-a b ", "$a", "${a}",
            "@a ", "#1 ", "+1", "+1 ", "(1)", "1/1/", "1.1.1.1 ", "::1 ", "www.", "a.b@", "x@y.z ",
            "://", "a://", "!a1A", "!1", "~", "* ", ">> ", "> ", "\u200b", "a\u00ad",
        )
    },
    # --- words and labels again and again
    **{
        f"words {piece!r}": _repeat(piece)
        for piece in (
            "password ", "password", "password: ", "password is ", "pass=", "key=", "key=a1B2 ",
            "key=value&", "user ", "user: ", "user is ", "username is the ", "user=a, ",
            "account for ", "host ", "server ", "server on ", "ping ", "on ", "as ", "for ", "of ",
            "login as ", "the ", "is ", "is it ", "was the ", "Mr. ", "Mr", "Dear ", "Hi ", "from ",
            "to ", "From: ", "Street ", "Main Street ", "12 Main Street, ", "Suite 4 ", "PO Box ",
            "address ", "address: ", "ship to ", "born ", "date of birth ", "dob 1 ", "ext ", "ext. ",
            "tel ", "call me at ", "serial ", "asset tag ", "the sticker says ", "pin ", "combo ",
            "lock ", "ssid ", "wifi ", "network ", "iban ", "DE ", "IBAN DE00 ", "token ", "bearer ",
            "Bearer a", "eyJ", "eyJa.", "AKIA", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----\n",
            "CN=a,", "CN=", "DC=", "\\\\a\\", "//a/", "C:\\Users\\", "/home/", "/home/a/", "http://",
            "http://a", "https://a@", "mailto:", "<PERSON_1> ", "<PERSON_1>", "<PERSON_", "KB500",
            "event id 1 ", "version 1.", "0x", "S-1-5-21-", "S-1-", "Anna ", "anna ", "Anna Schmidt ",
            "Schmidt, ", "de la ", "van ", "Van Der ", "thanks ", "Thanks,\n", "Regards,\nA", "jan ",
            "1 jan ", "Jan 1, ", "(Anna ", "Anna (1", "root ", "sudo ", "net use ", "net user ",
            "curl -u ", "-p ", "--password ", "export A=", "SET ", "name ", "Name: ", "name;", "id ",
            "said ", "wrote:\n> ", "RE: ", "INC1 | ", "[10:02] ", "[10:02] a: ", "00:00:00 ",
            "2024-01-01T00:00:00Z ", "ESSID:", "inet ", "group ", "domain ", "Account Name:\t",
            "Account Name:\n", "a1b2c3d4e5f6 ", "A1B2C3D4E5F6", "DESKTOP-", "DESKTOP-A1 ", "LT-", "x1234 ",
            "[at] ", "(at)a", " dot ", "combination ", "\U0001f600", "\u0645", "\u05d0 ", "\u5f20 ", "\u0416 ",
        )
    },
    # --- each another one
    **{
        f"numbered {piece!r}": _number(piece)
        for piece in (
            "word{} ", "Word{} ", "w{}@a.com ", "h-{}.corp.local ", "key{}=v{}&", "10.0.{}.1 ",
            "password: p{}x!\n", "user u{}x ", "Name{} Other{}, ", "{},", "{} ", "{}-", "n{}\n",
            "C:\\Users\\u{}\\", "http://h{}/", "<tag{}>", '{"k{}":', "SRV-{}\n", "a{}|b{}\n",
        )
    },
    # --- by chance
    "random letters": _random(_LETTERS),
    "random words": _random(_LETTERS + "    "),
    "random capital words": _random(_LETTERS.upper() + "   "),
    "random base64": _random(_BASE64),
    "random hexadecimal": _random("0123456789abcdef"),
    "random digits": _random("0123456789"),
    "random digits apart": _random("0123456789 -."),
    "random marks": _random("!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "random printable": _random("".join(map(chr, range(32, 127)))),
    "random lines": _random(_LETTERS + "  \n"),
    "random address marks": _random("aA1@.:/\\-_ "),
    "random unicode": _random("".join(map(chr, range(160, 1600)))),
    # --- nested
    "nested brackets": _nest("[", "]"),
    "nested objects": _nest('{"a":', "}"),
    "nested parentheses": _nest("(a ", ")"),
    "nested tags": _nest("<a>", "</a>"),
    "escaped JSON": lambda length: json.dumps(
        json.dumps(json.dumps([{"user": f"u{n}", "password": "a\\b"} for n in range(length // 60)]))
    )[:length],
    # --- two halves
    "digits after letters": lambda length: "a" * (length // 2) + "1" * (length // 2),
    "newline after one word": lambda length: "a" * (length - 9) + "\npassword",
    "one word between spaces": lambda length: " " + "Ab1!" * (length // 4) + " ",
}  # fmt: skip
