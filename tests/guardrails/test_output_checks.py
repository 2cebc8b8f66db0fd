# SPDX-License-Identifier: Apache-2.0
"""A language model's sentence is legible, short, in an expected language, without foreign ids."""

import pytest

from guardrails.output_checks import (
    MAX_SENTENCE_CHARACTERS,
    OutputFault,
    find_fault,
    find_language_fault,
)

KNOWN = {"linux-clear-temporary-files", "disk_full"}
GERMAN = (
    "Das Laufwerk ist voll, deshalb kann niemand mehr Dateien speichern und das Programm bricht ab."
)
ENGLISH = "The disk is full, so nobody can save files any more and the program stops with an error."


@pytest.mark.parametrize(
    "sentence",
    [
        "The disk is full because old log files were never removed.",
        "Use linux-clear-temporary-files, which serves disk_full.",
        "Restart the service after 30 seconds, not before (see step 2).",
        "Größere Dateien gehören nicht in den Ordner.",
        "The read\u2010only disk of OneDrive and BitLocker is full… see resolv.conf.",
        "Версия 2.1.3 занимает весь диск, and 10.0.19045.3803 does not.",
    ],
)
def test_plain_sentences_pass(sentence):
    assert find_fault(sentence, known_ids=KNOWN) is None


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("", OutputFault.ILLEGIBLE),
        ("12 34 56 78", OutputFault.ILLEGIBLE),
        ("The disk\nis full of files", OutputFault.ILLEGIBLE),
        ("The disk is full\u202e of files", OutputFault.ILLEGIBLE),
        ("The disk is \x1b[31mfull of files", OutputFault.ILLEGIBLE),
        ("The disk \u200bis full of files", OutputFault.ILLEGIBLE),
        ("The disk \ud800is full of files", OutputFault.ILLEGIBLE),
        ("The <b>disk</b> is full of files", OutputFault.MARKUP),
        ("The disk is full, see [this](javascript:x) page", OutputFault.MARKUP),
        ("The disk is full, see https://evil.example now", OutputFault.MARKUP),
        ("The disk is full, run `rm -rf /` on it", OutputFault.MARKUP),
        ("The disk is full, run $(reboot) on it", OutputFault.MARKUP),
        ("The disk &#105;s full of old files", OutputFault.MARKUP),
        ("# The disk is full of old files", OutputFault.MARKUP),
        ("The disk is full, write to eve@evil.example now", OutputFault.MARKUP),
        ("{{ config }} the disk is full of files", OutputFault.MARKUP),
        ("Use linux-format-everything on this disk", OutputFault.FOREIGN_ID),
        ("This is a case of everything_fine again", OutputFault.FOREIGN_ID),
        ("Use linux\u2010format\u2010everything on this disk", OutputFault.FOREIGN_ID),
        ("Use linux\u2212format\uff0deverything on this disk", OutputFault.FOREIGN_ID),
        ("Use \U0001d425\U0001d422nux-format-everything on this disk", OutputFault.FOREIGN_ID),
        ("Use windows.disable.firewall on this disk", OutputFault.FOREIGN_ID),
        ("Use WindowsDisableFirewall on this disk", OutputFault.FOREIGN_ID),
        ("Use linux-format-everyth\u0456ng on this disk", OutputFault.ILLEGIBLE),
        ("The \uff1cb\uff1edisk is full of files", OutputFault.MARKUP),
        ("The disk is full, write to eve\uff20evil.example now", OutputFault.MARKUP),
        ("The disk is full, see evil.example/path now", OutputFault.MARKUP),
        ("The disk is full, see mailto:eve for more", OutputFault.MARKUP),
        ("=HYPERLINK(A1) the disk is full of files", OutputFault.MARKUP),
        ("word " * MAX_SENTENCE_CHARACTERS, OutputFault.TOO_LONG),
    ],
)
def test_everything_else_is_a_fault(sentence, fault):
    assert find_fault(sentence, known_ids=KNOWN) is fault


def test_the_language_is_english_or_a_sources():
    assert find_language_fault([ENGLISH], [GERMAN]) is None
    assert find_language_fault([GERMAN], [GERMAN]) is None
    assert find_language_fault([GERMAN], [ENGLISH]) is OutputFault.WRONG_LANGUAGE
    assert find_language_fault(["Одобрение не требуется, изменение согласовано."], [ENGLISH]) is (
        OutputFault.WRONG_LANGUAGE
    )
    assert find_language_fault(["Ja, klar."], [ENGLISH]) is None  # too short to tell
