# SPDX-License-Identifier: Apache-2.0
"""A version that is refused says what is wrong with it, where, and what to do."""

import pytest

from contracts.policy import DECISIONS
from guardrails.errors import PolicyLoadError, PolicySlowError
from guardrails.policy import PolicyEngine
from guardrails.policy_cases import read_cases
from guardrails.policy_child import check_version
from guardrails.policy_source import PolicySource, read_folder
from tests.guardrails.endless_policy import SOURCE, extend

END = SOURCE.files["approval.rego"].count("\n")
HEAD = "package eucora.approval\n\nimport rego.v1\n\n"
QUORUM = "requires_quorum := 1\n\n"
DENY = 'deny contains "x" if input.freeze_active\n'
AT = f"approval.rego:{END + 2}"


def replace(*rules: str) -> PolicySource:
    return PolicySource(files={**SOURCE.files, "approval.rego": HEAD + "".join(rules)})


BROKEN = {
    "a word too many": (
        extend('\ndeny contains "x" if if\n'),
        [f"{AT}:6: invalid rule head, at 'contains'", "eucora policy test FOLDER"],
    ),
    "no Rego, after a letter of two bytes": (
        extend('\nx := "é"\n\nhello := 1 2\n'),
        [f"approval.rego:{END + 4}:1: invalid literal, at 'hello := 1'"],
    ),
    "a default twice": (
        extend("\ndefault allow := true\n"),
        [f"{AT}: allow has a default already, at approval.rego:8"],
    ),
    "recursion": (
        extend('\na := b\n\nb := a\n\ndeny contains "x" if a\n'),
        ["give no answer for approval", f"computed from itself at {AT}: a -> b -> a"],
    ),
    "a function that calls itself": (
        extend('\nf(x) := f(x)\n\ndeny contains "x" if f(1)\n'),
        [f"itself at {AT}: f -> f"],
    ),
    "a package whose rule is named in brackets": (
        extend('\na := data.eucora.approval["b"]\n\nb := a\n\ndeny contains "x" if a\n'),
        ["data.eucora.approval is a package: write one of its rules"],
    ),
    "two values": (
        extend("\nrequires_quorum := 5\n"),
        [f"requires_quorum has several values at once, by approval.rego:12, {AT}"],
    ),
    "undefined": (
        replace("allow if input.freeze_active\n\n", QUORUM, DENY),
        ["approval.rego:5: allow is undefined", "add default allow := false"],
    ),
    "no quorum": (
        replace("default allow := false\n\n", DENY),
        ["package eucora.approval has no rule requires_quorum"],
    ),
    "a text for a number": (
        replace("default allow := false\n\n", 'requires_quorum := "1"\n\n', DENY),
        ['approval.rego:7: requires_quorum is a whole number from 1 to 100, and not "1"'],
    ),
    "a text for yes": (
        replace('allow := "yes"\n\n', QUORUM, DENY),
        ['approval.rego:5: allow is true or false, and not "yes"'],
    ),
    "a text for a set": (
        replace("allow := false\n\n", QUORUM, 'deny := "x"\n'),
        ["approval.rego:9: deny is a set of reasons"],
    ),
    "a reason that is no code": (
        replace("allow := false\n\n", QUORUM, 'deny contains "Not good <b>" if true\n'),
        ["a reason is a code such as role_missing", 'and not "Not good <b>"'],
    ),
    "a set that is called": (
        extend('\nx contains 1 if true\n\ndeny contains "x" if x(1)\n'),
        [f"approval.rego:{END + 4}: x is a rule and no function"],
    ),
    "a package that is not there": (
        PolicySource(files={"more.rego": "package eucora.more\n\nimport rego.v1\n\nx := 1\n"}),
        ["there is no package eucora.proposal", "there are eucora.more"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_wrong_is_said_with_its_place(what):
    source, expected = BROKEN[what]
    with pytest.raises(PolicyLoadError) as caught:
        PolicyEngine(source)
    told = str(caught.value)
    assert all(words in told for words in expected), told
    assert "rego-error" not in told


def test_the_shipped_policies_have_no_such_fault():
    engine = PolicyEngine(SOURCE)
    assert all(engine.evaluate({"decision": name}).reasons for name in DECISIONS)


def test_cases_that_take_too_long_are_called_slow():
    """Each evaluation takes some time; what is said is the limit that was set."""
    with pytest.raises(PolicySlowError, match=r"cases took longer than 0 s each, such as \w+"):
        check_version(SOURCE, time_limit_seconds=0.0)


def test_files_that_cannot_be_read_are_named_with_the_place(tmp_path):
    (tmp_path / "a.rego").write_bytes(b"package eucora.a\n\xff\n")
    with pytest.raises(PolicyLoadError, match=r"^a\.rego is not UTF-8 .*byte 18 is 0xff.*save it"):
        read_folder(tmp_path)
    source = PolicySource(files=SOURCE.files, cases={"a.yaml": "decision: approval\nbase: [\n"})
    with pytest.raises(PolicyLoadError, match=r"^cases/a\.yaml:3:1: no YAML: expected the node"):
        read_cases(source)
