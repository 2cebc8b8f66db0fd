# SPDX-License-Identifier: Apache-2.0
"""How fast policies decide, the check of the input included.

The questions are generated, each different from the others; nothing is cached. The three kinds of
questions take turns, some allowed and some denied for one reason or several.
"""

import asyncio
import gc
import random
import time
from collections.abc import Sequence
from typing import Any

import psutil
from rich.console import Console

from contracts.policy import PolicyQuestion, check_question
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.policy import PolicyEngine
from guardrails.policy_confined import ConfinedPolicy
from guardrails.policy_pool import PolicyPool
from guardrails.policy_source import POLICIES_DIR, read_folder

N_QUESTIONS = 6_000
N_WARM_UP = 300
N_ASKERS = 4
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
    """Time decisions through the processes that evaluate the policy in force, as a server does.

    Returns:
        decisions_per_s with N_ASKERS asking at once, as a server's requests do; p50_ms and p99_ms
        of decisions one after another, by the wall clock; decisions_per_cpu_s by the CPU time of
        all processes; the share that was allowed; and `engine`: the evaluation alone, in this
        process.
    """
    questions = make_questions(N_QUESTIONS + N_WARM_UP)
    figures = asyncio.run(_measure_process(questions)) | {"engine": _measure_engine(questions)}
    console.print(
        f"policies: {figures['decisions_per_s']:,.0f} decisions/s"
        f" ({figures['decisions_per_cpu_s']:,.0f} per second of CPU),"
        f" p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms,"
        f" {figures['allowed_share']:.0%} allowed; evaluation alone"
        f" {figures['engine']['decisions_per_s']:,.0f}/s"
        f" ({figures['engine']['decisions_per_cpu_s']:,.0f} per second of CPU),"
        f" p99 {figures['engine']['p99_ms']:.2f} ms",
        highlight=False,
    )
    return figures


async def _measure_process(questions: Sequence[PolicyQuestion]) -> dict[str, Any]:
    async with PolicyPool() as pool:
        policy = ConfinedPolicy(pool, read_folder(POLICIES_DIR))
        await _ask_at_once(policy, questions[:N_WARM_UP])
        children = [psutil.Process(pid) for pid in pool.pids]
        gc.collect()
        times, n_allowed = [], 0
        for question in questions[N_WARM_UP:]:
            begun = time.perf_counter()
            n_allowed += (await policy.decide(question)).allow
            times.append(time.perf_counter() - begun)
        cpu_before, started = _add_cpu(children), time.perf_counter()
        await _ask_at_once(policy, questions[N_WARM_UP:])
        elapsed, cpu = time.perf_counter() - started, _add_cpu(children) - cpu_before
    return {
        "decisions_per_s": N_QUESTIONS / elapsed,
        "decisions_per_cpu_s": N_QUESTIONS / cpu,
        **_describe_times(times),
        "allowed_share": n_allowed / N_QUESTIONS,
    }


async def _ask_at_once(policy: ConfinedPolicy, questions: Sequence[PolicyQuestion]) -> None:
    waiting = iter(questions)

    async def ask() -> None:
        for question in waiting:
            await policy.decide(question)

    await asyncio.gather(*(ask() for _ in range(N_ASKERS)))


def _add_cpu(children: Sequence[psutil.Process]) -> float:
    """Return the CPU seconds of this process and of those that evaluate."""
    used = [child.cpu_times() for child in children]
    return time.process_time() + sum(float(one.user + one.system) for one in used)


def _measure_engine(questions: Sequence[PolicyQuestion]) -> dict[str, float]:
    engine = PolicyEngine()
    for question in questions[:N_WARM_UP]:
        engine.decide(question)
    gc.collect()
    times = []
    cpu_started, started = time.thread_time(), time.perf_counter()
    for question in questions[N_WARM_UP:]:
        begun = time.perf_counter()
        engine.decide(question)
        times.append(time.perf_counter() - begun)
    elapsed, cpu = time.perf_counter() - started, time.thread_time() - cpu_started
    return {
        "decisions_per_s": N_QUESTIONS / elapsed,
        "decisions_per_cpu_s": N_QUESTIONS / cpu,
        **_describe_times(times),
    }


def _describe_times(times: list[float]) -> dict[str, float]:
    times.sort()
    return {
        "p50_ms": 1e3 * times[len(times) // 2],
        "p99_ms": 1e3 * times[int(0.99 * len(times))],
    }
