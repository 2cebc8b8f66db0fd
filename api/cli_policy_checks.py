# SPDX-License-Identifier: Apache-2.0
"""What a policy does, at the command line: its cases, differences, reasons, and past decisions."""

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from api.cli_ground import console, fail, plain, print_table, with_ground
from api.cli_policy_target import Target, find_target, read_target

if TYPE_CHECKING:
    from guardrails.policy_explanation import Explanation, ReasonSource
    from guardrails.policy_records import DryRun, RecordedDecision
    from guardrails.policy_source import PolicySource

_Found = TypeVar("_Found")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def policy_test(
    target: Target = "active",
    mutants: Annotated[
        bool,
        typer.Option(
            "--mutants", help="Also change every rule, and see whether a case notices it."
        ),
    ] = False,
) -> None:
    """Decide a policy's cases. Exit code 1 if one is decided otherwise than it says.

    With --mutants also if a changed rule goes unnoticed by all cases.
    """
    from guardrails.policy_difference import describe_decision  # noqa: PLC0415 - heavy
    from guardrails.policy_trials import try_cases  # noqa: PLC0415 - heavy

    source = read_target(target)
    report = _try(try_cases(source))
    for outcome in report.failed:
        case = outcome.case
        _say(f"FAILED {case.table}: {case.name}")
        word = "allowed" if case.allow else "denied"
        _say(f"  must be {word}, {case.requires_quorum} needed: {', '.join(case.reasons)}")
        _say(f"  is {describe_decision(outcome.decision)}")
    for warning in report.warnings:
        _say(f"WARNING {warning}")
    n_failed = len(report.failed)
    if not report.n_cases:
        fail("a policy comes with cases, in cases/*.yaml of its folder, and this one has none")
    _say(f"{report.n_cases - n_failed} of {report.n_cases} cases are decided as they say")
    unnoticed = _test_mutants(source) if mutants and not n_failed else 0
    if n_failed or unnoticed:
        raise typer.Exit(1)


def _test_mutants(source: "PolicySource") -> int:
    """Print what goes unnoticed; return how many."""
    from guardrails.policy_trials import try_mutants  # noqa: PLC0415 - heavy

    report = _try(try_mutants(source))
    for mutant in report.unnoticed:
        _say(f"UNNOTICED {mutant}")
    for mutant in report.wrongly_excused:
        _say(f"EXCUSED BUT NOTICED {mutant}")
    n_wrong = len(report.unnoticed) + len(report.wrongly_excused)
    _say(
        f"{report.n_mutants - n_wrong} of {report.n_mutants} changed rules are noticed by a case"
        f" ({report.n_excused} excused in writing)"
    )
    return n_wrong


def policy_diff(before: Target, after: Target, as_json: AsJson = False) -> None:
    """Show how two policies differ: in their text, and in what they decide on their cases."""
    from guardrails.policy_difference import describe_decision  # noqa: PLC0415 - heavy
    from guardrails.policy_trials import compare_versions  # noqa: PLC0415 - heavy

    found = _try(compare_versions(read_target(before), read_target(after)))
    rows = [
        (
            f"{each.case.table}: {each.case.name}",
            describe_decision(each.before),
            describe_decision(each.after),
        )
        for each in found.decided
    ]
    if as_json:
        keys = ("case", "before", "after")
        print(
            json.dumps(
                {
                    "text": list(found.text),
                    "n_cases": found.n_cases,
                    "decided": [dict(zip(keys, row, strict=True)) for row in rows],
                }
            )
        )
        return
    for line in found.text:
        _say(line)
    if rows:
        print_table(("case", "before", "after"), rows)
    verb = "is" if len(rows) == 1 else "are"
    _say(
        f"{len(rows)} of the {found.n_cases} cases that both have together {verb} decided otherwise"
    )


def policy_explain(proposal_id: str, as_json: AsJson = False) -> None:
    """Show what the policy was last asked about a proposal, what it answers, and why.

    For each reason of a denial: the rule and its line, the values it looked at, and which single
    value would remove it. The policy in force is asked; where it answers otherwise than it did
    then, that is said.
    """

    async def act(ground: Any) -> Any:
        from guardrails.policy_records import list_decisions  # noqa: PLC0415 - heavy
        from guardrails.policy_trials import explain_answer  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            asked = await list_decisions(connection, limit=1, proposal_id=proposal_id)
        if not asked:
            return None, None
        source = await find_target(ground, "active")
        return asked[0], await explain_answer(source, asked[0].question)

    recorded, explanation = _with_policies(act)
    if recorded is None:
        fail(f"no policy was asked about {proposal_id}, or longer ago than decisions are kept")
    if as_json:
        print(json.dumps(_describe_explanation(recorded, explanation)))
        return
    _print_explanation(recorded, explanation)


def policy_dry_run(
    target: Target,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many past decisions.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Ask a policy what was decided last, and show what it would have answered otherwise."""

    async def act(ground: Any) -> Any:
        from guardrails.policy_records import list_decisions  # noqa: PLC0415 - heavy
        from guardrails.policy_trials import dry_run  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            asked = await list_decisions(connection, limit=last)
        return await dry_run(await find_target(ground, target), asked)

    found: DryRun = _with_policies(act)
    rows = describe_changes(found)
    if as_json:
        keys = ("kind", "decision", "proposal", "then", "now", "decided_at")
        changed = [dict(zip(keys, row, strict=True)) for row in rows]
        facts = {"policy_digest": found.policy_digest, "n_asked": found.n_asked}
        print(json.dumps({**facts, "counts": found.counts, "changed": changed}))
        return
    if rows:
        headings = ("what", "decision", "proposal", "then", "would be", "when")
        print_table(headings, rows, whole=("proposal",))
    _say(found.summary)


def describe_changes(found: "DryRun") -> list[tuple[str, ...]]:
    """Return the rows of a dry run: kind, decision, proposal, then, now, when."""
    from guardrails.policy_decision import PolicyDecision  # noqa: PLC0415 - heavy
    from guardrails.policy_difference import describe_decision  # noqa: PLC0415 - heavy

    return [
        (
            each.kind,
            each.before.decision,
            each.before.proposal_id,
            describe_decision(
                PolicyDecision(
                    allow=each.before.allow,
                    requires_quorum=each.before.requires_quorum,
                    reasons=each.before.reasons,
                    policy_digest=each.before.policy_digest,
                )
            ),
            describe_decision(each.after),
            f"{each.before.decided_at:%Y-%m-%d %H:%M:%S}",
        )
        for each in found.changed
    ]


def _with_policies(act: Any) -> Any:
    from guardrails.errors import PolicyError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except PolicyError as error:
        fail(str(error))


def _try(trial: Coroutine[Any, Any, _Found]) -> _Found:
    """Return what a trial finds; leaves with exit code 1 where it is refused."""
    from guardrails.errors import PolicyError  # noqa: PLC0415 - heavy

    try:
        return asyncio.run(trial)
    except PolicyError as error:
        fail(str(error))


def _say(text: str) -> None:
    console.print(plain(text), highlight=False, soft_wrap=True)


def _print_explanation(recorded: "RecordedDecision", explanation: "Explanation") -> None:
    from guardrails.policy_difference import describe_decision  # noqa: PLC0415 - heavy

    _say(f"{recorded.decision} of {recorded.proposal_id}, asked {recorded.decided_at:%Y-%m-%d %H:%M:%S} UTC")  # fmt: skip  # noqa: E501
    for line in json.dumps(explanation.question, indent=2, sort_keys=True).splitlines():
        _say(f"  {line}")
    _say(f"answer: {describe_decision(explanation.decision)}")
    then = (recorded.allow, recorded.requires_quorum, recorded.reasons)
    decision = explanation.decision
    if then != (decision.allow, decision.requires_quorum, decision.reasons):
        word = "allowed" if recorded.allow else f"denied: {', '.join(recorded.reasons)}"
        _say(f"then it was {word}, {recorded.requires_quorum} needed, by {recorded.policy_digest}")
    for reason in explanation.reasons:
        _print_reason(reason)


def _print_reason(reason: "ReasonSource") -> None:
    _say(f"\n{reason.reason}{': ' if reason.note else ''}{reason.note}")
    for file, line, text in reason.rules:
        _say(f"  {file}:{line}")
        for each in text.splitlines():
            _say(f"    {each}")
    for path, value in reason.looked_at.items():
        _say(f"  {path} is {json.dumps(value)}")
    for remedy in reason.remedies:
        _say(f"  this reason would go away with {remedy.path} = {json.dumps(remedy.instead)}")
    if reason.rules and not reason.remedies:
        _say("  no single value would remove it: several have to change")


def _describe_explanation(
    recorded: "RecordedDecision", explanation: "Explanation"
) -> dict[str, Any]:
    decision = explanation.decision
    return {
        "proposal_id": recorded.proposal_id,
        "decided_at": recorded.decided_at.isoformat(),
        "question": explanation.question,
        "then": {
            "allow": recorded.allow,
            "requires_quorum": recorded.requires_quorum,
            "reasons": list(recorded.reasons),
            "policy_digest": recorded.policy_digest,
        },
        "now": {
            "allow": decision.allow,
            "requires_quorum": decision.requires_quorum,
            "reasons": list(decision.reasons),
            "policy_digest": decision.policy_digest,
        },
        "reasons": [
            {
                "reason": each.reason,
                "note": each.note,
                "rules": [{"file": file, "line": line} for file, line, _ in each.rules],
                "looked_at": dict(each.looked_at),
                "remedies": [
                    {"path": remedy.path, "value": remedy.value, "instead": remedy.instead}
                    for remedy in each.remedies
                ],
            }
            for each in explanation.reasons
        ],
    }
