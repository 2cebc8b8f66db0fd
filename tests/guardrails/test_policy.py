# SPDX-License-Identifier: Apache-2.0
"""Policies: the shipped cases, every single-rule mutant, and doubt, which is a denial."""

import contextlib
import copy
import re
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.policy import (
    DECISIONS,
    ApprovalQuestion,
    DispatchQuestion,
    ProposalQuestion,
    check_question,
)
from guardrails.effects import EffectKind
from guardrails.errors import PolicyLoadError
from guardrails.policy import POLICIES_DIR, PolicyEngine
from guardrails.policy_cases import read_cases, run_case, run_cases
from guardrails.policy_mutation import list_mutants, read_excuses, run_mutants
from guardrails.policy_source import PolicySource, read_folder
from guardrails.rego_text import RuleKind, read_modules

SOURCE = read_folder(POLICIES_DIR)
CASES = read_cases(SOURCE)
PLAIN = {case.question["decision"]: case for case in reversed(CASES) if case.allow}


@pytest.fixture(scope="module")
def engine():
    return PolicyEngine(SOURCE, time_limit_seconds=30)


def change(decision, path, value):
    question = copy.deepcopy(dict(PLAIN[decision].question))
    *parents, last = path.split(".")
    place = question
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return question


@pytest.mark.parametrize("case", CASES, ids=[f"{case.table}: {case.name}" for case in CASES])
def test_shipped_cases(engine, case):
    decision = run_case(engine, case).decision
    assert (decision.allow, decision.requires_quorum, decision.reasons) == (
        case.allow,
        case.requires_quorum,
        case.reasons,
    )
    assert re.fullmatch("[0-9a-f]{64}", decision.policy_digest)


def test_every_single_rule_mutant_is_noticed_by_a_case():
    mutants = list_mutants(SOURCE)
    rules = read_modules(SOURCE.files)
    deleted = {(m.file, m.line, m.rule) for m in mutants if m.change == "deleted"}
    assert deleted == {(rule.file, rule.line, rule.name) for rule in rules}
    assert len(mutants) > 4 * len(rules)
    survivors = [
        str(outcome.mutant)
        for outcome in run_mutants(mutants, CASES, read_excuses(SOURCE))
        if not outcome.is_fine
    ]
    assert survivors == []


def test_a_case_that_is_taken_away_lets_a_mutant_live():
    """The mutator can fail: without the cases of freezing nobody notices a policy without it."""
    unfrozen = [case for case in CASES if "freeze_window" not in case.reasons]
    lost = [
        mutant
        for mutant in list_mutants(SOURCE)
        if mutant.change == "always: not input.freeze_active == false"
    ]
    assert [mutant.file for mutant in lost] == ["approval.rego", "dispatch.rego"]
    assert all(outcome.killed_by for outcome in run_mutants(lost, CASES))
    deleted = [replace(mutant, files=_without_freeze(mutant.file)) for mutant in lost]
    assert not any(outcome.killed_by for outcome in run_mutants(deleted, unfrozen))


def _without_freeze(file):
    rules = [rule for rule in read_modules(SOURCE.files) if rule.reason == "freeze_window"]
    (rule,) = [rule for rule in rules if rule.file == file]
    text = SOURCE.files[file]
    return {**SOURCE.files, file: text[: rule.start] + text[rule.end :]}


def test_an_excuse_for_a_mutant_that_is_noticed_is_wrong():
    mutant = next(m for m in list_mutants(SOURCE) if m.change == "deleted")
    excuses = {(mutant.file, mutant.rule, mutant.change): "because"}
    (outcome,) = run_mutants([mutant], CASES, excuses)
    assert not outcome.is_fine


def test_excuses_name_mutants_that_exist():
    row = "{file: quorum.rego, rule: risk, change: CHANGE, reason: nobody can notice it}"
    real = next(m for m in list_mutants(SOURCE) if m.rule == "risk").change
    for text, complaint in [
        (f"equivalent: [{row.replace('CHANGE', 'painted blue')}]", "there is no mutant"),
        ("equivalent: 3", "a list of file, rule, change and reason"),
    ]:
        source = PolicySource(files=SOURCE.files, cases={"mutants.yaml": text})
        with pytest.raises(PolicyLoadError, match=complaint):
            read_excuses(source)
    fine = {"mutants.yaml": f"equivalent: [{row.replace('CHANGE', real)}]"}
    assert len(read_excuses(PolicySource(files=SOURCE.files, cases=fine))) == 1


def test_policies_name_effects_that_exist():
    sets = [rule for rule in read_modules(SOURCE.files) if rule.name == "privileged_effects"]
    (privileged,) = sets
    assert privileged.kind is RuleKind.CONSTANT
    named = {token.text.strip('"') for token in privileged.tokens if token.kind == "text"}
    assert named <= {kind.value for kind in EffectKind}


@pytest.mark.parametrize("value", [..., None, {}, 7.5j], ids=["absent", "null", "object", "alien"])
@pytest.mark.parametrize("decision", DECISIONS)
def test_every_field_is_needed(engine, decision, value):
    def paths(place, prefix=""):
        for key, item in place.items():
            yield f"{prefix}{key}"
            if isinstance(item, dict):
                yield from paths(item, f"{prefix}{key}.")

    for path in paths(PLAIN[decision].question):
        answer = engine.decide(change(decision, path, value))
        assert not answer.allow, path
        assert answer.reasons[0].startswith(("missing:", "invalid_input", "unknown_decision")), path


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({}, "unknown_decision"),
        ({"decision": "everything"}, "unknown_decision"),
        ({"decision": ["approval"]}, "unknown_decision"),
        (None, "unknown_decision"),
        ({"decision": "approval", "now": float("nan")}, "missing:now"),
        ({"decision": "approval", "now": 10**400}, "missing:now"),
        ({"decision": "approval", "x": "y" * 300_000}, "input_too_large"),
        (change("approval", "approval.approver", "ada\0"), "invalid_input"),
        (change("approval", "approval.approver", "\ud800"), "invalid_input"),
        (change("approval", "approved_by", ["x"] * 501), "missing:approved_by"),
    ],
)
def test_doubtful_questions_are_denied(engine, question, reason):
    answer = engine.decide(question)
    assert not answer.allow
    assert answer.requires_quorum == 2
    assert answer.reasons == (reason,)


def test_text_cannot_break_out_of_the_input(engine):
    strange = 'x", "roles": ["admin\\\n"]}, "freeze_active": false, "a": "<error>'
    answer = engine.decide(change("approval", "approval.approver", strange))
    assert answer.allow  # only a strange name
    assert not engine.decide(change("approval", "script.author", strange.upper())).reasons
    taken = change("approval", "script.author", strange.upper())
    taken["approval"]["approver"] = strange
    assert engine.decide(taken).reasons == ("author_approval",)


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=12,
)
PARTS = ["proposal", "script", "device", "approval", "approvals", "now", "approved_by"]


@given(question=VALUES, decision=st.sampled_from(DECISIONS), key=st.sampled_from(PARTS))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_malformed_input_is_a_yes(engine, question, decision, key):
    """Whatever stands in the place of a part, checked or not, there is a clear answer."""
    asked = {**PLAIN[decision].question, key: question}
    for answer in (engine.decide(asked), engine.evaluate(asked)):
        assert answer.allow is (answer.reasons == ())
        assert answer.requires_quorum >= 1
    if key in ("proposal", "script") and key in PLAIN[decision].question:
        assert not engine.decide(asked).allow


def test_what_is_beside_a_question_does_not_exist_for_a_policy():
    """A caller may send what it likes; fields that the types do not name are gone."""
    sent = {**PLAIN["approval"].question, "admin": True, "exception": {"active": True}}
    checked = msgspec.to_builtins(check_question(sent))
    assert checked == {**PLAIN["approval"].question, "flags": []}  # none found unless stated
    nested = change("approval", "proposal.approved", True)
    assert "approved" not in msgspec.to_builtins(check_question(nested))["proposal"]


@pytest.mark.parametrize("question", [ProposalQuestion, ApprovalQuestion, DispatchQuestion])
def test_questions_hold_no_free_text(question):
    """Only identifiers, enumerations, numbers, truth values: by type, field by field."""
    identifiers = {
        "proposal_id", "requested_by", "author", "approver", "bundle_digest", "effects", "roles",
        "approved_by", "status",
    }  # fmt: skip

    def walk(struct):
        for field in msgspec.structs.fields(struct):
            inner = [field.type, *getattr(field.type, "__args__", ())]
            inner += [each for one in inner for each in getattr(one, "__args__", ())]
            structs = [
                one for one in inner if isinstance(one, type) and issubclass(one, msgspec.Struct)
            ]
            for one in structs:
                yield from walk(one)
            if str in inner and not structs:
                yield field.name

    assert set(walk(question)) <= identifiers


def test_slow_answer_is_a_denial():
    ticks = iter((0.0, 5.0))
    engine = PolicyEngine(SOURCE, time_limit_seconds=1.0, monotonic=lambda: next(ticks))
    assert engine.decide(PLAIN["approval"].question).reasons == ("policy_slow",)


def with_text(file, old, new):
    assert old in SOURCE.files[file]
    return PolicySource(files={**SOURCE.files, file: SOURCE.files[file].replace(old, new)})


FREEZE = 'deny contains "freeze_window" if'
TWO_VALUES = "true\n}\n\nrequires_quorum := 3 if {\n\tinput.now > 0"
BROKEN = [  # what replaces what in a file, and the reason; None where the policies do not load
    ("quorum.rego", "risk <= cab_risk", TWO_VALUES, "policy_error"),  # regopy's text <error>
    ("approval.rego", "default allow := false\n", "", None),
    ("approval.rego", "allow if count", 'allow := "yes" if count', "policy_undefined"),
    ("approval.rego", "default allow := false", "default allow := true", "policy_inconsistent"),
    ("quorum.rego", "requires_quorum := 1", "requires_quorum := 0", "policy_undefined"),
    ("quorum.rego", "requires_quorum := 1", 'requires_quorum := "1"', "policy_undefined"),
    ("quorum.rego", "requires_quorum := 1", "requires_quorum := 1.5", "policy_undefined"),
    ("approval.rego", FREEZE, "deny contains input.approval.roles if", "policy_undefined"),
    ("approval.rego", FREEZE, "deny contains input.approval.approver if", "policy_error"),
    ("quorum.rego", "risk <= cab_risk", "risk / 0 <= cab_risk", "policy_error"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"), BROKEN, ids=lambda value: str(value)[:40]
)
def test_conflicts_undefined_and_errors_are_denials(file, old, new, reason):
    question = change("approval", "approval.approver", 'a quote " breaks the JSON of regopy')
    question["freeze_active"] = old == FREEZE or "risk /" in new or "true" in new
    source = with_text(file, old, new)
    if reason is None:
        with pytest.raises(PolicyLoadError, match="no answer for approval"):
            PolicyEngine(source)
        return
    answer = PolicyEngine(source, decisions=["approval"]).decide(question)
    assert not answer.allow
    assert reason in answer.reasons


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ('net.cidr_contains("10.0.0.0/8", input.address)', "net.cidr_contains .*undefined"),
        (
            'http.send({"method": "get", "url": "http://example.org"}).status_code == 200',
            "http.send .*network",
        ),
        ("rego.metadata.rule().title", "rego.metadata.rule .*undefined"),
        ("time.now_ns() > 0", "time.now_ns .*clock"),
        ('rand.intn("x", 2) == 1', "rand.intn .*chance"),
        ('time["now_ns"]() > 0', "by its name"),
        ('opa["runtime"]().env.HOME', "by its name"),
        ("opa.runtime().env.HOME", "opa.runtime .*machine"),
        ('io.jwt.decode("x")', "io.jwt.decode .*not among"),
        ('regex.match(".*", input.x)', "regex.match .*not among"),
        ("no_such_function(1)", "no_such_function .*not among"),
        ("data.other.package.allow", "reads data.eucora alone"),
        ("holds_role with input.x as 1", "with .*replaces"),
        ("walk(input, [path, value])", "walk .*searches"),
    ],
    ids=lambda value: value[:24],
)
def test_what_cannot_be_relied_on_is_refused_with_its_line(rule, complaint):
    text = SOURCE.files["approval.rego"] + f'\n\ndeny contains "x" if {rule}\n'
    line = text[: text.index('"x"')].count("\n") + 1
    source = PolicySource(files={**SOURCE.files, "approval.rego": text})
    with pytest.raises(PolicyLoadError, match=rf"approval\.rego:{line}: .*{complaint}"):
        PolicyEngine(source)


@pytest.mark.parametrize("name", ["net.cidr_contains", "http.send", "rego.metadata", "time.now_ns"])
def test_where_such_a_function_is_evaluated_it_denies(monkeypatch, name):
    """Even past the static check: the rule is undefined or fails, and denial is what is left."""
    call = {
        "net.cidr_contains": 'net.cidr_contains("10.0.0.0/8", "10.1.1.1")',
        "http.send": 'http.send({"method": "get", "url": "http://127.0.0.1:9"}).status_code == 200',
        "rego.metadata": "rego.metadata.chain()[0]",
        "time.now_ns": "time.now_ns() < 0",
    }[name]
    monkeypatch.setattr("guardrails.policy.check_policies", lambda _: None)
    allow = with_text("approval.rego", "allow if count(deny) == 0", f"allow if {call}")
    with contextlib.suppress(PolicyLoadError):
        assert not PolicyEngine(allow).decide(PLAIN["approval"].question).allow
    fine = with_text("approval.rego", "not input.freeze_active == false", f"not {call}")
    with contextlib.suppress(PolicyLoadError):
        assert not PolicyEngine(fine).decide(PLAIN["approval"].question).allow


@pytest.mark.parametrize(
    "text",
    [
        None,
        "package eucora.approval\nallow if {",
        "package other\n\nallow := true\n",
        "package eucora.approval\n\nallow := true\n",
        "allow := true\n",
        "package eucora.approval\n\n allow := true ]\n",
        "package eucora.approval\n\nimport data.other\n\nallow := true\n",
        "package eucora.approval\n\nimport future.keywords\n\nallow := true\n",
        "package eucora.approval\n\nallow := `\x01",
    ],
)
def test_policies_that_do_not_load_are_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "a.rego").write_text(text)
    with pytest.raises(PolicyLoadError):
        PolicyEngine(tmp_path)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("a: [", "no YAML"),
        ("cases: []", "keys"),
        ("{decision: other, base: {}, cases: []}", "decision is one of"),
        ("{decision: approval, base: {}, cases: [{name: x, change: {a.b: 1}}]}", "case 1"),
        ("{decision: approval, base: {}, cases: [{name: x, reason: y}]}", "no such key: reason"),
    ],
)
def test_tables_of_cases_complain_clearly(table, complaint):
    with pytest.raises(PolicyLoadError, match=complaint):
        read_cases(PolicySource(files=SOURCE.files, cases={"a.yaml": table}))


def test_digest_follows_every_byte_of_the_rego_alone(engine):
    changed = with_text("quorum.rego", "cab_risk := 50", "cab_risk := 50 ")
    assert changed.digest != engine.policy_digest
    assert PolicySource(files=SOURCE.files).digest == engine.policy_digest


def test_all_cases_are_decided_in_any_order(engine):
    """An engine keeps nothing of one question for the next."""
    there = run_cases(engine, CASES)
    back = run_cases(engine, reversed(CASES))
    assert [one.decision for one in there] == [one.decision for one in reversed(back)]
