# SPDX-License-Identifier: Apache-2.0
"""Chooses among equally safe scripts so as to learn which works better: Thompson sampling. Pure.

Never a riskier one for the sake of learning: who takes part has the leader's safety class (risk
band, privilege, reach, what static analysis found, who must agree), no higher risk apart from the
history that is to be learnt, and an interval that overlaps the leader's. All draws follow from a
seed by SHA-256, so that an auditor repeats them with any program. Source: Thompson, "On the
likelihood that one unknown probability exceeds another in view of the evidence of two samples"
(1933).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from governance.quorum import BOARD_RISK, EXCEPTION_RISK
from retrieval.manifest import Manifest

_BITS = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """How often to explore, in [0, 1], and what the draws follow from."""

    rate: float
    seed: str

    def draw(self, *names: str) -> float:
        """Return a number in (0, 1): the first 53 bits of SHA-256(seed|name|...), and a half."""
        digest = sha256("|".join((self.seed, *names)).encode()).digest()
        return ((int.from_bytes(digest[:8], "big") >> (64 - _BITS)) + 0.5) / 2.0**_BITS

    def draw_levels(self, script_ids: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return for each script at which shares its beliefs of success and approval are read."""
        return {one: (self.draw(one, "success"), self.draw(one, "approval")) for one in script_ids}


def seed_of(proposal_id: str) -> str:
    """Return the seed of a proposal: the same whenever it is asked."""
    return sha256(f"exploration:{proposal_id}".encode()).hexdigest()[:16]


def describe_safety(
    manifest: Manifest, analysis: Mapping[str, Any], risk: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a candidate's risk and its safety class, as plain data.

    `risk` and `analysis` are documents of risk model and static analysis. What differs in anything
    of the class is never explored in place of the other.
    """
    history = sum(
        factor["weight"] * factor["value"]
        for factor in risk["factors"]
        if factor["name"] == "history"
    )
    return {
        "risk": risk["score"],
        "risk_without_history": round(risk["score"] - history, 2),
        "class": {
            "risk_band": _find_band(risk["score"]),
            "board_reasons": list(risk["board_reasons"]),
            "privilege": manifest.privilege,
            "reversible": manifest.reversible,
            "blast_radius": manifest.blast_radius,
            "business_impact": manifest.business_impact,
            "judgeable": analysis["judgeable"],
            "severity": analysis["severity"],
            "effects": sorted({effect["kind"] for effect in analysis["effects"]}),
        },
    }


def _find_band(score: float) -> str:
    if score > EXCEPTION_RISK:
        return "exception"
    return "board" if score > BOARD_RISK else "one approver"


def are_equally_safe(leader: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether another candidate may be explored in the leader's place."""
    return bool(
        leader["safety"]["class"] == other["safety"]["class"]
        and other["safety"]["risk_without_history"] <= leader["safety"]["risk_without_history"]
    )


def list_rivals(ranked: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the leader and those that are as safe and perhaps as good, in their order."""
    leader = ranked[0]
    return [
        item
        for item in ranked
        if item is leader
        or (are_equally_safe(leader, item) and item["interval"][1] >= leader["interval"][0])
    ]


def explore(
    ranked: Sequence[Mapping[str, Any]], exploration: Exploration
) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
    """Return the script to propose and what was drawn, for the evidence; None if nothing was.

    Args:
        ranked: those that may be proposed, most probable first, at least one; with draws.
        exploration: how often, and the seed.

    """
    if exploration.rate <= 0.0:
        return ranked[0], None
    chance = exploration.draw("explore")
    rivals = list_rivals(ranked)
    explored = chance < exploration.rate and len(rivals) > 1
    chosen = max(rivals, key=lambda item: item["draw"]) if explored else ranked[0]
    return chosen, {
        "rate": exploration.rate,
        "seed": exploration.seed,
        "chance": chance,
        "explored": explored,
        "among": [{"script_id": item["script_id"], "draw": item["draw"]} for item in rivals],
    }
