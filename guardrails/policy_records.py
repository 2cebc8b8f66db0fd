# SPDX-License-Identifier: Apache-2.0
"""What policies were asked and answered, kept for a while so that another version can be asked it.

The dry run asks a version the same questions, as they were then, and says which answers differ. The
record of a decision is its evidence; what is kept here is for comparing and explaining.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.policy import PolicyQuestion, QuestionError, check_question
from guardrails.policy_decision import PolicyDecision
from guardrails.policy_store import QUERIES
from kernel.database import Connection

KEPT_FOR: Final = timedelta(days=365)  # as proposals' evidence is
MAX_DECISIONS = 100_000
N_DRY_RUN: Final = 500  # past decisions that a version is asked before it is put in force

_KIND_WORDS: Final = {
    "allow->deny": "denied instead of allowed",
    "deny->allow": "allowed instead of denied",
    "quorum": "with another number of approvers",
    "reasons": "for other reasons",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """A question as it was asked, and the answer of then."""

    position: int
    decision: str
    proposal_id: str
    question: dict[str, Any]
    allow: bool
    requires_quorum: int
    reasons: tuple[str, ...]
    policy_digest: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDecision:
    """What another version would have answered otherwise."""

    before: RecordedDecision
    after: PolicyDecision

    @property
    def kind(self) -> str:
        """The weightiest difference: deny->allow, allow->deny, quorum or reasons."""
        if self.before.allow != self.after.allow:
            return "deny->allow" if self.after.allow else "allow->deny"
        if self.before.requires_quorum != self.after.requires_quorum:
            return "quorum"
        return "reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """How a version would have answered past questions."""

    policy_digest: str
    n_asked: int
    oldest: datetime | None
    changed: tuple[ChangedDecision, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many answers differ, by kind."""
        return dict(sorted(Counter(each.kind for each in self.changed).items()))

    @property
    def summary(self) -> str:
        """What the version would have answered otherwise, as a sentence that begins with "it"."""
        if not self.n_asked:
            return "it could be asked nothing: no past decision is kept"
        asked = "the one past decision" if self.n_asked == 1 else f"{self.n_asked} past decisions"
        if not self.changed:
            every = asked if self.n_asked == 1 else f"all {asked}"
            return f"it would have answered {every} as then"
        of = asked if self.n_asked == 1 else f"{len(self.changed)} of {asked}"
        kinds = ", ".join(f"{n} {_KIND_WORDS[kind]}" for kind, n in self.counts.items())
        return f"it would have answered {of} otherwise: {kinds}"


async def insert_decision(
    connection: Connection, question: PolicyQuestion, decision: PolicyDecision, *, now: datetime
) -> None:
    """Keep a question with its answer, and drop a few whose time is over.

    A question that is none is not kept: what it holds was never checked.
    """
    try:
        checked = check_question(question)
    except QuestionError:
        return
    await connection.execute(
        QUERIES["insert_decision"],
        {
            "decision": msgspec.to_builtins(checked)["decision"],
            "proposal_id": checked.proposal.proposal_id,
            "question": msgspec.json.encode(checked).decode(),
            "allow": decision.allow,
            "requires_quorum": decision.requires_quorum,
            "reasons": list(decision.reasons),
            "policy_digest": decision.policy_digest,
            "decided_at": now,
        },
    )
    await connection.execute(QUERIES["forget_decisions"], {"before": now - KEPT_FOR})


async def list_decisions(
    connection: Connection, *, limit: int, proposal_id: str | None = None
) -> list[RecordedDecision]:
    """Return the last decisions, the newest first; of one proposal or of all."""
    cursor = await connection.execute(
        QUERIES["list_decisions"],
        {"limit": min(limit, MAX_DECISIONS), "proposal_id": proposal_id},
    )
    return [
        RecordedDecision(**{**row, "reasons": tuple(row["reasons"])})
        for row in await cursor.fetchall()
    ]


def compare_decisions(
    policy_digest: str, decisions: Sequence[RecordedDecision], answers: Sequence[PolicyDecision]
) -> DryRun:
    """Return how another version's answers to past questions differ from those of then. Pure."""
    changed = [
        ChangedDecision(before=before, after=after)
        for before, after in zip(decisions, answers, strict=True)
        if (before.allow, before.requires_quorum, before.reasons)
        != (after.allow, after.requires_quorum, after.reasons)
    ]
    return DryRun(
        policy_digest=policy_digest,
        n_asked=len(decisions),
        oldest=min((each.decided_at for each in decisions), default=None),
        changed=tuple(changed),
    )
