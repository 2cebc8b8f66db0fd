# SPDX-License-Identifier: Apache-2.0
"""Who may read which documents: the groups that a reader belongs to.

A document without groups is for all who may log in. Accounts have roles and a name, so a document
may be given to `helpdesk` or to `user:NAME`; services are `service:NAME`. Administrators see all.
Curators know of the sources whose documents they may read, and of those that they made.
"""

from collections.abc import Collection, Sequence

from api.accounts import Person, Role
from retrieval.facets import ANY
from retrieval.sources import Admits

Groups = tuple[str, ...] | None  # None: sees all


def reader_groups(person: Person) -> Groups:
    """Return the groups of a person: the roles, and the person alone."""
    if Role.ADMIN.value in person.roles:
        return None
    return (*sorted(person.roles), person.actor)


def service_groups(actor: str) -> Groups:
    """Return the groups of a service: itself alone."""
    return (actor,)


def may_read(groups: Groups, *access_groups: Collection[str]) -> bool:
    """Tell whether a reader may read what is given to each of these sets of groups."""
    if groups is None:
        return True
    own = {*groups, ANY}
    return all(not given or not own.isdisjoint(given) for given in access_groups)


def list_groups(groups: Groups) -> Sequence[str] | None:
    """Return the groups as queries ask for them."""
    return None if groups is None else [*groups, ANY]


def admit_person(person: Person) -> Admits:
    """Return which sources a person may know of."""
    return _admit(reader_groups(person), person.actor)


def admit_service(actor: str) -> Admits:
    """Return which sources a service may know of."""
    return _admit(service_groups(actor), actor)


def _admit(groups: Groups, actor: str) -> Admits:
    return lambda source: source.created_by == actor or may_read(groups, source.access_groups)
