# SPDX-License-Identifier: Apache-2.0
"""No denial is lost: what fails, and what stands for nothing, is refused or denies."""

import pytest
from typer.testing import CliRunner

from api.cli import app
from contracts.policy import DECISIONS
from guardrails.errors import PolicyLoadError
from guardrails.policy import POLICIES_DIR, PolicyEngine
from guardrails.policy_cases import read_cases
from guardrails.policy_child import check_version, try_cases
from guardrails.policy_fields import list_paths, read_question_fields
from guardrails.policy_source import PolicySource, read_folder

SOURCE = read_folder(POLICIES_DIR)
FREEZE = 'deny contains "freeze_window" if not input.freeze_active == false'
LINE = SOURCE.files["approval.rego"][: SOURCE.files["approval.rego"].index(FREEZE)].count("\n") + 1
PLAIN = next(
    case.question
    for case in read_cases(SOURCE)
    if case.allow and case.question["decision"] == "approval"
)


def with_freeze(condition: str) -> PolicySource:
    text = SOURCE.files["approval.rego"].replace(
        FREEZE, f'deny contains "freeze_window" if {condition}'
    )
    return PolicySource(files={**SOURCE.files, "approval.rego": text}, cases=SOURCE.cases)


def with_rules(rules: str) -> PolicySource:
    text = f"{SOURCE.files['approval.rego']}\n{rules}\n"
    return PolicySource(files={**SOURCE.files, "approval.rego": text}, cases=SOURCE.cases)


FAILING = [  # built-in functions that fail
    "input.now / (input.proposal.risk_score - 20) > 0",
    "input.now % (input.proposal.risk_score - 20) > 0",
    "input.freeze_active + 1 > 0",
    "not startswith({0: input.freeze_active}[0], `t`) == false",
    "count(input.now) > 0",
    'contains(lower(concat(" ", input.approval.roles)), input.now)',
    "count([y | y := lower({0: input.now}[0])]) > 0",
    "input.now / (input.device.business_critical) > 0",
]


@pytest.mark.parametrize("condition", FAILING)
def test_a_function_that_fails_denies(condition):
    engine = PolicyEngine(with_freeze(condition))
    answer = engine.decide({**PLAIN, "freeze_active": True})
    assert (answer.allow, answer.reasons) == (False, ("policy_error",))


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ('startswith(input.freeze_active, "t")', "startswith takes a text, .* is a truth value"),
        ('lower(input.freeze_active) == "true"', "lower takes a text"),
        ('contains(input.flags, "commands_system")', "contains takes a text, .* is a list"),
        ("sum(input.flags) > 0", "sum takes a list of numbers"),
        ("array.slice(input.now, 0, 1) == []", r"array\.slice takes a list"),
        ("input.freeze_actve == true", "did you mean input.freeze_active"),
        ('input["freeze_actve"] == true', "did you mean input.freeze_active"),
        ("input.script.analysis.judgable == true", "mean input.script.analysis.judgeable"),
        ("input.confidence_threshold > 1", "package eucora.approval answers"),
        ("input.now.seconds > 1", r"input\.now\.seconds is no field"),
        ('object.get(input, "freeze_active", false)', "input is read field by field"),
        ('object.get(input.proposal, "risk_score", 0) > 1', "input.proposal is read field by"),
        ('object.get({"a": 1}, "aa", 0) > 1', "no value has a field aa"),
        ("freeze_active == true", "nothing binds freeze_active.*mean input.freeze_active"),
        ("input.freeze_active != is_frozen_ok", "nothing binds is_frozen_ok"),
        ("frozen(input.freeze)", "frozen cannot be used"),
        ("x in input.flags", "nothing binds x"),
        ("input.flags[i] == `x`", "nothing binds i"),
        ("hello world", "nothing binds hello"),
        ("_ == input.now", "nothing binds _"),
        ("x = input.now", "write == or :="),
        ("common.is_exceptd", "eucora.common has no rule is_exceptd.*mean is_excepted"),
        ("data.eucora.comon.risk > 1", "no package eucora.comon"),
        ("common == 1", "common is a package"),
        ("some x in input.freeze_active", "nothing is in it"),
        ('input.freeze_active == "true"', 'truth value, which never is "true"'),
        ("null == input.freeze_active", "never is null"),
        ('input.script.privilege == "root"', "one of admin, user, and never root"),
        ("is_null(input.now, 1)", "is_null takes 1 arguments, and not 2"),
        ("count() > 0", "count takes 1 arguments, and not 0"),
        ("1e400 < input.now", "1e400 is too large"),
        ("every x in input.flags { x }", "every stands in a body of its own"),
        ("not not input.freeze_active", "write the condition itself"),
        ("input.freeze_active; input.now > 1", "if { FIRST; SECOND }"),
    ],
)
def test_what_can_never_hold_is_refused_with_its_line(condition, complaint):
    with pytest.raises(PolicyLoadError, match=rf"^approval\.rego:{LINE}: .*{complaint}"):
        PolicyEngine(with_freeze(condition))


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ('deny["x"] {\n\tinput.now > 1\n}', 'a body follows if: deny contains "x" if'),
        ("frozen {\n\tinput.now > 1\n}", "a body follows if: frozen if"),
        ('deny contains "x" if {\n\tsome x\n\tx in input.flags\n}', "some x in COLLECTION"),
        ('f(a) := a\n\ndeny contains "x" if f(1, 2) > 1', "f takes 1 arguments, and not 2"),
        ('f(a) := a\n\ndeny contains "x" if f == 1', "f is a function"),
        ('deny contains "x" if {\n\tp := input\n\tp.freez\n}', "input is read field by field"),
        ('deny contains "x" if {\n\tevery x in input.flags {\n\t\tx != ""\n\t}\n\tx == "a"\n}',
         "nothing binds x"),
        ('deny contains "x" if {\n\tcount({y | some y in input.flags}) > 0\n\ty == "a"\n}',
         "nothing binds y"),
        ('deny contains "x" if {\n\tsome a in input.flags\n\ta.b == 1\n}', "has a field b"),
        ('deny contains "x" if {\n\tsome a in input.flags\n\ta["b"] == 1\n}', "has a field b"),
        ("v := u if true else := 2 if {\n\tu := 1\n}", "nothing binds u"),
        ("m[k] := 1 if input.now > 1", "nothing binds k"),
    ],
)  # fmt: skip
def test_names_hold_where_they_are_bound(rules, complaint):
    with pytest.raises(PolicyLoadError, match=rf"^approval\.rego:\d+: .*{complaint}"):
        PolicyEngine(with_rules(rules))


@pytest.mark.parametrize(
    "rules",
    [
        'deny contains "x" if {\n\tsome i, x in input.flags\n\tinput.flags[i] == x\n\tx == "q"\n}',
        'deny contains "x" if {\n\tevery x in input.flags {\n\t\tx == "q"\n\t}\n\tfalse\n}',
        'deny contains "x" if count({lower(x) | some x in input.flags}) > 90',
        'deny contains "x" if input.flags[_] == "q"',
        'limits := {"high": 90}\n\ndeny contains "x" if input.proposal.risk_score > limits.high',
        'f(a, [b, c]) := d if {\n\td := (a + b) + c\n}\n\ndeny contains "x" if f(1, [2, 3]) < 1',
        'v := 1 if input.now < 0 else := w if {\n\tw := 2\n}\n\ndeny contains "x" if v == 1',
        'deny contains "x" if {\n\t[a, b] := [1, 2]\n\ta == b\n}',
        'deny contains "x" if data.eucora.common.risk > 90',
        'deny contains "x" if input["proposal"].risk_score > 90',
    ],
)
def test_ordinary_rego_loads_and_decides(rules):
    assert PolicyEngine(with_rules(rules)).decide(PLAIN).allow


@pytest.mark.parametrize("decision", DECISIONS)
def test_each_field_of_a_question_may_be_asked_for(decision):
    for path, _ in list_paths(read_question_fields(decision)):
        rule = f'deny contains "x" if {{\n\tx := input.{path}\n\tfalse\n\tx == x\n}}\n'
        file = f"{decision}.rego"
        files = {**SOURCE.files, file: f"{SOURCE.files[file]}\n{rule}"}
        PolicyEngine(PolicySource(files=files), decisions=[decision])


def test_a_version_that_fails_for_a_typed_question_is_refused():
    """No case has this risk score: the values that rules compare with are tried."""
    rules = 'deny contains "x" if input.now / (input.proposal.risk_score - 11) < 0'
    line = SOURCE.files["approval.rego"].count("\n") + 2
    with pytest.raises(
        PolicyLoadError, match=rf"^approval\.rego:{line}: deny .*policy_error.*risk_score = 11"
    ):
        check_version(with_rules(rules))


def test_a_value_that_may_be_undefined_is_warned_of():
    rules = 'word := "on" if input.freeze_active == true\n\ndeny contains "x" if word != "on"'
    (warning,) = try_cases(with_rules(rules)).warnings
    assert "word has no value for a question of approval with freeze_active = false" in warning
    assert "add default word := " in warning
    assert try_cases(with_rules(f'default word := "off"\n\n{rules}')).failed
    assert try_cases(SOURCE).warnings == ()


def test_files_that_editors_and_links_spoil_are_read_or_named(tmp_path):
    (tmp_path / "a.rego").write_bytes(b"\xef\xbb\xbfpackage eucora.a\n\nimport rego.v1\n\nx := 1\n")
    assert read_folder(tmp_path).files["a.rego"].startswith("package")
    (tmp_path / "b.rego").mkdir()
    with pytest.raises(PolicyLoadError, match=r"^b\.rego is no file, but a folder: take it away"):
        read_folder(tmp_path)
    (tmp_path / "b.rego").rmdir()
    (tmp_path / "b.rego").symlink_to(tmp_path / "gone.rego")
    with pytest.raises(PolicyLoadError, match=r"^b\.rego is no file, but a link to nothing"):
        read_folder(tmp_path)


def test_a_folder_without_cases_fails_and_says_what_is_needed(tmp_path):
    for name, text in SOURCE.files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(PolicyLoadError, match=r"comes with cases, in cases/\*\.yaml"):
        check_version(read_folder(tmp_path))
    ran = CliRunner().invoke(app, ["policy", "test", str(tmp_path)])
    assert ran.exit_code == 1
    assert "in cases/*.yaml of its folder" in " ".join(ran.output.split())
