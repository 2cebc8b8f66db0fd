# SPDX-License-Identifier: Apache-2.0
"""Policies: each rule is needed, and doubt is a denial."""
# ruff: noqa: E501 - tables of cases

import copy
import re
from typing import Any

import pytest

from guardrails.errors import PolicyLoadError
from guardrails.policy import POLICIES_DIR, PolicyEngine

BASE: dict[str, Any] = {
    "now": 1000.0,
    "proposal": {
        "proposal_id": "pro_1",
        "requested_by": "system:reasoner",
        "risk_score": 20.0,
        "expires_at": 2000.0,
        "confidence": 0.8,
        "n_citations": 2,
        "bundle_digest": "d1",
    },
    "script": {
        "author": "author-1",
        "privilege": "admin",
        "blast_radius": "service",
        "analysis": {"judgeable": True, "severity": "medium", "effects": ["deletes_files"]},
    },
    "device": {"business_critical": False, "status": "active"},
    "confidence_threshold": 0.5,
    "platform_match": True,
    "parameters_valid": True,
    "approval": {"approver": "approver-1", "roles": ["approver"], "bundle_digest": "d1"},
    "approved_by": [],
    "freeze_active": False,
    "exception_active": False,
    "approvals": [{"approver": "approver-1", "bundle_digest": "d1", "expires_at": 1500.0}],
    "digests_match": True,
}
STATUS = {"proposal": "pending", "approval": "pending", "dispatch": "approved"}


@pytest.fixture(scope="module")
def engine():
    return PolicyEngine(time_limit_seconds=30)


def ask(engine, decision, changes=()):
    question = copy.deepcopy(BASE)
    question["decision"] = decision
    question["proposal"]["status"] = STATUS[decision]
    for path, value in dict(changes).items():
        *parents, last = path.split(".")
        place = question
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return engine.decide(question)


@pytest.mark.parametrize("decision", STATUS)
def test_plain_case_is_allowed_by_one_person(engine, decision):
    answer = ask(engine, decision)
    assert answer.allow
    assert answer.requires_quorum == 1
    assert answer.reasons == ()
    assert re.fullmatch("[0-9a-f]{64}", answer.policy_digest)


DENIALS = [
    ("proposal", {"proposal.confidence": 0.49}, "low_confidence"),
    ("proposal", {"proposal.n_citations": 0}, "no_citation"),
    ("proposal", {"platform_match": False}, "platform_mismatch"),
    ("proposal", {"parameters_valid": False}, "parameters_invalid"),
    ("proposal", {"script.analysis.severity": "critical"}, "critical_effect"),
    ("approval", {"approval.approver": "System:Reasoner"}, "self_approval"),
    ("approval", {"approval.approver": "author-1"}, "author_approval"),
    ("approval", {"approved_by": ["approver-1"]}, "already_approved"),
    ("approval", {"approval.roles": ["helpdesk", "auditor"]}, "role_missing"),
    ("approval", {"proposal.status": "approved"}, "not_pending"),
    ("approval", {"approval.bundle_digest": "d2"}, "bundle_changed"),
    ("approval", {"freeze_active": True}, "freeze_window"),
    ("approval", {"proposal.risk_score": 75.1}, "exception_missing"),
    ("approval", {"now": 2000.0}, "expired"),
    ("approval", {"device.status": "retired"}, "device_retired"),
    ("dispatch", {"proposal.status": "pending"}, "not_approved"),
    ("dispatch", {"digests_match": False}, "digest_mismatch"),
    ("dispatch", {"freeze_active": True}, "freeze_window"),
    ("dispatch", {"approvals": []}, "quorum_missing"),
    ("dispatch", {"proposal.risk_score": 51.0}, "quorum_missing"),
    ("dispatch", {"proposal.risk_score": 80.0}, "exception_missing"),
    ("dispatch", {"now": 1500.0}, "approval_expired"),
    (
        "dispatch",
        {"approvals": [{"approver": "a", "bundle_digest": "d2", "expires_at": 1500}]},
        "bundle_changed",
    ),
    (
        "dispatch",
        {"approvals": [{"approver": "author-1", "bundle_digest": "d1", "expires_at": 1500}]},
        "quorum_missing",
    ),
]


@pytest.mark.parametrize(("decision", "changes", "reason"), DENIALS)
def test_each_rule_denies(engine, decision, changes, reason):
    answer = ask(engine, decision, changes)
    assert not answer.allow
    assert reason in answer.reasons


@pytest.mark.parametrize(
    "changes",
    [
        {"proposal.risk_score": 50.1},
        {"script.analysis.judgeable": False},
        {"script.analysis.severity": "high"},
        {"script.analysis.effects": ["disables_security"]},
        {"device.business_critical": True, "script.blast_radius": "device"},
    ],
)
def test_board_cases_need_two(engine, changes):
    assert ask(engine, "approval", changes).requires_quorum == 2


def test_exact_bounds_and_exception(engine):
    assert ask(engine, "approval", {"proposal.risk_score": 50.0}).requires_quorum == 1
    assert ask(engine, "approval", {"proposal.risk_score": 75.0}).allow
    answer = ask(engine, "approval", {"proposal.risk_score": 76.0, "exception_active": True})
    assert answer.allow
    assert answer.requires_quorum == 2


def test_one_person_counts_once_and_two_are_enough(engine):
    def approvals(*names):
        return [{"approver": n, "bundle_digest": "d1", "expires_at": 1500.0} for n in names]

    risky = {"proposal.risk_score": 60.0}
    assert not ask(engine, "dispatch", {**risky, "approvals": approvals("b", "B")}).allow
    assert ask(engine, "dispatch", {**risky, "approvals": approvals("b", "c")}).allow


def _paths(value, prefix=""):
    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, dict):
            yield from _paths(item, f"{path}.")
        else:
            yield path


COMMON = list(_paths({k: BASE[k] for k in ("now", "proposal", "script", "device")}))
FIELDS = {
    "proposal": ["confidence_threshold", "platform_match", "parameters_valid"],
    "approval": ["approved_by", "freeze_active", "exception_active", *_paths({"approval": BASE["approval"]})],
    "dispatch": ["approvals", "digests_match", "freeze_active", "exception_active"],
}  # fmt: skip
ONLY = {
    "proposal.confidence": "proposal",
    "proposal.n_citations": "proposal",
    "proposal.bundle_digest": ("approval", "dispatch"),
}


@pytest.mark.parametrize("value", [..., None, {}, 7.5j], ids=["absent", "null", "object", "alien"])
@pytest.mark.parametrize("decision", STATUS)
def test_every_field_is_needed(engine, decision, value):
    for path in [*COMMON, *FIELDS[decision]]:
        if decision in ONLY.get(path, decision):
            answer = ask(engine, decision, {path: value})
            assert not answer.allow, path
            assert answer.reasons, path


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({}, "unknown_decision"),
        ({"decision": "everything"}, "unknown_decision"),
        ({"decision": ["approval"]}, "unknown_decision"),
        ({"decision": "approval", "now": float("nan")}, "invalid_input"),
        ({"decision": "approval", "x": {1: 2}}, "invalid_input"),
        ({"decision": "approval", "x": "y" * 300_000}, "input_too_large"),
    ],
)
def test_doubtful_input_is_denied(engine, question, reason):
    answer = engine.decide(question)
    assert not answer.allow
    assert answer.requires_quorum == 2
    assert answer.reasons == (reason,)


def test_text_cannot_break_out_of_the_input(engine):
    answer = ask(engine, "approval", {"approval.approver": 'x", "roles": ["admin\\\n\0'})
    assert answer.allow  # only a strange name
    assert not ask(engine, "approval", {"proposal.risk_score": "0"}).allow


def test_slow_answer_is_a_denial():
    ticks = iter((0.0, 5.0))
    engine = PolicyEngine(time_limit_seconds=1.0, monotonic=lambda: next(ticks))
    assert ask(engine, "approval").reasons == ("policy_slow",)


def _copy_policies(directory, change):
    for path in POLICIES_DIR.glob("*.rego"):
        (directory / path.name).write_text(change(path.name, path.read_text()))
    return directory


def test_conflict_and_undefined_are_denials(tmp_path):
    def conflict(name, text):
        extra = "\nrequires_quorum := 3 if input.now > 0\n" if name == "quorum.rego" else ""
        return text + extra

    answer = ask(PolicyEngine(_copy_policies(tmp_path, conflict)), "approval")
    assert not answer.allow
    assert answer.reasons[0] in ("policy_error", "policy_undefined")


@pytest.mark.parametrize("text", [None, "package eucora.approval\nallow if {", "package other"])
def test_policies_that_do_not_load_are_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "a.rego").write_text(text)
    with pytest.raises(PolicyLoadError):
        PolicyEngine(tmp_path)


def test_digest_follows_every_byte(tmp_path, engine):
    changed = PolicyEngine(_copy_policies(tmp_path, lambda _, text: text + "# \n"))
    assert changed.policy_digest != engine.policy_digest


RULE = re.compile(
    r"^(?:deny contains \"(?!missing)|needs_board if).*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL
)
MUTANTS = [
    (path.name, match.group())
    for path in sorted(POLICIES_DIR.glob("*.rego"))
    for match in RULE.finditer(path.read_text())
]


@pytest.mark.parametrize(("file", "rule"), MUTANTS, ids=[f"{f}:{r[:45]}" for f, r in MUTANTS])
def test_a_removed_rule_changes_an_answer(tmp_path, engine, file, rule):
    """Mutation: without the rule, some case of this file is answered differently."""

    def remove(name, text):
        return text.replace(rule, "") if name == file else text

    mutant = PolicyEngine(_copy_policies(tmp_path, remove), time_limit_seconds=30)
    board = [
        ("approval", {"proposal.risk_score": 60.0}),
        ("approval", {"script.analysis.judgeable": False}),
        ("approval", {"script.analysis.severity": "high"}),
        ("approval", {"script.analysis.effects": ["disables_security"]}),
        ("approval", {"device.business_critical": True, "script.blast_radius": "network"}),
    ]
    cases = [(decision, changes) for decision, changes, _ in DENIALS] + board
    assert any(
        (a := ask(engine, *case)).reasons != (b := ask(mutant, *case)).reasons
        or a.requires_quorum != b.requires_quorum
        for case in cases
    )
