# SPDX-License-Identifier: Apache-2.0
"""Which roles decide on what. Pure.

An administrator gives roles to accounts and so has none of these by it: who runs the
product does not decide what it may do (separation of duties).
"""

from collections.abc import Set as AbstractSet
from typing import Final

from governance.errors import RoleMissingError

APPROVING_ROLES: Final = frozenset({"approver"})  # of proposals
DECIDING_ROLES: Final = frozenset({"approver", "security_reviewer"})  # on scripts and policies
REVIEWING_ROLES: Final = frozenset({"security_reviewer"})  # grave scripts, originals, risks


def require_role(roles: AbstractSet[str], allowed: AbstractSet[str]) -> None:
    """Check that a person has one of the roles.

    Raises:
        RoleMissingError: they have none of them.
    """
    if not roles & allowed:
        words = " or ".join(role.replace("_", " ") for role in sorted(allowed))
        raise RoleMissingError(f"this needs the role {words}")
