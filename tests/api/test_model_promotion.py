# SPDX-License-Identifier: Apache-2.0
"""From a training to a sealed promotion and back, on a real database and a registry of its own."""

import json
from dataclasses import replace
from functools import partial

import pytest

from api.case_export import export_promotion
from api.errors import NotFoundError
from api.ground import open_registry
from api.model_promotion import Decision, ModelPromotions, mirror_newest
from api.preparation import train_missing
from contracts.canonical import canonical_json
from evidence.signing import public_pem
from evidence.verification import TrustedKeys, extract_case, verify_case
from models.errors import ModelArtifactError, PromotionRefusedError, UnknownModelError
from models.gate import Outcome
from models.promotion import PromotionKind, list_champions, list_promotions
from models.recommender_training import train_recommender
from models.registry import CHAMPION, ModelRegistry
from tests.api.decided_versions import (
    ADA,
    BOOT,
    make_fit,
    open_ground_with_registry,
    register,
    seen,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
async def ground(dsn, tmp_path, clock, empty_registry):
    async with open_ground_with_registry(dsn, tmp_path, clock, empty_registry) as opened:
        yield opened


async def list_events(ground):
    async with ground.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT action, actor, before, after, evidence FROM audit_events"
            " WHERE action LIKE 'model.%' ORDER BY position"
        )
        return await cursor.fetchall()


async def test_a_better_version_is_promoted_and_taken_back(ground):
    promotions = ModelPromotions(ground)
    assert await promotions.record_first("tickets", BOOT) is None  # nothing is trained yet
    poor = register(ground, make_fit(9))
    first = await promotions.record_first("tickets", BOOT)
    assert first.kind is PromotionKind.FIRST
    assert await promotions.record_first("tickets", BOOT) is None
    good = register(ground, make_fit(2_000))
    assert good.champion == poor.version == "1"
    compared = await promotions.compare("tickets", measure=True)
    assert compared.comparison.verdict.outcome is Outcome.PASS
    assert compared.comparison.n_cases == 300
    assert compared.comparison.after.p95_ms > 0
    assert compared.in_use == first
    assert compared.is_with_champion
    promotion = await promotions.promote("tickets", "2", seen(first))
    assert (promotion.version, promotion.previous_version) == ("2", "1")
    assert promotion.previous_id == first.promotion_id
    assert promotion.verdict is Outcome.PASS
    registry = open_registry(ground)
    assert registry.load("tickets").version == "2"
    *_, event = await list_events(ground)
    assert (event["action"], event["actor"]) == ("model.promoted", "user:ada")
    assert (event["before"]["champion"], event["after"]["champion"]) == ("1", "2")
    assert event["evidence"] == [promotion.bundle_digest]

    back = await promotions.roll_back("tickets", seen(promotion))
    assert back.restored_id == first.promotion_id
    assert (back.kind, back.version, back.previous_version) == (PromotionKind.ROLLBACK, "1", "2")
    assert registry.load("tickets").version == "1"
    async with ground.pool.connection() as connection:
        history = await list_promotions(connection, "tickets")
        assert (await list_champions(connection))["tickets"] == history[0]
    assert [one.kind.value for one in history] == ["rollback", "promotion", "first"]


async def test_a_worse_one_fails_and_what_is_unclear_needs_words(ground):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(2_000))
    register(ground, make_fit(9))
    with pytest.raises(PromotionRefusedError, match="nobody can override"):
        await promotions.promote(
            "tickets",
            "2",
            Decision(actor="user:ada", reason="x", correlation_id="c", override=True),
        )
    register(ground, make_fit(2_000))  # the same again
    with pytest.raises(PromotionRefusedError, match="inconclusive"):
        await promotions.promote("tickets", "3", ADA)
    for version, error in (("9", UnknownModelError), ("x", UnknownModelError)):
        with pytest.raises(error):
            await promotions.promote("tickets", version, ADA)
    with pytest.raises(PromotionRefusedError, match="a person"):
        await promotions.promote("tickets", "3", BOOT)
    answered = Decision(actor="cli:ada", reason="as before", correlation_id="c", override=True)
    assert (await promotions.promote("tickets", "3", answered)).verdict is Outcome.INCONCLUSIVE
    actions = [event["action"] for event in await list_events(ground)]
    assert actions.count("model.promotion_refused") == 3
    assert actions[-1] == "model.promoted"
    async with ground.pool.connection() as connection:
        assert [one.version for one in await list_promotions(connection)] == ["3", "1"]


async def test_every_refusal_is_audited(ground):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(9))
    first = await promotions.record_first("tickets", BOOT)
    wordless = replace(ADA, reason="")
    told = []
    for act, match in (
        (lambda: promotions.promote("tickets", "1", seen(first)), "already"),
        (lambda: promotions.promote("tickets", "1", ADA), "does not say which"),
        (lambda: promotions.roll_back("tickets", BOOT), "a person"),
        (lambda: promotions.roll_back("tickets", wordless), "needs a reason"),
        (lambda: promotions.roll_back("tickets", ADA), "does not say which"),
        (lambda: promotions.roll_back("tickets", seen(first)), "no earlier"),
        (lambda: promotions.roll_back("nothing", ADA), "no earlier"),
    ):
        with pytest.raises(PromotionRefusedError, match=match) as refused:
            await act()
        told.append(str(refused.value))
    _, *events = await list_events(ground)
    assert {event["action"] for event in events} == {"model.promotion_refused"}
    assert [event["after"]["detail"] for event in events] == told
    assert [event["after"]["version"] for event in events] == [
        "1", "1", None, None, None, None, None,
    ]  # fmt: skip


async def test_what_is_in_use_is_what_was_promoted_whatever_mlflow_says(ground):
    """Its alias is lost, and a version's recorded digest is that of another file."""
    promotions, registry = ModelPromotions(ground), open_registry(ground)
    name = "recommender"
    for number in (0, 1):
        fit = train_recommender(number, [], lambda _: None)
        register(ground, fit, name)
    first = await promotions.record_first(name, BOOT)
    assert await promotions.is_in_use(name, "1")
    assert not await promotions.is_in_use(name, "2")
    client = registry._client()
    client.delete_registered_model_alias(name, CHAMPION)
    said = []
    missing = partial(train_missing, ground, names=(name,), progress=said.append)
    assert missing(promoted={name: first}) == []
    assert said == []
    register(ground, fit, name, in_use=first)
    assert [one.aliases for one in registry.list_versions(name)] == [("challenger",), (), ()]
    with pytest.raises(ModelArtifactError, match="MLflow does not know it; restore"):
        missing(promoted={name: replace(first, version="9")})
    with pytest.raises(ModelArtifactError, match="was changed"):
        missing(promoted={name: replace(first, digest="0" * 64)})
    client.set_model_version_tag(name, "1", "eucora.sha256", "f" * 64)
    assert not await promotions.is_in_use(name, "1")
    compared = await promotions.compare(name, measure=False)
    assert compared.before.digest == first.digest
    assert compared.is_with_champion
    assert missing(promoted={}) == [name]  # nothing was ever promoted, and no alias says what is


async def test_the_alias_follows_the_newest_promotion_never_an_overtaken_one(ground):
    promotions, registry = ModelPromotions(ground), open_registry(ground)
    register(ground, make_fit(9))
    register(ground, make_fit(2_000))
    await promotions.promote("tickets", "2", ADA)
    registry.mirror_champion("tickets", "1")
    await mirror_newest(ground, registry, "tickets")
    assert registry.load("tickets").version == "2"
    await mirror_newest(ground, registry, "nothing")
    await mirror_newest(ground, ModelRegistry("sqlite:////dev/null/x", ground.settings.mlruns_dir),
                        "tickets")  # fmt: skip


async def test_a_latency_that_is_not_measured_now_is_told_as_of_training(ground, tmp_path):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(9))
    register(ground, make_fit(2_000))
    await promotions.record_first("tickets", BOOT)
    now = await promotions.compare("tickets", measure=True)
    assert "not measured now" not in latency_of(now)
    for path in (tmp_path / "mlruns").rglob("input-example.json"):
        path.write_text("[[1.0, 2.0]]")
    with pytest.raises(ModelArtifactError, match="was changed"):
        await promotions.compare("tickets", measure=True)
    for path in (tmp_path / "mlruns").rglob("input-example.json"):
        path.unlink()
    without = await promotions.compare("tickets", measure=True)
    assert "not measured now (version 2 has no example" in latency_of(without)


def latency_of(compared):
    (found,) = [one for one in compared.comparison.verdict.findings if one.question == "latency"]
    return found.reason


async def test_a_changed_file_is_never_promoted(ground, tmp_path):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(9))
    register(ground, make_fit(2_000))
    for path in (tmp_path / "mlruns").rglob("model.skops"):
        path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelArtifactError, match="was changed"):
        await promotions.promote("tickets", "2", ADA)
    *_, event = await list_events(ground)
    assert event["action"] == "model.promotion_failed"
    async with ground.pool.connection() as connection:
        assert not await list_promotions(connection)


async def test_judgements_that_were_changed_let_nothing_pass(ground, tmp_path):
    register(ground, make_fit(400))
    register(ground, make_fit(30))
    (path,) = [
        each
        for each in (tmp_path / "mlruns").rglob("judgements.json")
        if len(json.loads(each.read_bytes())["judgements"]) > 1  # of the second, beside the first
    ]
    changed = json.loads(path.read_bytes())
    first, second = changed["judgements"]
    judged = changed["judgements"]
    judged[first], judged[second] = judged[second], judged[first]
    path.write_bytes(json.dumps(changed).encode())
    with pytest.raises(ModelArtifactError, match="was changed"):
        await ModelPromotions(ground).promote("tickets", "2", ADA)


async def test_the_evidence_verifies_offline_and_names_the_file(ground, tmp_path):
    promotions = ModelPromotions(ground)
    register(ground, make_fit(9))
    trained = register(ground, make_fit(2_000))
    promotion = await promotions.promote("tickets", "2", ADA)
    content = await export_promotion(ground, promotion.promotion_id)
    keys = TrustedKeys(
        evidence_public_key_pem=public_pem(ground.key_store.evidence_key().public_key()),
        log_public_key_pem=public_pem(ground.key_store.log_key().public_key()),
    )
    report = verify_case(content, keys)
    assert report.passed, report
    (subjects,) = [check for check in report.checks if check.name == "subjects"]
    assert trained.digest in subjects.detail
    extract_case(content, tmp_path / "case")
    files = tmp_path / "case" / "files"
    case = json.loads((files / "case.json").read_bytes())
    assert case["model"]["sha256"] == trained.digest
    assert case["gate"]["verdict"]["outcome"] == "pass"
    assert case["actor"] == "user:ada"
    assert case["previous"]["promotion_id"] == promotion.previous_id
    assert "Says yes or no." in (files / "model-card.md").read_text()
    document = json.loads(content)
    document["files"]["model-card.md"] = document["files"]["case.json"]
    assert not verify_case(canonical_json(document), keys).passed
    with pytest.raises(NotFoundError):
        await export_promotion(ground, "mpr_none")


async def test_a_first_version_below_the_bars_is_no_champion(ground):
    fit = make_fit(2_000)
    fit.model.coef_ = -fit.model.coef_
    trained = register(ground, fit)
    assert trained.comparison.verdict.outcome is Outcome.FAIL
    (listed,) = open_registry(ground).list_versions("tickets")
    assert CHAMPION not in listed.aliases
    with pytest.raises(PromotionRefusedError, match="shares alone"):
        await ModelPromotions(ground).promote("tickets", "1", ADA)
