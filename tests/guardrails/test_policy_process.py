# SPDX-License-Identifier: Apache-2.0
"""Policies are evaluated where they can be ended: too slow, too large or broken is a denial."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
import pytest

from contracts.policy import check_question
from guardrails import policy_process, policy_trials
from guardrails.errors import PolicyLimitError, PolicyLoadError, PolicySlowError
from guardrails.policy import PolicyEngine
from guardrails.policy_cases import read_cases
from guardrails.policy_confined import ConfinedPolicy
from guardrails.policy_decision import MAX_REASONS, read_answer
from guardrails.policy_difference import compare_policies
from guardrails.policy_explanation import explain
from guardrails.policy_pool import PolicyPool
from guardrails.policy_process import PolicyProcess
from guardrails.policy_protocol import Check, Load
from guardrails.policy_source import PolicySource
from guardrails.policy_syntax import MAX_DEPTH, MAX_RULES, MAX_WORDS_OF_RULE, check_policies
from guardrails.policy_trials import (
    check_version,
    compare_versions,
    explain_answer,
    try_cases,
    try_mutants,
)
from tests.guardrails.endless_policy import HUGE, SLOW, SLOW_ON_ONE, SOURCE, extend

ROOT = Path(__file__).parents[2]
PLAIN = next(
    case.question for case in read_cases(SOURCE) if case.table == "approval.yaml" and case.allow
)


def ask(proposal_id: str):
    proposal = {**PLAIN["proposal"], "proposal_id": proposal_id}
    return check_question({**PLAIN, "proposal": proposal})


def run(awaitable):
    return asyncio.run(awaitable)


async def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def read_cpu_seconds(pid):
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def start_slow(policy, pid):
    """Return a decision without end, once the process computes it."""
    before = read_cpu_seconds(pid)
    deciding = asyncio.create_task(policy.decide(ask("pro_slow")))
    await wait_until(lambda: read_cpu_seconds(pid) > before + 0.1)
    return deciding


async def cancel(task):
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_proposed_version_that_computes_for_long_is_ended_and_holds_nobody():
    async def propose():
        beats = 0

        async def beat():
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        beating = asyncio.create_task(beat())
        started = time.monotonic()
        with pytest.raises(PolicySlowError, match="longer than 1 seconds"):
            await check_version(extend(SLOW), seconds=1)
        beating.cancel()
        return time.monotonic() - started, beats

    elapsed, beats = run(propose())
    assert elapsed < 30, "it would have computed for minutes"
    assert beats > 20, "the process that asked went on meanwhile"


def test_a_proposed_version_that_takes_all_memory_is_ended():
    with pytest.raises(PolicyLimitError, match="MiB of memory"):
        run(check_version(extend(HUGE)))
    assert psutil.Process().memory_info().rss < 2 * 2**30


def test_one_in_force_that_becomes_slow_on_an_input_denies_and_goes_on():
    async def decide():
        async with PolicyProcess() as process:
            policy = ConfinedPolicy(process, extend(SLOW_ON_ONE), seconds=2)
            assert (await policy.decide(ask("pro_1"))).allow
            first = process.pid
            answers = [await policy.decide(ask(name)) for name in ("pro_slow", "pro_2")]
            assert process.pid != first
            return answers

    slow, after = run(decide())
    assert (slow.allow, slow.reasons) == (False, ("policy_slow",))
    assert after.allow


def test_those_who_wait_behind_a_slow_answer_are_denied_in_bounded_time(monkeypatch):
    monkeypatch.setattr(policy_process, "WAIT_SECONDS", 0.5)

    async def decide():
        async with PolicyProcess() as process:
            policy = ConfinedPolicy(process, extend(SLOW_ON_ONE), seconds=4)
            await policy.load()
            slow = await start_slow(policy, process.pid)
            waited = await policy.decide(ask("pro_1"))
            return waited, await slow, await policy.decide(ask("pro_1"))

    waited, slow, after = run(decide())
    assert waited.reasons == slow.reasons == ("policy_slow",)
    assert after.allow


def test_a_load_and_a_trial_behind_a_slow_answer_are_denied_in_bounded_time(monkeypatch):
    monkeypatch.setattr(policy_process, "WAIT_SECONDS", 0.2)

    async def load():
        async with PolicyProcess() as process:
            policy = ConfinedPolicy(process, extend(SLOW_ON_ONE), seconds=60)
            await policy.load()
            slow = await start_slow(policy, process.pid)
            waiting = (
                ConfinedPolicy(process, SOURCE).load(),
                process.ask(Check(source=SOURCE), int, seconds=30),
            )
            for one in waiting:
                with pytest.raises(PolicySlowError, match="others wait"):
                    await asyncio.wait_for(one, 20)
            assert not slow.done()
            assert process.n_asking == 1
            await cancel(slow)
            assert process.n_asking == 0

    run(load())


def test_while_one_loads_decisions_go_to_the_other():
    async def decide():
        async with PolicyPool() as pool:
            policy = ConfinedPolicy(pool, SOURCE, seconds=30)
            await policy.load()
            (held,) = pool.pids
            os.kill(held, signal.SIGSTOP)
            loading = asyncio.create_task(pool.load(extend("\nmore := 1\n"), seconds=60))
            await asyncio.sleep(0)  # it asks
            answer = await policy.decide(ask("pro_1"))
            still, pids = not loading.done(), pool.pids
            os.kill(held, signal.SIGCONT)
            await loading
            return answer, still, pids

    answer, still, pids = run(decide())
    assert answer.allow
    assert still
    assert len(pids) == 2


def test_a_process_that_was_killed_is_started_again():
    async def decide():
        async with PolicyProcess() as process:
            policy = ConfinedPolicy(process, SOURCE)
            await policy.load()
            killed = process.pid
            os.kill(killed, signal.SIGKILL)
            await wait_until(lambda: process._running.replies.lost)
            idle = await policy.decide(ask("pro_1"))
            os.kill(process.pid, signal.SIGSTOP)  # its own alarm is never heard
            stopped = await policy.decide(ask("pro_1"))
            after = await policy.decide(ask("pro_1"))
            busy = ConfinedPolicy(process, extend(SLOW_ON_ONE), seconds=20)
            await busy.load()
            deciding = await start_slow(busy, process.pid)
            os.kill(process.pid, signal.SIGKILL)
            return killed, idle, stopped, after, await deciding

    killed, idle, stopped, after, broken = run(decide())
    assert idle.allow, "nobody was asked when it went"
    assert (stopped.allow, stopped.reasons) == (False, ("policy_slow",))
    assert after.allow
    assert (broken.allow, broken.reasons) == (False, ("policy_error",))
    assert not psutil.pid_exists(killed)


def test_it_knows_nothing_and_ends_with_whoever_started_it():
    environment = {**os.environ, "EUCORA_POLICY_KEY": "a-secret", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.guardrails.policy_parent"],
        stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    ) as parent:  # fmt: skip
        pid = int(parent.stdout.readline())
        child = psutil.Process(pid)
        before = read_cpu_seconds(pid)
        assert child.environ() == {}
        assert child.cwd() == "/"
        modules = {Path(one.path).name for one in child.memory_maps()}
        assert not [name for name in modules if "torch" in name or "psycopg" in name]
        descriptors = [str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()]
        assert sorted(name.split(":")[0] for name in descriptors) == ["/dev/null"] * 2 + ["socket"]
        run(wait_until(lambda: read_cpu_seconds(pid) > before + 0.1))
        parent.kill()
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if child.status() == psutil.STATUS_ZOMBIE:
                break
        time.sleep(0.05)
    assert time.monotonic() < deadline, "nobody was left to end it, and its alarm did not"


def test_the_process_says_what_the_same_code_says_here():
    other = extend('\ndeny contains "more" if input.proposal.risk_score > 10\n')
    denied = next(case for case in read_cases(SOURCE) if case.reasons and not case.unchecked)
    asked = msgspec.to_builtins(check_question(denied.question))

    async def try_all():
        return (
            await compare_versions(SOURCE, other),
            await explain_answer(SOURCE, asked),
            await try_cases(other),
        )

    difference, explanation, report = run(try_all())
    here, there = PolicyEngine(SOURCE), PolicyEngine(other)
    expected = compare_policies(here, there)
    assert msgspec.json.encode(difference) == msgspec.json.encode(expected)
    assert difference.decided
    assert msgspec.json.encode(explanation) == msgspec.json.encode(explain(here, asked))
    assert report.failed
    assert report.n_cases == len(read_cases(other))


def test_mutants_are_tried_there_too():
    rule = '\ndeny contains "more" if input.proposal.risk_score > 1000\n'
    few = {
        "approval.rego": "package eucora.approval\n\nimport rego.v1\n\ndefault allow := false\n\n"
        "allow if count(deny) == 0\n\nrequires_quorum := 1\n" + rule,
    }
    table = {"decision": "approval", "base": PLAIN, "cases": [{"name": "plain"}]}
    cases = {"own.yaml": json.dumps(table)}
    report = run(try_mutants(PolicySource(files=few, cases=cases), seconds=120))
    assert report.n_mutants > 5
    assert "approval.rego:11 deny: > becomes >=" in report.unnoticed
    assert not report.wrongly_excused


def test_what_does_not_load_says_why_and_loading_is_asked_for():
    async def load():
        async with PolicyProcess() as process:
            with pytest.raises(PolicyLoadError, match=r"approval.rego:\d+: time.now_ns"):
                await process.ask(
                    Load(source=extend('\ndeny contains "x" if time.now_ns() > 0\n')), str,
                    seconds=30,
                )  # fmt: skip
            return await process.ask(Check(source=SOURCE), int, seconds=30)

    assert run(load()) == len(read_cases(SOURCE))


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        (f"\nx := {'[' * (MAX_DEPTH + 2)}{']' * (MAX_DEPTH + 2)}\n", "brackets are at most"),
        (f'\nx := "{"a" * 3000}"\n', "a text has at most"),
        (f"\nx := {'9' * 30}\n", "a number has at most"),
        (f"\nx := [{'1, ' * MAX_WORDS_OF_RULE}1]\n", "a rule has at most"),
        ("".join(f"\nx{n} := {n}\n" for n in range(MAX_RULES)), "at most 1000 rules"),
    ],
)
def test_what_is_given_to_the_library_is_bounded(rules, complaint):
    with pytest.raises(PolicyLoadError, match=complaint):
        check_policies(extend(rules).files)


@pytest.mark.parametrize(
    "reason",
    [
        "<b>approved</b>", "\x1b[2J", "a\nb", "freeze\u202e", "", "A", "a" * 65, "a b", "a;b", "a:",
        "a:" + "b" * 101, "a:<i>", 7,
    ],
)  # fmt: skip
def test_reasons_are_codes(reason):
    answer = {"allow": False, "deny": [reason], "requires_quorum": 1}
    assert read_answer(answer, "d").reasons == ("policy_undefined",)
    fine = {"allow": False, "deny": ["missing:script.author"], "requires_quorum": 1}
    assert read_answer(fine, "d").reasons == ("missing:script.author",)
    many = {**fine, "deny": [f"r{n}" for n in range(MAX_REASONS + 1)]}
    assert read_answer(many, "d").reasons == ("policy_undefined",)


def test_while_one_is_held_by_a_slow_answer_another_goes_on():
    async def decide():
        async with PolicyPool() as pool:
            policy = ConfinedPolicy(pool, extend(SLOW_ON_ONE), seconds=20)
            assert (await policy.decide(ask("pro_1"))).allow
            assert len(pool.pids) == 1, "the second is started at need"
            slow = await start_slow(policy, pool.pids[0])
            answers = [await policy.decide(ask(f"pro_{n}")) for n in range(5)]
            waiting, pids = not slow.done(), pool.pids
            await cancel(slow)
            return answers, waiting, pids

    answers, waiting, pids = run(decide())
    assert waiting
    assert all(answer.allow for answer in answers)
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_trials_take_turns(monkeypatch):
    """Whoever may look at a change can have it tried as often as they like, not at once."""
    monkeypatch.setattr(policy_trials, "MAX_AT_ONCE", 1)
    running, most = 0, 0
    ask = PolicyProcess.ask

    async def count(self, *arguments, **named):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await ask(self, *arguments, **named)
        finally:
            running -= 1

    monkeypatch.setattr(PolicyProcess, "ask", count)

    async def try_all():
        return await asyncio.gather(*(check_version(SOURCE) for _ in range(3)))

    assert run(try_all()) == [len(read_cases(SOURCE))] * 3
    assert most == 1
