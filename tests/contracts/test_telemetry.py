# SPDX-License-Identifier: Apache-2.0
"""What an identifier may look like."""

import msgspec
import pytest

from contracts.telemetry import Identifier, OsFamily


@pytest.mark.parametrize("text", ["a", "dev_01m8", "A.b:c@d-e", "a" * 128])
def test_identifiers(text):
    assert msgspec.convert(text, Identifier) == text


@pytest.mark.parametrize("text", ["", "a\n", "\na", "a b", "-a", "ä", "a\x00", "a" * 129])
def test_what_is_no_identifier(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Identifier)


def test_an_operating_system_ends_with_its_name():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert("linux\n", OsFamily)
