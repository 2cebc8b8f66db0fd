# SPDX-License-Identifier: Apache-2.0
"""Explanations: every denial of the cases is traced to its rule, and remedies do remedy."""

import copy

import pytest

from guardrails.policy import POLICIES_DIR, PolicyEngine
from guardrails.policy_cases import read_cases
from guardrails.policy_difference import compare_policies
from guardrails.policy_explanation import ENGINE_REASONS, explain
from guardrails.policy_source import PolicySource, read_folder

SOURCE = read_folder(POLICIES_DIR)
DENIED = [case for case in read_cases(SOURCE) if not case.allow and not case.unchecked]
ALONE = {"exception_missing", "freeze_window", "device_retired", "role_missing", "self_approval",
         "author_approval", "already_approved", "not_pending", "bundle_changed", "expired",
         "critical_effect", "low_confidence", "no_citation", "platform_mismatch",
         "parameters_invalid", "not_approved", "digest_mismatch"}  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    return PolicyEngine(SOURCE, time_limit_seconds=30)


@pytest.mark.parametrize("case", DENIED, ids=[f"{case.table}: {case.name}" for case in DENIED])
def test_reasons_have_rules_and_remedies_remove_them(engine, case):
    explanation = explain(engine, case.question)
    assert tuple(each.reason for each in explanation.reasons) == case.reasons
    for each in explanation.reasons:
        if not each.rules:
            assert each.note == ENGINE_REASONS[each.reason.partition(":")[0]]
            continue
        for file, line, text in each.rules:
            assert SOURCE.files[file].splitlines()[line - 1] == text.splitlines()[0]
            assert f'"{each.reason}"' in text
        if each.reason in ALONE:
            assert each.remedies, each.reason
        for remedy in each.remedies:
            changed = copy.deepcopy(dict(explanation.question))
            *parents, last = remedy.path.split(".")
            place = changed
            for parent in parents:
                place = place[parent]
            assert place[last] == remedy.value != remedy.instead
            place[last] = remedy.instead
            assert each.reason not in engine.decide(changed).reasons


def test_the_bound_that_was_missed_is_named(engine):
    (case,) = [one for one in DENIED if one.name == "one above the bound of exceptions"]
    (reason,) = explain(engine, case.question).reasons
    assert {(one.path, one.value, one.instead) for one in reason.remedies} == {
        ("exception_active", False, True),
        ("proposal.risk_score", 76.0, 75.0),
    }


def test_versions_are_compared_in_text_and_in_what_they_decide(engine):
    text = SOURCE.files["quorum.rego"].replace("cab_risk := 50", "cab_risk := 51")
    after = PolicyEngine(
        PolicySource(files={**SOURCE.files, "quorum.rego": text}, cases=SOURCE.cases)
    )
    found = compare_policies(engine, after)
    assert [line for line in found.text if line[:1] in "+-" and line[1:2] not in "+-"] == [
        "-cab_risk := 50",
        "+cab_risk := 51",
    ]
    assert {each.case.name for each in found.decided} == {
        "above the board's bound",
        "one above the board's bound",
    }
    assert compare_policies(engine, engine).decided == ()


def test_cases_of_one_name_are_all_compared(engine):
    base = SOURCE.cases["approval.yaml"]
    head = base[: base.index("cases:")]
    cases = {
        "approval.yaml": head + "cases:\n- {name: twice, change: {proposal.risk_score: 51}}\n"
        "- {name: twice, change: {proposal.risk_score: 10}}\n"
    }
    text = SOURCE.files["quorum.rego"].replace("cab_risk := 50", "cab_risk := 60")
    before = PolicyEngine(PolicySource(files=SOURCE.files, cases=cases))
    after = PolicyEngine(
        PolicySource(files={**SOURCE.files, "quorum.rego": text}, cases={"approval.yaml": base})
    )
    found = compare_policies(before, after)
    assert "twice" in {each.case.name for each in found.decided}, "the first of that name"
    assert found.n_cases == len(read_cases(after.source)) + 2
    assert compare_policies(before, before).n_cases == 2
