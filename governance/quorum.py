# SPDX-License-Identifier: Apache-2.0
"""How many people must agree, by risk (DESIGN section 10). Pure.

The policy may ask for more than this table, never for less.
"""

from dataclasses import dataclass

BOARD_RISK = 50.0
EXCEPTION_RISK = 75.0
BOARD_QUORUM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumRule:
    """What it takes to approve one proposal."""

    n_approvers: int
    exception_required: bool


def required_quorum(
    *, risk_score: float, board_required: bool = False, policy_quorum: int = 1
) -> QuorumRule:
    """Return the number of distinct approvers and whether a risk exception is needed.

    Raises:
        ValueError: the score lies outside [0, 100].

    """
    if not 0 <= risk_score <= 100:
        message = f"a risk score lies in [0, 100], not {risk_score}"
        raise ValueError(message)
    by_risk = BOARD_QUORUM if risk_score > BOARD_RISK or board_required else 1
    return QuorumRule(
        n_approvers=max(1, by_risk, policy_quorum),
        exception_required=risk_score > EXCEPTION_RISK,
    )
