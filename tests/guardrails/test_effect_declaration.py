# SPDX-License-Identifier: Apache-2.0
"""A manifest declares all that its script does, or the difference is named with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.effect_declaration import compare_effects, declare_effects
from guardrails.effects import EffectKind, EffectSeverity

STEPS = ("detect", "remediate", "verify")
EFFECTS = st.lists(
    st.fixed_dictionaries(
        {
            "step": st.sampled_from(STEPS),
            "kind": st.sampled_from([kind.value for kind in EffectKind]),
            "severity": st.sampled_from([severity.value for severity in EffectSeverity]),
            "line": st.integers(1, 500),
            "detail": st.just("a command"),
        }
    ),
    max_size=12,
)


def effect(**changes):
    return {
        "step": "remediate", "kind": "deletes_files", "severity": "medium", "line": 7,
        "detail": "rm -f -- x", **changes,
    }  # fmt: skip


def compare(effects, declared):
    return compare_effects(effects, declared, steps=STEPS)


@given(effects=EFFECTS)
def test_what_is_declared_from_the_effects_declares_them_exactly(effects):
    found = compare(effects, declare_effects(effects))
    assert not found.blocks
    assert found.unused == ()


@given(effects=EFFECTS.filter(bool))
def test_no_effect_passes_an_empty_declaration(effects):
    found = compare(effects, {})
    kinds = {(one["step"], one["kind"], one["severity"]) for one in effects}
    assert {(one.step, one.kind, one.severity) for one in found.undeclared} == kinds


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"remediate": {}},
        {"detect": {"deletes_files": "critical"}},  # of another step
        {"remediate": {"ends_processes": "critical"}},  # another effect
        {"remediate": {"deletes_files": "low"}},  # milder
        {"remediate": {"deletes_files": "unheard_of"}},
    ],
)
def test_an_undeclared_effect_is_named_with_its_line_command_and_what_to_do(declared):
    (found,) = compare([effect()], declared).undeclared
    words = found.explain()
    assert "remediate, line 7: 'rm -f -- x' deletes_files (medium)" in words
    assert "under effects/remediate" in words


def test_more_severe_than_found_is_allowed_and_unused_is_only_said():
    found = compare(
        [effect()], {"remediate": {"deletes_files": "high"}, "verify": {"downloads": "low"}}
    )
    assert not found.blocks
    assert found.unused == (("verify", "downloads"),)


def test_the_vocabulary_is_closed():
    found = compare(
        [], {"rollback": {}, "detect": {"does_magic": "low"}, "verify": {"downloads": "awful"}}
    )
    assert found.blocks
    assert found.unknown == (
        "the script has no step rollback",
        "effects/detect: does_magic is no effect",
        "effects/verify/downloads: awful is no severity",
    )
