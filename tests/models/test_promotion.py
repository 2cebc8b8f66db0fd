# SPDX-License-Identifier: Apache-2.0
"""When a person may put a version to use, and where a rollback leads."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import PromotionRefusedError, RegistryError, UnknownModelError
from models.gate import Finding, Outcome, Verdict
from models.promotion import (
    Promotion,
    PromotionKind,
    check_in_use,
    check_promotion,
    check_rollback,
    find_previous,
)
from models.registry import ModelRegistry

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def verdict(*outcomes: Outcome) -> Verdict:
    return Verdict(
        findings=tuple(
            Finding(question=f"q{n}", outcome=one, reason=f"because {one}")
            for n, one in enumerate(outcomes)
        )
    )


PERSON = {"actor": "user:ada", "label": "tickets 2"}


def test_a_passing_gate_needs_a_person_and_no_words():
    check_promotion(verdict(Outcome.PASS), **PERSON, reason="", override=False)
    for actor in ("system:bootstrap", "service:ci", "ada"):
        with pytest.raises(PromotionRefusedError, match="a person"):
            check_promotion(
                verdict(Outcome.PASS), actor=actor, label="x", reason="so", override=True
            )


def test_an_inconclusive_gate_is_answered_for_in_words_and_a_failed_one_never():
    unsure = verdict(Outcome.PASS, Outcome.INCONCLUSIVE)
    for reason, override in (("", False), ("", True), ("we want it", False)):
        with pytest.raises(PromotionRefusedError, match="because inconclusive"):
            check_promotion(unsure, **PERSON, reason=reason, override=override)
    check_promotion(unsure, **PERSON, reason="reviewed by hand", override=True)
    failed = verdict(Outcome.INCONCLUSIVE, Outcome.FAIL)
    with pytest.raises(PromotionRefusedError, match="nobody can override: because fail"):
        check_promotion(failed, **PERSON, reason="please", override=True)
    with pytest.raises(PromotionRefusedError, match="characters"):
        check_promotion(verdict(Outcome.PASS), **PERSON, reason="x" * 2001, override=False)
    assert Verdict(findings=()).outcome is Outcome.INCONCLUSIVE


def test_a_rollback_needs_a_person_and_a_reason_of_some_length():
    check_rollback(actor="cli:ada", reason="it answers badly", label="tickets")
    for actor, reason, told in (
        ("system:models", "so", "a person"),
        ("user:ada", "", "needs a reason"),
        ("user:ada", "x" * 2001, "characters"),
    ):
        with pytest.raises(PromotionRefusedError, match=told):
            check_rollback(actor=actor, reason=reason, label="tickets")


def entry(
    number: int, version: str, kind: PromotionKind, restored_id: str | None = None
) -> Promotion:
    return Promotion(
        promotion_id=f"mpr_{number}", name="tickets", version=version, digest=version * 64,
        previous_version=None, previous_digest=None, kind=kind, verdict=Outcome.PASS,
        actor="user:ada", reason="", bundle_digest="0" * 64,
        created_at=datetime(2026, 1, 1, tzinfo=UTC), restored_id=restored_id,
    )  # fmt: skip


@given(steps=st.lists(st.sampled_from(["a", "b", None]), max_size=12))
def test_rollbacks_unwind_promotions_one_by_one(steps):
    """A rollback leads to what was in use before the present champion came, as a stack does."""
    history = [entry(0, "a", PromotionKind.FIRST)]
    stack = [history[0]]
    for number, version in enumerate(steps, start=1):  # versions come again: their order counts
        if version is not None:
            stack.append(entry(number, version, PromotionKind.PROMOTION))
            history.insert(0, stack[-1])
        elif len(stack) == 1:
            with pytest.raises(PromotionRefusedError):
                find_previous(history)
        else:
            stack.pop()
            target = find_previous(history)
            assert target == stack[-1]
            history.insert(
                0, entry(number, target.version, PromotionKind.ROLLBACK, target.promotion_id)
            )


def test_a_decision_is_against_the_promotion_that_was_shown():
    first, second = (entry(number, "a", PromotionKind.PROMOTION) for number in (1, 2))
    check_in_use(None, None, name="tickets")
    check_in_use(second, "mpr_2", name="tickets")
    for in_use, against, told in (
        (second, first.promotion_id, "another than the one"),
        (second, None, "does not say which champion .* --against mpr_2"),
        (None, first.promotion_id, "no promotion of tickets is recorded"),
    ):
        with pytest.raises(PromotionRefusedError, match=told):
            check_in_use(in_use, against, name="tickets")


def test_a_registry_that_does_not_answer_is_no_unknown_model(tmp_path):
    broken = tmp_path / "mlflow.db"
    broken.write_bytes(b"no database at all" * 100)
    registry = ModelRegistry(f"sqlite:///{broken}", tmp_path / "mlruns")
    for act in (
        lambda: registry.mirror_champion("recommender", "1"),
        lambda: registry.load_version("recommender", "1"),
        lambda: registry.log_and_register(
            "recommender", None, metrics={}, params={}, digest_of_data="0" * 64
        ),
    ):
        with pytest.raises(RegistryError):
            act()
    with pytest.raises(UnknownModelError):
        ModelRegistry(f"sqlite:///{tmp_path}/new.db", tmp_path / "m").load_version("x", "1")
