# SPDX-License-Identifier: Apache-2.0
"""What is known of a file in quarantine, as its row says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kernel.person import is_person


class HoldReason(StrEnum):
    """Why a file was refused."""

    INFECTED = "infected"
    UNSCANNED = "unscanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedFile:
    """What is known of a file that is or was held; names and reasons are masked."""

    quarantine_id: str
    sha256: str
    name: str
    source: str
    size_bytes: int
    reason: HoldReason
    signature: str | None
    engine: str
    actor: str
    quarantined_at: datetime
    release_requested_by: str | None
    released_by: str | None
    release_reason: str | None
    released_at: datetime | None
    deleted_by: str | None
    deletion_reason: str | None
    deleted_at: datetime | None
    asked_by: str | None
    ask_reason: str | None
    asked_at: datetime | None

    @property
    def requested_by(self) -> str | None:
        """The first person of a release: who asked for it, else who brought the file."""
        return self.asked_by or (self.actor if is_person(self.actor) else None)

    @property
    def is_held(self) -> bool:
        """Whether its bytes are still kept."""
        return self.released_at is None and self.deleted_at is None


def read_row(row: Mapping[str, Any]) -> QuarantinedFile:
    """Return what a row of `quarantined_files` says."""
    facts = {name: row[name] for name in QuarantinedFile.__slots__}
    return QuarantinedFile(**{**facts, "reason": HoldReason(row["reason"])})
