# SPDX-License-Identifier: Apache-2.0
"""Who a person is, however they came in: one normal form of the names of actors. Pure.

One person signs in at the portal as `user:ada` and types commands as `cli:ada`. Services, devices
and the system keep their prefix: a service that is called like a person is not that person.
"""

import unicodedata

PREFIXES = ("user:", "cli:")


def normalise_person(actor: str) -> str:
    """Return the name that all spellings of one person have in common.

    What differs in case, width (NFKC), spaces around, `user:` and `cli:` is the same. Empty where
    nobody is named.
    """
    folded = unicodedata.normalize("NFKC", actor).strip().casefold()
    for prefix in PREFIXES:
        if folded.startswith(prefix):
            return folded.removeprefix(prefix).strip()
    return folded


def is_person(actor: str) -> bool:
    """Whether an actor is somebody at the portal or the command line: no service, no device."""
    name = normalise_person(actor)
    return name != "" and ":" not in name


def is_same_person(actor: str, *others: str) -> bool:
    """Whether an actor is one of the others, however spelled; two who are not named may be one."""
    return normalise_person(actor) in {normalise_person(other) for other in others}
