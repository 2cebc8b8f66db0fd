# SPDX-License-Identifier: Apache-2.0
"""What a policy answers, whoever evaluates it; whatever is not a clear yes is a denial. Pure.

Reasons go to pages, terminals and the log, and a policy or a server could make them of what a
ticket says: so they are short codes of plain letters, or there is no answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

QUORUM_IN_DOUBT: Final = 2
MAX_QUORUM: Final = 100
MAX_REASONS: Final = 50
REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,63}(?::[A-Za-z0-9_.]{1,100})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """What the policy says, why, and which policy said it.

    Attributes:
        allow: a clear yes.
        requires_quorum: how many different people must approve.
        reasons: stable codes, sorted; empty only when allowed.
        policy_digest: SHA-256 (hex) of the policy files.

    """

    allow: bool
    requires_quorum: int
    reasons: tuple[str, ...]
    policy_digest: str


def read_answer(answer: object, policy_digest: str) -> PolicyDecision:
    """Return the decision that an answer {allow, deny, requires_quorum} states; doubt denies."""
    if not isinstance(answer, Mapping):
        return deny("policy_undefined", policy_digest)
    allow, reasons = answer.get("allow"), answer.get("deny")
    quorum = answer.get("requires_quorum")
    if not (
        isinstance(allow, bool)
        and isinstance(reasons, list)
        and len(reasons) <= MAX_REASONS
        and all(isinstance(reason, str) and REASON.fullmatch(reason) for reason in reasons)
        and type(quorum) is int
        and 1 <= quorum <= MAX_QUORUM
    ):
        return deny("policy_undefined", policy_digest)
    if allow is bool(reasons):  # a yes with objections, or a no without
        reasons = [*reasons, "policy_inconsistent"]
    return PolicyDecision(
        allow=not reasons,
        requires_quorum=quorum,
        reasons=tuple(sorted(reasons)),
        policy_digest=policy_digest,
    )


def deny(reason: str, policy_digest: str) -> PolicyDecision:
    """Return the denial of an engine in doubt."""
    return PolicyDecision(
        allow=False,
        requires_quorum=QUORUM_IN_DOUBT,
        reasons=(reason,),
        policy_digest=policy_digest,
    )
