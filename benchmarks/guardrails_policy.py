# SPDX-License-Identifier: Apache-2.0
"""How fast policies decide: one core, in process, the check of the input included.

The questions are generated, each different from the others; nothing is cached. The three kinds of
questions take turns, some allowed and some denied for one reason or several.
"""

import gc
import random
import time
from typing import Any

from rich.console import Console

from contracts.policy import PolicyQuestion, check_question
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.policy import PolicyEngine

N_QUESTIONS = 6_000
N_WARM_UP = 300
_SEVERITIES = tuple(severity for severity in EffectSeverity if severity != "critical")
_EFFECTS = tuple(EffectKind)
_RADII = ("process", "service", "application", "device", "network")


def make_questions(n: int, seed: int = 1) -> list[PolicyQuestion]:
    """Return n different questions, the three kinds in turn."""
    chance = random.Random(seed)  # noqa: S311 - data, no secret
    return [check_question(_make_question(chance, number)) for number in range(n)]


def _make_question(chance: random.Random, number: int) -> dict[str, Any]:
    now = 1_700_000_000.0 + number
    kind = ("proposal", "approval", "dispatch")[number % 3]
    digest = f"{chance.getrandbits(256):064x}"
    question: dict[str, Any] = {
        "decision": kind,
        "now": now,
        "proposal": {
            "proposal_id": f"prp_{number}",
            "requested_by": "system:reasoner",
            "risk_score": round(chance.uniform(0, 90), 3),
            "expires_at": now + chance.choice((3600.0, 3600.0, 3600.0, -1.0)),
            "status": "approved" if kind == "dispatch" else "pending",
            "bundle_digest": digest,
            "confidence": round(chance.uniform(0.3, 1), 4),
            "n_citations": chance.randrange(4),
        },
        "script": {
            "author": f"author-{chance.randrange(20)}",
            "privilege": chance.choice(("user", "admin")),
            "blast_radius": chance.choice(_RADII),
            "analysis": {
                "judgeable": chance.random() < 0.9,
                "severity": chance.choice(_SEVERITIES),
                "effects": sorted(chance.sample(_EFFECTS, chance.randrange(4))),
            },
        },
        "device": {"business_critical": chance.random() < 0.2, "status": "active"},
    }
    return question | _make_rest(chance, kind, digest, now)


def _make_rest(chance: random.Random, kind: str, digest: str, now: float) -> dict[str, Any]:
    if kind == "proposal":
        return {
            "confidence_threshold": 0.5,
            "platform_match": chance.random() < 0.95,
            "parameters_valid": chance.random() < 0.95,
        }
    circumstances = {
        "freeze_active": chance.random() < 0.1,
        "exception_active": chance.random() < 0.3,
    }
    people = [f"user:person-{each}" for each in chance.sample(range(50), 3)]
    if kind == "approval":
        approval = {"approver": people[0], "roles": ["approver"], "bundle_digest": digest}
        taken = people[1 : 1 + chance.randrange(2)]
        return {"approval": approval, "approved_by": taken, **circumstances}
    approvals = [
        {"approver": name, "bundle_digest": digest, "expires_at": now + 7200.0}
        for name in people[: 1 + chance.randrange(2)]
    ]
    return {"approvals": approvals, "digests_match": True, **circumstances}


def measure_policy(console: Console) -> dict[str, Any]:
    """Time decisions one after another.

    Returns:
        decisions_per_s, p50_ms and p99_ms of single decisions by the wall clock;
        decisions_per_cpu_s and p99_cpu_ms by this thread's own CPU time, which leaves out when
        other programs had the core; the share that was allowed.
    """
    engine = PolicyEngine()
    questions = make_questions(N_QUESTIONS + N_WARM_UP)
    for question in questions[:N_WARM_UP]:
        engine.decide(question)
    gc.collect()
    times, cpu_times, n_allowed = [], [], 0
    cpu_started, started = time.thread_time(), time.perf_counter()
    for question in questions[N_WARM_UP:]:
        begun, cpu_begun = time.perf_counter(), time.thread_time()
        n_allowed += engine.decide(question).allow
        times.append(time.perf_counter() - begun)
        cpu_times.append(time.thread_time() - cpu_begun)
    elapsed, cpu = time.perf_counter() - started, time.thread_time() - cpu_started
    times.sort()
    cpu_times.sort()
    figures = {
        "decisions_per_s": N_QUESTIONS / elapsed,
        "decisions_per_cpu_s": N_QUESTIONS / cpu,
        "p50_ms": 1e3 * times[N_QUESTIONS // 2],
        "p99_ms": 1e3 * times[int(0.99 * N_QUESTIONS)],
        "p99_cpu_ms": 1e3 * cpu_times[int(0.99 * N_QUESTIONS)],
        "allowed_share": n_allowed / N_QUESTIONS,
    }
    console.print(
        f"policies: {figures['decisions_per_s']:,.0f} decisions/s"
        f" ({figures['decisions_per_cpu_s']:,.0f} per second of CPU),"
        f" p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms"
        f" ({figures['p99_cpu_ms']:.2f} of CPU),"
        f" {figures['allowed_share']:.0%} allowed",
        highlight=False,
    )
    return figures
