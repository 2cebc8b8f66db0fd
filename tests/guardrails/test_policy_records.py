# SPDX-License-Identifier: Apache-2.0
"""What a dry run found, as a sentence."""

from datetime import UTC, datetime

import pytest

from guardrails.policy_decision import PolicyDecision
from guardrails.policy_records import RecordedDecision, compare_decisions

ALLOWED = {"allow": True, "requires_quorum": 1, "reasons": ()}
DENIED = {"allow": False, "requires_quorum": 1, "reasons": ("x",)}
TWO = {**ALLOWED, "requires_quorum": 2}
OTHER = {**DENIED, "reasons": ("y",)}


@pytest.mark.parametrize(
    ("answers", "summary"),
    [
        ((), "it could be asked nothing: no past decision is kept"),
        ([(ALLOWED, ALLOWED)], "it would have answered the one past decision as then"),
        ([(ALLOWED, ALLOWED)] * 2, "it would have answered all 2 past decisions as then"),
        ([(DENIED, ALLOWED)],
         "it would have answered the one past decision otherwise: 1 allowed instead of denied"),
        ([(ALLOWED, DENIED), (ALLOWED, TWO), (DENIED, OTHER), (ALLOWED, ALLOWED)],
         ("it would have answered 3 of 4 past decisions otherwise: 1 denied instead of allowed,"
         " 1 with another number of approvers, 1 for other reasons")),
    ],
)  # fmt: skip
def test_a_dry_run_is_told_in_a_sentence(answers, summary):
    asked = [
        RecordedDecision(
            position=1, decision="approval", proposal_id="prp_1", question={},
            policy_digest="d", decided_at=datetime(2026, 1, 1, tzinfo=UTC), **then,
        )
        for then, _ in answers
    ]  # fmt: skip
    now = [PolicyDecision(policy_digest="e", **after) for _, after in answers]
    assert compare_decisions("e", asked, now).summary == summary
