# SPDX-License-Identifier: Apache-2.0
"""When two names mean the same person. Pure."""

from kernel.person import normalise_person


def same_person(name: str, *others: str) -> bool:
    """Tell whether a name equals one of the others but for case, width, spaces, `user:`, `cli:`."""
    return normalise_person(name) in {normalise_person(other) for other in others}
