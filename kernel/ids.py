# SPDX-License-Identifier: Apache-2.0
"""Identifiers: a prefix that names the kind, and 26 characters that sort by time of creation.

The layout is the one of ULID (https://github.com/ulid/spec): 48 bits of milliseconds and 80
random bits in Crockford's base32, here in lower case.
"""

import secrets
from typing import Protocol

from kernel.clock import Clock, SystemClock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
_RANDOM_BITS = 80


class IdSource(Protocol):
    """Makes identifiers."""

    def new(self, prefix: str) -> str:
        """Return an identifier that was never returned before, such as `inc_01h...`."""
        ...


class RandomIds:
    """Identifiers that no two machines share."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()

    def new(self, prefix: str) -> str:
        """Return prefix, underscore and 26 base32 characters."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        number = (milliseconds << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
        digits = [_ALPHABET[(number >> (5 * place)) & 31] for place in range(_LENGTH)]
        return f"{prefix}_{''.join(reversed(digits))}"
