# SPDX-License-Identifier: Apache-2.0
"""Erases people (GDPR article 17, DPDP): destroys the keys of the originals that name them.

Incidents, proposals, bundles and the log hold pseudonyms alone, so every proof stays valid. A key
is an incident's, hence the other originals of that incident go with it. The person is taken out of
the directory and out of the reports of their devices; masking forgets them with its next whole
reading of the directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from guardrails.errors import SubjectShreddedError, VaultError
from guardrails.person_names import may_be_same, name_key
from guardrails.ports import PeopleInventory
from guardrails.vault import QUERIES, Vault
from kernel.audit import AuditIntake
from kernel.database import Connection

_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What erasing a person took away."""

    incident_ids: tuple[str, ...]
    was_known: bool  # in the directory


async def erase_incident(
    connection: Connection,
    vault: Vault,
    audit: AuditIntake,
    incident_id: str,
    *,
    actor: str,
    correlation_id: str,
    reason: str,
) -> None:
    """Destroy the originals of an incident for good, with the audit event.

    Args:
        connection: the caller owns its transaction.
        vault: of originals.
        audit: told.
        incident_id: whose.
        actor: who erases.
        correlation_id: of the deed.
        reason: masked; kept.

    """
    await vault.shred(connection, incident_id)
    await audit.record(
        connection,
        actor=actor,
        action="vault.erased",
        subject_kind="incident",
        subject_id=incident_id,
        correlation_id=correlation_id,
        after={"reason": reason},
    )


async def find_incidents_of(
    connection: Connection, vault: Vault, user_id: str, other_names: tuple[str, ...] = ()
) -> list[str]:
    """Return the incidents whose originals name a person of the directory.

    Args:
        connection: any.
        vault: decrypted in memory; nothing of it leaves this function.
        user_id: the person's; their names come from the directory.
        other_names: how they are called beside that.

    """
    row = await (await connection.execute(QUERIES["find_user"], {"user_id": user_id})).fetchone()
    named = [row["display_name"], row["upn"]] if row else []
    wanted = {name.casefold() for name in (user_id, *named, *other_names) if name}
    found: list[str] = []
    after = ""
    while True:
        cursor = await connection.execute(
            QUERIES["list_subjects"], {"after": after, "limit": _PAGE}
        )
        subjects = [str(one["subject_id"]) for one in await cursor.fetchall()]
        if not subjects:
            return found
        after = subjects[-1]
        for subject_id in subjects:
            try:
                originals = await vault.reveal(connection, subject_id)
            except SubjectShreddedError:
                continue
            if _names(originals, wanted):
                found.append(subject_id)


async def erase_person(
    connection: Connection,
    vault: Vault,
    people: PeopleInventory,
    audit: AuditIntake,
    user_id: str,
    *,
    other_names: tuple[str, ...] = (),
    actor: str,
    correlation_id: str,
    reason: str,
) -> Erasure:
    """Erase a person: the originals of all incidents that name them, and their inventory rows.

    The audit events name incidents, never the person.

    Raises:
        VaultError: nothing names such a person.
    """
    incident_ids = await find_incidents_of(connection, vault, user_id, other_names)
    for incident_id in incident_ids:
        await erase_incident(
            connection, vault, audit, incident_id,
            actor=actor, correlation_id=correlation_id, reason=reason,
        )  # fmt: skip
    await connection.execute(QUERIES["delete_stated_names"], {"names": list(other_names)})
    was_known = await people.forget_person(connection, user_id)
    if not incident_ids and not was_known:
        raise VaultError(await _explain_unknown(connection, user_id))
    await audit.record(
        connection,
        actor=actor,
        action="person.erased",
        subject_kind="person",
        subject_id=correlation_id,  # their own id would be what is to be forgotten
        correlation_id=correlation_id,
        after={"n_incidents": len(incident_ids), "was_known": was_known, "reason": reason},
    )
    return Erasure(incident_ids=tuple(incident_ids), was_known=was_known)


async def _explain_unknown(connection: Connection, user_id: str) -> str:
    """Return what to look up, and where; whoever reads it may erase people."""
    rows = await (await connection.execute(QUERIES["find_user_ids"], {"name": user_id})).fetchall()
    if rows:
        known = ", ".join(str(row["user_id"]) for row in rows)
        return f"{user_id} is no user id, but how the directory calls {known}: erase that user id"
    return (
        f"nothing names such a person: {user_id} is no user id of the directory, and stands in no"
        " original. Look up the user id: the login name that their device reports, or the column"
        " user_id of the file that `eucora privacy import` read. Whoever is in neither is found by"
        " their names: give each with --also"
    )


def _names(originals: Mapping[str, str], wanted: set[str]) -> bool:
    for pseudonym, original in originals.items():
        folded = original.casefold()
        if folded in wanted or folded.rpartition("\\")[2] in wanted:
            return True
        if pseudonym.startswith("<PERSON_") and any(
            len(key := name_key(name)) > 1 and may_be_same(key, name_key(original))
            for name in wanted
        ):
            return True
    return False
