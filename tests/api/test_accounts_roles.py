# SPDX-License-Identifier: Apache-2.0
"""What an account's roles allow."""

from datetime import UTC, datetime

import pytest

from api.accounts import Person, Role
from api.errors import ForbiddenError
from governance.roles import DECIDING_ROLES


def person(*roles: Role) -> Person:
    return Person(
        username="sam",
        display_name="Sam",
        roles=frozenset(role.value for role in roles),
        csrf_token="t",
        authenticated_at=datetime(2026, 11, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize("role", list(Role))
def test_each_role_suffices_where_it_is_asked_for(role):
    person(role).require(role)
    others = set(Role) - {role, Role.ADMIN}
    with pytest.raises(ForbiddenError, match=role.value.replace("_", " ")):
        person(*others).require(role)


@pytest.mark.parametrize(
    "asked", [(Role.AUDITOR,), (Role.AUDITOR, Role.APPROVER), (Role.HELPDESK,)]
)
def test_an_admin_counts_as_any_role_that_decides_nothing(asked):
    person(Role.ADMIN).require(*asked)


@pytest.mark.parametrize(
    "asked",
    [(Role.APPROVER,), (Role.SECURITY_REVIEWER,), (Role.APPROVER, Role.SECURITY_REVIEWER)],
)
def test_an_admin_decides_nothing_by_being_one(asked):
    with pytest.raises(ForbiddenError, match=r"^this needs the role (?!admin)"):
        person(Role.ADMIN).require(*asked)
    assert {role.value for role in asked} <= DECIDING_ROLES
    person(Role.ADMIN, asked[-1]).require(*asked)


@pytest.mark.parametrize("roles", [(Role.ADMIN,), (Role.HELPDESK, Role.AUDITOR), ()])
def test_nobody_but_an_approver_counts_as_one(roles):
    with pytest.raises(ForbiddenError, match=r"needs the role approver$"):
        person(*roles).require(Role.APPROVER)
