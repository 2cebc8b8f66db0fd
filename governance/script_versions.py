# SPDX-License-Identifier: Apache-2.0
"""Script versions as governance sees them: stored, signed, decided on; and whether all agree.

The rows of the catalogue can be changed by whoever can write to the database. A version is used
only where its bytes, its digest, its signed entry and the sealed decision that put it in force say
the same, and where that decision is the last one that the audit log has: an older decision was true
once, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from contracts.canonical import CanonicalFormError, digest_of, sha256_hex
from evidence.audit import AuditSubject, find_newest
from evidence.bundles import OpenedBundle, read_case
from evidence.errors import EvidenceError, LogTamperedError
from evidence.statement import StatementKind
from governance.errors import ScriptEntryError, ScriptVersionNotFoundError
from kernel.audit import LOG_DIFFERENCES
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "script_versions")
PREVIOUS = "previous_decision_id"  # in a sealed decision: the one before on the same script
ENTRY_TYPE = "application/vnd.eucora.script-entry.v1+json"  # of the signed catalogue entry


class ScriptStatus(StrEnum):
    """Where a version stands; one version of a script at most is active, that is in force."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    SUPERSEDED = "superseded"  # another version came after it; approved jobs may still run
    REJECTED = "rejected"
    RETIRED = "retired"


class ScriptVerdict(StrEnum):
    """What can be decided on a version. Releases ship theirs, people do the rest."""

    SHIP = "ship"
    APPROVE = "approve"
    ROLL_BACK = "roll_back"
    REJECT = "reject"
    RETIRE = "retire"


DONE = {
    ScriptVerdict.APPROVE: "approved",
    ScriptVerdict.ROLL_BACK: "rolled_back",
    ScriptVerdict.REJECT: "rejected",
    ScriptVerdict.RETIRE: "retired",
    ScriptVerdict.SHIP: "shipped",
}
ACTIONS = {verdict: f"script.{word}" for verdict, word in DONE.items()}  # of audit events
IN_FORCE_BY = frozenset({ScriptVerdict.SHIP, ScriptVerdict.APPROVE, ScriptVerdict.ROLL_BACK})
USABLE = frozenset({ScriptStatus.ACTIVE, ScriptStatus.SUPERSEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptVersion:
    """A stored version; `entry` is its signed envelope, `contents` the bytes by step.

    `imported_for` is who made the token of a service that imported it; "" where a person did.
    """

    script_id: str
    version: str
    title: str
    author: str
    platforms: tuple[str, ...]
    interpreter: str
    failure_classes: tuple[str, ...]
    manifest: Mapping[str, Any]
    analysis: Mapping[str, Any]
    quality: Mapping[str, Any]
    content_sha256: str
    status: ScriptStatus
    imported_by: str
    imported_for: str
    imported_at: datetime
    entry: bytes | None
    contents: Mapping[str, bytes]
    stated_sha256: Mapping[str, str]

    @property
    def label(self) -> str:
        """Id and version, as audit events name it."""
        return f"{self.script_id}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptDecision:
    """One decision on one version; `bundle_digest` is of the sealed statement."""

    decision_id: str
    script_id: str
    version: str
    content_sha256: str
    decision: ScriptVerdict
    actor: str
    reason: str
    bundle_digest: str
    created_at: datetime

    @property
    def label(self) -> str:
        """Id and version, as audit events name it."""
        return f"{self.script_id}@{self.version}"


class EntryOpener(Protocol):
    """Opens what this installation has signed."""

    def open_document(self, payload_type: str, envelope: bytes) -> dict[str, Any]:
        """Return a signed document of this type."""
        ...

    async def open(self, connection: Connection, digest: str) -> OpenedBundle:
        """Return a sealed statement with its files, verified."""
        ...


async def find_version(connection: Connection, script_id: str, version: str) -> ScriptVersion:
    """Return a version with its bytes.

    Raises:
        ScriptVersionNotFoundError: there is none.
    """
    key = {"script_id": script_id, "version": version}
    row = await (await connection.execute(QUERIES["find_version"], key)).fetchone()
    if row is None:
        raise ScriptVersionNotFoundError(script_id, version)
    files = await (await connection.execute(QUERIES["list_files"], key)).fetchall()
    return ScriptVersion(
        **{
            **row,
            "platforms": tuple(row["platforms"]),
            "failure_classes": tuple(row["failure_classes"]),
            "status": ScriptStatus(row["status"]),
            "entry": None if row["entry"] is None else bytes(row["entry"]),
            "contents": {file["step"]: bytes(file["content"]) for file in files},
            "stated_sha256": {file["step"]: file["sha256"] for file in files},
        }
    )


async def find_in_force(connection: Connection, script_id: str) -> str | None:
    """Return which version of a script is in force, or None."""
    cursor = await connection.execute(QUERIES["find_in_force"], {"script_id": script_id})
    row = await cursor.fetchone()
    return None if row is None else str(row["version"])


async def list_decisions(connection: Connection, script_id: str) -> list[ScriptDecision]:
    """Return what was decided on a script's versions, the newest first."""
    cursor = await connection.execute(QUERIES["list_decisions"], {"script_id": script_id})
    return [_decision(row) for row in await cursor.fetchall()]


async def find_decision(connection: Connection, decision_id: str) -> ScriptDecision | None:
    """Return a decision, or None."""
    cursor = await connection.execute(QUERIES["find_decision"], {"decision_id": decision_id})
    row = await cursor.fetchone()
    return None if row is None else _decision(row)


def _decision(row: Mapping[str, Any]) -> ScriptDecision:
    return ScriptDecision(**{**row, "decision": ScriptVerdict(row["decision"])})


def compose_entry(
    manifest: Mapping[str, Any],
    contents: Mapping[str, bytes],
    *,
    analysis: Mapping[str, Any],
    imported_by: str,
    imported_at: datetime,
    imported_for: str = "",
) -> dict[str, Any]:
    """Return the entry that is signed when a version is imported."""
    content = _content(manifest, contents)
    answerable = {"imported_for": imported_for} if imported_for else {}
    return {
        **answerable,
        "schema_version": 1,
        **content,
        "content_sha256": digest_of(content),
        "analysis_sha256": digest_of(dict(analysis)),
        "imported_by": imported_by,
        "imported_at": imported_at.astimezone(UTC).isoformat(),
    }


def check_entry(opener: EntryOpener, stored: ScriptVersion) -> None:
    """Compare a version's row and bytes with its signed entry.

    Raises:
        ScriptEntryError: it is not signed by us, or differs from what was signed; says where.
    """
    if stored.entry is None:
        raise ScriptEntryError(stored.label, "its catalogue entry is not signed: import it again")
    try:
        signed = opener.open_document(ENTRY_TYPE, stored.entry)
    except EvidenceError as error:
        raise ScriptEntryError(stored.label, str(error)) from error
    try:
        actual = compose_entry(
            stored.manifest,
            stored.contents,
            analysis=stored.analysis,
            imported_by=stored.imported_by,
            imported_at=stored.imported_at,
            imported_for=stored.imported_for,
        )
    except CanonicalFormError as error:
        raise ScriptEntryError(stored.label, "it has no canonical form") from error
    differing = sorted(
        name for name in actual.keys() | signed.keys() if actual.get(name) != signed.get(name)
    )
    differing += _list_differing_columns(stored)
    if differing:
        where = ", ".join(differing)
        raise ScriptEntryError(stored.label, f"it differs from its signed entry in {where}")


def _list_differing_columns(stored: ScriptVersion) -> list[str]:
    """Return the columns that repeat the manifest, or a digest, and say something else."""
    manifest = stored.manifest
    stated = {
        "script_id": (stored.script_id, manifest.get("id")),
        "version": (stored.version, manifest.get("version")),
        "title": (stored.title, manifest.get("title")),
        "author": (stored.author, manifest.get("author")),
        "interpreter": (stored.interpreter, manifest.get("interpreter")),
        "platforms": (list(stored.platforms), manifest.get("platforms")),
        "failure_classes": (list(stored.failure_classes), manifest.get("failure_classes")),
        "content_sha256": (
            stored.content_sha256,
            content_digest(manifest, stored.contents),
        ),
        "file digests": (dict(stored.stated_sha256), _digests(stored.contents)),
    }
    return [name for name, (column, truth) in stated.items() if column != truth]


async def verify_version(
    connection: Connection, opener: EntryOpener, script_id: str, version: str
) -> ScriptVersion:
    """Return a version that may be used: signed as it is stored, and in force by a sealed decision.

    Raises:
        ScriptVersionNotFoundError: there is none.
        ScriptEntryError: it must not be used; says why.
    """
    try:
        return await _verify(connection, opener, script_id, version)
    except ScriptEntryError:  # a decision between two readings is no contradiction
        return await _verify(connection, opener, script_id, version)


async def _verify(
    connection: Connection, opener: EntryOpener, script_id: str, version: str
) -> ScriptVersion:
    stored = await find_version(connection, script_id, version)
    check_entry(opener, stored)
    if stored.status not in USABLE:
        raise ScriptEntryError(stored.label, f"this version is {stored.status}")
    decisions = await list_decisions(connection, script_id)
    own = [one for one in decisions if one.version == version]
    if not own or own[0].decision not in IN_FORCE_BY:
        raise ScriptEntryError(stored.label, "nobody has approved this version")
    if stored.status is ScriptStatus.ACTIVE:
        in_force = next(one for one in decisions if one.decision in IN_FORCE_BY)
        if in_force.version != version:
            message = f"its row says that it is in force, the decisions that {in_force.version} is"
            raise ScriptEntryError(stored.label, message)
    await _check_newest(connection, stored, decisions[0], None)
    await _check_newest(connection, stored, own[0], version)
    await _check_decision(connection, opener, stored, own[0], decisions)
    return stored


async def _check_newest(
    connection: Connection, stored: ScriptVersion, newest: ScriptDecision, version: str | None
) -> None:
    """Compare the newest decision on a script, or on a version of it, with the audit log's."""
    try:
        event = await find_newest(
            connection,
            AuditSubject.SCRIPT,
            ACTIONS.values(),
            script_id=stored.script_id,
            version=version,
        )
    except LogTamperedError as error:
        raise ScriptEntryError(stored.label, f"the audit log was changed: {error}") from error
    logged = event and (
        event.action,
        event.subject_id,
        (event.after or {}).get("decision_id"),
        event.evidence,
    )
    found = (ACTIONS[newest.decision], newest.label, newest.decision_id, (newest.bundle_digest,))
    if logged != found:
        told = "none" if event is None else f"{event.action} of {event.subject_id}"
        raise ScriptEntryError(
            stored.label,
            f"the audit log's newest decision is {told}, the database's"
            f" {ACTIONS[newest.decision]} of {newest.label}: rows were deleted or changed",
        )


async def list_unlogged(connection: Connection) -> list[str]:
    """Return in plain words how decisions in the database and in the audit log differ."""
    parameters = {"actions": list(ACTIONS.values())}
    cursor = await connection.execute(QUERIES["list_unlogged"], parameters)
    return [
        f"the decision {row['decision_id']} on the script {row['label']} is"
        f" {LOG_DIFFERENCES[row['difference']]}"
        for row in await cursor.fetchall()
    ]


async def _check_decision(
    connection: Connection,
    opener: EntryOpener,
    stored: ScriptVersion,
    decision: ScriptDecision,
    decisions: Sequence[ScriptDecision],
) -> None:
    """Compare a decision with what was sealed of it, and the one before with the sealed chain."""
    try:
        opened = await opener.open(connection, decision.bundle_digest)
        case = read_case(opened, StatementKind.SCRIPT_DECISION)
    except EvidenceError as error:
        message = f"the sealed decision on it does not verify: {error}"
        raise ScriptEntryError(stored.label, message) from error
    named = [
        one
        for one in case.get("scripts", ())
        if (one.get("script_id"), one.get("version")) == (stored.script_id, stored.version)
    ]
    digests = [one.get("content_sha256") for one in named]
    sealed = (case.get("decision"), case.get("actor"))
    if digests != [stored.content_sha256] or sealed != (decision.decision.value, decision.actor):
        raise ScriptEntryError(stored.label, "the sealed decision is about something else")
    older = decisions[decisions.index(decision) + 1 :]
    before = older[0].decision_id if older else None
    if named[0].get(PREVIOUS, before) != before:  # none was sealed before there was a chain
        raise ScriptEntryError(stored.label, "the decision before the sealed one is missing")


def content_digest(manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> str:
    """Return what `content_sha256` must be: of the manifest and each step's digest."""
    return digest_of(_content(manifest, contents))


def _content(manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    return {"manifest": dict(manifest), "steps": _digests(contents)}


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {step: sha256_hex(content) for step, content in contents.items()}
