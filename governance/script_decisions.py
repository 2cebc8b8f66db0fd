# SPDX-License-Identifier: Apache-2.0
"""Decisions on script versions: approve, go back, reject, retire; and what a release ships.

A new version is a change like any other: somebody else than its author and whoever imported it
approves its exact digest. Each decision is a row, a sealed statement and an audit event, in the
caller's transaction; a refused attempt is audited in one of its own. Free text arrives masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from evidence.audit import AuditSubject, find_newest
from evidence.statement import StatementKind
from governance.errors import RefusalError
from governance.freeze_windows import frozen_until, list_freezes
from governance.script_rules import (
    PUTS_IN_FORCE,
    ScriptRequest,
    ScriptSituation,
    check_script_request,
)
from governance.script_versions import (
    ACTIONS,
    PREVIOUS,
    QUERIES,
    EntryOpener,
    ScriptDecision,
    ScriptStatus,
    ScriptVerdict,
    ScriptVersion,
    check_entry,
    find_in_force,
    find_version,
    list_decisions,
)
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from kernel.refusals import RefusalAudit

SUBJECT = "script"


class SealedDigest(Protocol):
    """A sealed statement."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the statement's bytes."""
        ...


class DecisionSealer(EntryOpener, Protocol):
    """Seals decisions, and opens what was sealed and signed."""

    async def seal_lone(
        self,
        connection: Connection,
        *,
        kind: Literal[StatementKind.SCRIPT_DECISION],
        lone_id: str,
        case: dict[str, Any],
        files: Mapping[str, bytes],
        actor: str,
        correlation_id: str,
    ) -> SealedDigest:
        """Seal one decision; its audit event is `script_decision.sealed`."""
        ...


class CataloguePort(Protocol):
    """Keeps which version is in force."""

    async def lock(self, connection: Connection) -> None:
        """Take turns with others who change the catalogue."""
        ...

    async def put_in_force(self, connection: Connection, script_id: str, version: str) -> None:
        """Make a version the one in force; the one before is superseded."""
        ...

    async def withdraw(
        self, connection: Connection, script_id: str, version: str, status: str
    ) -> None:
        """Mark a version as rejected or retired."""
        ...


class ScriptDecisions:
    """Takes decisions on script versions. Methods work inside the caller's transaction.

    Args:
        pool: for the audit events of refusals alone, see `RefusalAudit`.

    """

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        *,
        sealer: DecisionSealer,
        catalogue: CataloguePort,
        pool: Pool,
        session_lifetime: timedelta,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._sealer = sealer
        self._catalogue = catalogue
        self._refusals = RefusalAudit(pool, audit)
        self._session_lifetime = session_lifetime

    async def decide(self, connection: Connection, request: ScriptRequest) -> ScriptDecision:
        """Record a person's decision and let it take effect.

        Raises:
            ScriptVersionNotFoundError, InvalidRequestError: the request makes no sense.
            RefusalError: one of its kinds; the refusal has been audited.

        """
        await self._catalogue.lock(connection)
        situation = await self._check(connection, request)
        (decision,) = await self._record(
            connection,
            [situation.stored],
            request.decision,
            actor=request.actor,
            reason=request.reason,
            correlation_id=request.correlation_id,
            before=situation.in_force,
        )
        return decision

    async def check(self, connection: Connection, request: ScriptRequest) -> None:
        """Refuse now what `decide` would refuse: before its reason is masked, which takes time.

        Raises:
            ScriptVersionNotFoundError, InvalidRequestError: the request makes no sense.
            RefusalError: one of its kinds; the refusal has been audited, without the reason.

        """
        await self._check(connection, request)

    async def _check(self, connection: Connection, request: ScriptRequest) -> ScriptSituation:
        stored = await find_version(connection, request.script_id, request.version)
        now = self._clock.now()
        situation = ScriptSituation(
            stored=stored,
            in_force=await find_in_force(connection, request.script_id),
            frozen=frozen_until(await list_freezes(connection, now=now), now) is not None,
            now=now,
        )
        async with self._refusals.guard(
            {RefusalError: "script.decision_refused"},
            actor=request.actor,
            subject_kind=SUBJECT,
            subject_id=stored.label,
            correlation_id=request.correlation_id,
            details={"decision": request.decision.value},
        ):
            check_script_request(request, situation, session_lifetime=self._session_lifetime)
            if request.decision in PUTS_IN_FORCE:
                check_entry(self._sealer, stored)
        return situation

    async def ship(
        self,
        connection: Connection,
        versions: Sequence[tuple[str, str]],
        *,
        actor: str,
        reason: str,
        correlation_id: str,
    ) -> list[ScriptDecision]:
        """Put versions in force that the release names by digest, all by one sealed decision.

        The caller has compared the digests. Left as they are: what is not merely proposed, and
        every script on which a person has decided last, whatever they decided; the audit log knows
        that, also where rows are gone. Nothing is shipped while a freeze window is in force: it
        beats whatever is approved without a person.
        """
        await self._catalogue.lock(connection)
        now = self._clock.now()
        if frozen_until(await list_freezes(connection, now=now), now) is not None:
            return []
        shipped = []
        for script_id, version in versions:
            stored = await find_version(connection, script_id, version)
            if stored.status is not ScriptStatus.PROPOSED:
                continue
            last = await find_newest(
                connection, AuditSubject.SCRIPT, ACTIONS.values(), script_id=script_id
            )
            if last is not None and last.action != ACTIONS[ScriptVerdict.SHIP]:
                continue
            check_entry(self._sealer, stored)
            shipped.append(stored)
        if not shipped:
            return []
        return await self._record(
            connection,
            shipped,
            ScriptVerdict.SHIP,
            actor=actor,
            reason=reason,
            correlation_id=correlation_id,
        )

    async def _record(
        self,
        connection: Connection,
        decided: Sequence[ScriptVersion],
        verdict: ScriptVerdict,
        *,
        actor: str,
        reason: str,
        correlation_id: str,
        before: str | None = None,
    ) -> list[ScriptDecision]:
        """Seal, store, audit and apply one decision on one version, or a release's on many."""
        now = self._clock.now()
        case_id = self._ids.new("scd")
        last = await self._find_last(connection, decided)
        case = _compose_case(case_id, decided, verdict, actor, reason, now, last)
        sealed = await self._sealer.seal_lone(
            connection,
            kind=StatementKind.SCRIPT_DECISION,
            lone_id=case_id,
            case=case | {"correlation_id": correlation_id, "in_force_before": before},
            files=_list_files(decided[0]) if len(decided) == 1 else {},
            actor=actor,
            correlation_id=correlation_id,
        )
        decisions = []
        for stored in decided:
            decision = ScriptDecision(
                decision_id=case_id if len(decided) == 1 else self._ids.new("scd"),
                script_id=stored.script_id,
                version=stored.version,
                content_sha256=stored.content_sha256,
                decision=verdict,
                actor=actor,
                reason=reason,
                bundle_digest=sealed.digest,
                created_at=now,
            )
            await self._store(connection, stored, decision, correlation_id)
            decisions.append(decision)
        return decisions

    async def _store(
        self,
        connection: Connection,
        stored: ScriptVersion,
        decision: ScriptDecision,
        correlation_id: str,
    ) -> None:
        """Store, apply and audit a decision that is sealed."""
        await connection.execute(QUERIES["insert_decision"], asdict(decision))
        await self._apply(connection, stored, decision.decision)
        await self._audit_decision(connection, stored, decision, correlation_id)

    async def _find_last(
        self, connection: Connection, decided: Sequence[ScriptVersion]
    ) -> dict[str, ScriptDecision | None]:
        """Return the newest decision on each script, by its id."""
        return {
            one.script_id: next(iter(await list_decisions(connection, one.script_id)), None)
            for one in decided
        }

    async def _apply(
        self, connection: Connection, stored: ScriptVersion, verdict: ScriptVerdict
    ) -> None:
        key = (stored.script_id, stored.version)
        if verdict is ScriptVerdict.REJECT:
            await self._catalogue.withdraw(connection, *key, ScriptStatus.REJECTED.value)
        elif verdict is ScriptVerdict.RETIRE:
            await self._catalogue.withdraw(connection, *key, ScriptStatus.RETIRED.value)
        else:
            await self._catalogue.put_in_force(connection, *key)

    async def _audit_decision(
        self,
        connection: Connection,
        stored: ScriptVersion,
        decision: ScriptDecision,
        correlation_id: str,
    ) -> None:
        await self._audit.record(
            connection,
            actor=decision.actor,
            action=ACTIONS[decision.decision],
            subject_kind=SUBJECT,
            subject_id=stored.label,
            correlation_id=correlation_id,
            before={"status": stored.status.value},
            after={
                "decision_id": decision.decision_id,
                "content_sha256": decision.content_sha256,
                "reason": decision.reason,
            },
            evidence=(decision.bundle_digest,),
        )


def _compose_case(
    decision_id: str,
    decided: Sequence[ScriptVersion],
    verdict: ScriptVerdict,
    actor: str,
    reason: str,
    now: datetime,
    previous: Mapping[str, ScriptDecision | None],
) -> dict[str, Any]:
    """Return what is sealed: who decided what, why, on which digests, and what was known.

    `previous` is the decision before this one, by script id: sealed decisions are a chain.
    """
    return {
        "schema_version": 1,
        "decision_id": decision_id,
        "decision": verdict.value,
        "actor": actor,
        "reason": reason,
        "decided_at": now.isoformat(),
        "scripts": [
            {
                "script_id": one.script_id,
                "version": one.version,
                "content_sha256": one.content_sha256,
                "author": one.author,
                "imported_by": one.imported_by,
                "analysis": dict(one.analysis),
                "quality": dict(one.quality),
                PREVIOUS: last.decision_id if (last := previous[one.script_id]) else None,
            }
            for one in decided
        ],
    }


def _list_files(stored: ScriptVersion) -> dict[str, bytes]:
    """Return the bytes of the steps and the signed entry, by file name."""
    files = dict(stored.contents)
    return files if stored.entry is None else files | {"entry.dsse.json": stored.entry}
