# SPDX-License-Identifier: Apache-2.0
"""Joins catalogue, analysis, governance and search where scripts are imported and decided on.

An import is signed, stored as proposed and audited in one transaction; a decision is sealed, takes
effect and changes what searches find in one, too.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.ground import Ground, open_embedder
from api.script_report import ScriptReport, examine
from api.tokens import find_token_maker
from governance.script_decisions import ScriptDecisions
from governance.script_rules import ScriptRequest
from governance.script_versions import (
    ENTRY_TYPE,
    ScriptDecision,
    ScriptStatus,
    ScriptVerdict,
    ScriptVersion,
    compose_entry,
    find_version,
)
from kernel.database import Connection
from kernel.refusals import RefusalAudit
from retrieval.catalogue import Catalogue, list_catalogue
from retrieval.corpus import Corpus, document_of_script
from retrieval.document_flags import list_refused, lock_decisions
from retrieval.embedding import Embedder
from retrieval.errors import ManifestError, VersionConflictError
from retrieval.manifest import CatalogueEntry, Manifest
from retrieval.starter_release import names_entry
from retrieval.words import digest_text

SOURCE = "catalogue"
SHIPPED = "shipped with this release, which names its digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedScript:
    """What an import found; `is_new` is False where exactly this version was there already."""

    report: ScriptReport
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStarters:
    """What became of a release's scripts: how many are new, and in force; what was left, why."""

    n_new: int
    n_shipped: int
    notices: tuple[str, ...]


class ScriptCatalogue:
    """Imports script versions and takes decisions on them."""

    def __init__(self, ground: Ground, embedder: Embedder | None = None) -> None:
        self._ground = ground
        self._embedder = embedder
        self._catalogue = Catalogue(clock=ground.clock, audit=ground.audit)
        self.decisions = ScriptDecisions(
            ground.clock,
            ground.ids,
            ground.audit,
            sealer=ground.sealer,
            catalogue=self._catalogue,
            pool=ground.refusals,
            session_lifetime=timedelta(hours=ground.settings.session_hours),
        )

    async def import_script(
        self, entry: CatalogueEntry, *, actor: str, correlation_id: str
    ) -> ImportedScript:
        """Import a version as proposed.

        Raises:
            UndeclaredEffectError: it does what its manifest does not declare.
            VersionConflictError: its version is taken by other content, or older than another.
            ManifestError: its declaration has unknown words, or its author is reserved.
        """
        report = await asyncio.to_thread(examine, entry)
        async with RefusalAudit(self._ground.refusals, self._ground.audit).guard(
            {ManifestError: "script.import_refused"},
            actor=actor,
            subject_kind="script",
            subject_id=f"{entry.manifest.id}@{entry.manifest.version}",
            correlation_id=correlation_id,
            details={"content_sha256": entry.content_sha256},
            mask=self._ground.mask_text,
        ):
            report.check()
            async with self._ground.pool.connection() as connection:
                answerable = await find_token_maker(connection, actor)
                is_new = await self._store(connection, report, actor, correlation_id, answerable)
        return ImportedScript(report=report, is_new=is_new)

    async def import_starters(
        self,
        entries: Sequence[CatalogueEntry],
        *,
        actor: str,
        correlation_id: str,
        progress: Callable[[int], None] = lambda _: None,
    ) -> ImportedStarters:
        """Import what the knowledge folder holds, and put in force what the release names.

        What it does not name is proposed, for people to decide. A version that an installation has
        gone past is left aside. `progress` is called with how many are done.

        Raises:
            UndeclaredEffectError, ManifestError: as for an import.
        """
        notices: list[str] = []
        n_new = 0
        async with self._ground.pool.connection() as connection:
            known = {
                (one.script_id, one.version): one.content_sha256
                for one in await list_catalogue(connection)
            }
            for number, entry in enumerate(entries, start=1):
                if known.get(_key(entry)) != entry.content_sha256:
                    report = await asyncio.to_thread(examine, entry, with_quality=False)
                    report.check()
                    try:
                        n_new += await self._store(connection, report, actor, correlation_id)
                    except VersionConflictError as error:
                        notices.append(str(error))
                progress(number)
            shipped = await self._ship(connection, entries, actor, correlation_id)
            notices += await _list_waiting(connection, entries)
        return ImportedStarters(n_new=n_new, n_shipped=shipped, notices=tuple(notices))

    async def _ship(
        self,
        connection: Connection,
        entries: Sequence[CatalogueEntry],
        actor: str,
        correlation_id: str,
    ) -> int:
        """Put in force what the release names, where it is in the catalogue as it names it."""
        stored = {
            (one.script_id, one.version): one.content_sha256
            for one in await list_catalogue(connection)
        }
        named = [
            _key(entry)
            for entry in entries
            if names_entry(entry) and stored.get(_key(entry)) == entry.content_sha256
        ]
        return len(
            await self.decisions.ship(
                connection, named, actor=actor, reason=SHIPPED, correlation_id=correlation_id
            )
        )

    async def decide(self, request: ScriptRequest) -> ScriptDecision:
        """Record a person's decision and let it take effect, in search too.

        Raises:
            ScriptVersionNotFoundError, InvalidRequestError: the request makes no sense.
            RefusalError: one of its kinds; the refusal has been audited.
            EmbeddingModelError: its description cannot be made searchable; nothing was decided.
        """
        async with self._ground.pool.connection() as connection:
            stored = await find_version(connection, request.script_id, request.version)
            decision = await self.decisions.decide(connection, request)
            if decision.decision in {ScriptVerdict.APPROVE, ScriptVerdict.ROLL_BACK}:
                await self._make_searchable(connection, stored, request)
            elif stored.status is ScriptStatus.ACTIVE:
                await self._open_corpus().retire(
                    connection,
                    [f"script:{stored.script_id}"],
                    actor=request.actor,
                    correlation_id=request.correlation_id,
                    reason=f"{stored.label} is retired",
                )
        return decision

    async def _store(
        self,
        connection: Connection,
        report: ScriptReport,
        actor: str,
        correlation_id: str,
        answerable: str = "",
    ) -> bool:
        entry = report.entry

        def sign(now: datetime) -> bytes:
            composed = compose_entry(
                entry.manifest.model_dump(mode="json"),
                entry.steps,
                analysis=report.analysis,
                imported_by=actor,
                imported_at=now,
                imported_for=answerable,
            )
            return self._ground.sealer.sign_document(ENTRY_TYPE, composed)

        return await self._catalogue.import_entry(
            connection,
            entry,
            analysis=report.analysis,
            quality=report.quality.as_json(),
            sign=sign,
            actor=actor,
            correlation_id=correlation_id,
            answerable=answerable,
        )

    async def _make_searchable(
        self, connection: Connection, stored: ScriptVersion, request: ScriptRequest
    ) -> None:
        """Store the description of what is in force now, unless people took its words out."""
        manifest = Manifest.model_validate(stored.manifest)
        entry = CatalogueEntry(manifest=manifest, steps=dict(stored.contents))
        trust = "starter" if names_entry(entry) else "internal"
        document = document_of_script(entry, trust=trust, source=SOURCE)
        await lock_decisions(connection)
        contents = {document.document_id: digest_text(document.body)}
        if await list_refused(connection, contents):
            return
        await self._open_corpus().store(
            connection, [document], actor=request.actor, correlation_id=request.correlation_id
        )

    def _open_corpus(self) -> Corpus:
        embedder = self._embedder or open_embedder(self._ground)
        return Corpus(clock=self._ground.clock, audit=self._ground.audit, embedder=embedder)


def _key(entry: CatalogueEntry) -> tuple[str, str]:
    return entry.manifest.id, entry.manifest.version


async def _list_waiting(connection: Connection, entries: Sequence[CatalogueEntry]) -> list[str]:
    """Say which of these scripts people have to decide on before they are used."""
    keys = {_key(entry) for entry in entries}
    return [
        f"{one.script_id} {one.version} is proposed and not used: eucora scripts show"
        f" {one.script_id} {one.version}"
        for one in await list_catalogue(connection)
        if one.status == "proposed" and (one.script_id, one.version) in keys
    ]
