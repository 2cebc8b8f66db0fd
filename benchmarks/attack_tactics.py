# SPDX-License-Identifier: Apache-2.0
"""Which ATT&CK techniques only look around or gather: all of their tactics are of these two.

Facts of MITRE ATT&CK for Enterprise: identifiers and the tactics they are filed under. A
sub-technique inherits. A technique that is also filed elsewhere (T1040 is Credential Access too,
T1056, T1557 and T1497 likewise) counts as more than looking, and so does an unknown identifier.
"""
# ruff: noqa: E501, SIM905 - tables

from typing import Final

DISCOVERY: Final = frozenset(
    "T1007 T1010 T1012 T1016 T1018 T1033 T1046 T1049 T1057 T1069 T1082 T1083 T1087 T1120 T1124 T1135"
    " T1201 T1217 T1482 T1518 T1526 T1538 T1580 T1613 T1614 T1615 T1619 T1652 T1654 T1673 T1680".split()
)
COLLECTION: Final = frozenset(
    "T1005 T1025 T1039 T1074 T1113 T1114 T1115 T1119 T1123 T1125 T1185 T1213 T1530 T1560 T1602".split()
)
_ONLY_LOOKING: Final = DISCOVERY | COLLECTION


def only_looks_or_gathers(technique: str) -> bool:
    """Say whether a technique (T1087.002) is of Discovery or Collection alone."""
    return technique.partition(".")[0].strip().upper() in _ONLY_LOOKING
