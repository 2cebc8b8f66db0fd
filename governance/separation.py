# SPDX-License-Identifier: Apache-2.0
"""When two names mean the same person. Pure."""

import unicodedata

_PREFIX = "user:"


def _normal(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    return folded.removeprefix(_PREFIX).strip()


def same_person(name: str, *others: str) -> bool:
    """Tell whether a name equals one of the others but for case, width, spaces, and `user:`."""
    return _normal(name) in {_normal(other) for other in others}
