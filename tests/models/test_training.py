# SPDX-License-Identifier: Apache-2.0
"""Training, the registry on SQLite, and how the trained models answer unseen input.

Health and ticket models take a minute to train: those that `eucora up` has trained are judged.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from contracts.failure import FailureClass as F
from models import mlflow_runs
from models.errors import ModelArtifactError, UnknownModelError
from models.fit import Fit, HeldBack
from models.gate import Outcome
from models.judgement import decode_judgements
from models.model_file import read_model, write_model
from models.promotion import Promotion, PromotionKind
from models.registry import CHAMPION, ModelRegistry
from models.rival import judge_file
from models.skops_runtime import dumps
from models.stages import NoStages
from models.ticket_corpus import build_corpus, expand_template
from models.tickets import classify_ticket
from models.training import (
    CARD_FILE,
    JUDGEMENTS_FILE,
    NAMES,
    Circumstances,
    find_rival,
    register_fit,
    train,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


def terms(registry, *, seed=5, progress=lambda _: None, area=None):
    return {
        "registry": registry,
        "knowledge_dir": KNOWLEDGE,
        "circumstances": Circumstances(
            seed=seed,
            trained_by="cli:dora",
            trained_at=datetime(2026, 1, 2, tzinfo=UTC),
            progress=progress,
            area=area,
        ),
    }


def open_registry(empty_registry, folder):
    """Open a registry of the test's own below a folder, with MLflow's tables already in it."""
    shutil.copy(empty_registry, folder / "mlflow.db")
    return ModelRegistry(f"sqlite:///{folder}/mlflow.db", folder / "artifacts")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, empty_registry):
    folder = tmp_path_factory.mktemp("mlflow")
    registry = open_registry(empty_registry, folder)
    said = []
    first = train("recommender", **terms(registry, seed=5, progress=said.append))
    assert len(said) >= 2
    return registry, first, folder


@pytest.fixture(scope="module")
def ticket_model(champions):
    return champions["tickets"].model


def test_figures(prepared_registry, trained):
    metrics = {}
    for name in NAMES:
        (version,) = prepared_registry.list_versions(name)
        assert CHAMPION in version.aliases
        metrics[name] = version.metrics
    assert metrics["health"]["macro_f1"] > 0.95
    assert metrics["health"]["calibration_error"] < 0.03
    assert metrics["tickets"]["macro_f1"] > 0.65
    assert metrics["tickets"]["calibration_error"] < 0.08
    assert metrics["tickets"]["answered_accuracy"] > 0.8
    for auc in (metrics["recommender"]["auc"], trained[1].metrics["auc"]):
        assert auc > 0.75


def test_loaded_by_alias_with_digest(trained):
    registry, first, _ = trained
    loaded = registry.load("recommender")
    assert loaded.version == first.version == "1"
    assert len(loaded.digest) == 64
    with pytest.raises(UnknownModelError):
        registry.load("recommender", "challenger")
    with pytest.raises(UnknownModelError):
        registry.load("no-such-model")
    with pytest.raises(UnknownModelError):
        registry.mirror_champion("recommender", "99")


def test_second_version_waits_for_a_person(trained):
    registry, _, _ = trained
    again = train("recommender", **terms(registry, seed=6))
    assert again.version == "2"
    assert again.champion == "1"
    assert again.comparison.n_cases > 0
    assert registry.load("recommender").version == "1"
    assert registry.mirror_champion("recommender", "2")
    assert registry.load("recommender").version == "2"
    assert not registry.mirror_champion("recommender", "2")


def promoted(version, digest):
    return Promotion(
        promotion_id="mpr_1", name="recommender", version=version, digest=digest,
        previous_version=None, previous_digest=None, kind=PromotionKind.PROMOTION,
        verdict=Outcome.PASS, actor="user:ada", reason="", bundle_digest="0" * 64,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_the_champion_is_what_postgresql_says_whatever_the_alias_says(trained):
    registry, first, _ = trained
    aliased = registry.load("recommender").version
    assert find_rival(registry, "recommender", None).version == aliased
    for version in {one.version for one in registry.list_versions("recommender")}:
        digest = registry.load_version("recommender", version).digest
        rival = find_rival(registry, "recommender", promoted(version, digest))
        assert (rival.version, rival.loaded.digest) == (version, digest)
    changed = find_rival(registry, "recommender", promoted("1", "0" * 64))
    assert changed.loaded is None
    assert "was changed" in changed.trouble
    gone = find_rival(registry, "recommender", promoted("99", first.digest))
    assert (gone.version, gone.loaded) == ("99", None)
    assert find_rival(registry, "no-such-model", None) is None


def make_fit(n_columns, strength=1.0):
    rng = np.random.default_rng(n_columns)
    inputs = rng.normal(size=(200, n_columns))
    labels = np.where(inputs[:, 0] + rng.normal(size=200) > 0, "yes", "no")
    return Fit(
        model=LogisticRegression(C=strength).fit(inputs[:100], labels[:100]),
        metrics={},
        params={},
        digest_of_data="0" * 64,
        held_back=HeldBack(inputs=inputs[100:], labels=labels[100:]),
    )


def test_why_a_champion_was_not_judged_is_said_and_our_own_errors_are_not_hidden(
    tmp_path, empty_registry
):
    registry, said = open_registry(empty_registry, tmp_path), []
    circumstances = terms(registry, progress=said.append)["circumstances"]

    def register(n_columns, strength=1.0, **given):
        return register_fit(
            registry, "health", make_fit(n_columns, strength), circumstances=circumstances,
            stages=NoStages(), **given,
        )  # fmt: skip

    register(3)
    found = register(4)
    assert "takes 3 features, and these cases have 4" in said[-3]
    assert found.champion == "1"
    assert found.comparison.verdict.outcome is Outcome.INCONCLUSIVE
    assert "takes 3 features" in found.comparison.verdict.findings[0].reason

    def judge_badly(loaded, cases):
        if loaded.digest == champion.digest:
            raise AttributeError("our own mistake")
        return judge_file(loaded, cases)

    champion = registry.load("health")
    with pytest.raises(AttributeError, match="our own"):
        register(3, judge=judge_badly, strength=0.1)


def test_versions_are_listed_by_name_and_beyond_one_page(tmp_path, monkeypatch, empty_registry):
    registry = open_registry(empty_registry, tmp_path)
    model = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
    given = {"metrics": {}, "params": {}, "digest_of_data": "0" * 64}
    for number, name in enumerate(("health", "health", "health", "tickets")):
        registry.log_and_register(name, model, training_id=f"t{number}", **given)
    monkeypatch.setattr(mlflow_runs, "PAGE_SIZE", 1)
    assert [one.version for one in registry.list_versions("health")] == ["3", "2", "1"]
    assert [one.name for one in registry.list_versions()] == ["health"] * 3 + ["tickets"]
    assert [one.version for one in registry.list_versions("health", aliased=True)] == ["1"]
    for name in ("heal", "health' or name = 'tickets", "", "%"):
        assert registry.list_versions(name) == []
    assert registry.log_and_register("health", model, training_id="t0", **given).version == "1"


def test_unknown_name(trained):
    with pytest.raises(UnknownModelError):
        train("x", **terms(trained[0]))


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("my c drive has no space left, I can't save my work", F.DISK_FULL),
        ("there is a process eating 100% cpu and my laptop crawls", F.RUNAWAY_PROCESS),
        ("vpn drops every ten minutes when I work from home", F.WIFI_VPN),
        ("the printer on our floor does nothing, jobs stuck in queue", F.PRINTING),
        ("Outlook won't start, stuck at loading profile", F.MAIL_CLIENT),
        ("the cron service on my machine is not running any more", F.SERVICE_DOWN),
        ("account locked after too many wrong passwords", F.CREDENTIALS),
        ("battery empty after half an hour", F.BATTERY),
        ("clock on the laptop is 15 minutes behind", F.TIME_SKEW),
        ("no sound in calls, headset not detected", F.AUDIO_VIDEO),
    ],
)
def test_tickets_in_words_of_others(ticket_model, text, failure):
    found = classify_ticket(ticket_model, text)
    assert next(iter(found.probabilities)) is failure
    assert not found.abstained


@pytest.mark.parametrize(
    "text", ["", "zzz qqq xyzzy", "please order business cards for me", "\x00" * 9000]
)
def test_tickets_without_a_failure_abstain(ticket_model, text):
    found = classify_ticket(ticket_model, text)
    assert found.abstained
    assert found.failure_class is F.UNKNOWN


def test_what_is_registered_is_enough_to_decide_by(trained):
    registry, first, folder = trained
    card = registry.read_evaluation("recommender", "1", CARD_FILE).decode()
    assert first.digest in card
    assert "cli:dora" in card
    (listed,) = [one for one in registry.list_versions("recommender") if one.version == "1"]
    assert listed.digest_of_data in card
    judgements = decode_judgements(registry.read_evaluation("recommender", "1", JUDGEMENTS_FILE))
    assert first.digest in judgements
    for plot in ("reliability", "coverage", "confusion"):
        assert b"<svg" in registry.read_evaluation("recommender", "1", f"{plot}.svg")
    assert registry.read_evaluation("recommender", "1", "nothing") is None
    for path in folder.glob("artifacts/recommender/*/artifacts/model/MLmodel"):
        assert "signature:" in path.read_text()
    requirements = next(folder.glob("artifacts/recommender/*/artifacts/model/requirements.txt"))
    assert "scikit-learn==" in requirements.read_text()


def test_the_same_seed_and_data_make_the_same_file(trained, tmp_path, empty_registry):
    _, first, _ = trained
    registry = open_registry(empty_registry, tmp_path)
    assert train("recommender", **terms(registry)).digest == first.digest
    assert train("recommender", **terms(registry, seed=7)).digest != first.digest
    model = registry.load("recommender").model
    assert write_model(read_model(write_model(model))) == write_model(model)


KILLED = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")
from tests.models.test_training import terms, ModelRegistry, train
from pathlib import Path
folder, step = Path(sys.argv[1]), int(sys.argv[2])
said = []
def progress(text):
    said.append(text)
    if len(said) == step:
        os.kill(os.getpid(), signal.SIGKILL)
registry = ModelRegistry(f"sqlite:///{folder}/mlflow.db", folder / "artifacts")
train("recommender", **terms(registry, progress=progress, area=folder / "training"))
"""


def test_killed_again_and_again_it_ends_as_if_nothing_had_been(trained, tmp_path, empty_registry):
    _, first, _ = trained
    registry = open_registry(empty_registry, tmp_path)
    for step in (2, 4):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path), str(step)],
            cwd=KNOWLEDGE.parent,
            env={**os.environ, "PYTHONPATH": str(KNOWLEDGE.parent)},
            capture_output=True,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    said = []
    area = tmp_path / "training"
    found = train("recommender", **terms(registry, progress=said.append, area=area))
    assert found.digest == first.digest
    assert [one.version for one in registry.list_versions("recommender")] == ["1"]
    assert not list(area.iterdir())


def test_changed_artifact_is_refused(trained):
    registry, _, folder = trained
    version = registry.load("recommender").version
    paths = list(folder.glob("artifacts/recommender/*/artifacts/model/model.skops"))
    originals = [path.read_bytes() for path in paths]
    for path, original in zip(paths, originals, strict=True):
        path.write_bytes(original + b" ")
    with pytest.raises(ModelArtifactError):
        registry.load("recommender")
    for path, original in zip(paths, originals, strict=True):
        path.write_bytes(original)
    assert registry.load("recommender").version == version


def test_untrusted_types_are_refused(tmp_path):
    source, target = tmp_path / "a.skops", tmp_path / "b.skops"
    source.write_bytes(dumps({"x": 1}))
    with zipfile.ZipFile(source) as archive:
        schema = json.loads(archive.read("schema.json"))
    schema["__class__"], schema["__module__"] = "Popen", "subprocess"
    schema["__loader__"] = "ObjectNode"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ModelArtifactError):
        read_model(target.read_bytes())
    with pytest.raises(ModelArtifactError):
        read_model(b"not an archive")


def test_a_file_that_these_libraries_cannot_build_is_told_as_one():
    """As of another scikit-learn: its state does not suit, which raises an AttributeError."""
    content = write_model(LogisticRegression().fit([[0.0], [1.0]], ["a", "b"]))
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        schema = json.loads(source.read("schema.json"))
        schema["content"] = {
            "__class__": "str", "__module__": "builtins", "__loader__": "JsonNode",
            "content": "3", "is_json": True,
        }  # fmt: skip
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ModelArtifactError, match="AttributeError"):
        read_model(target.getvalue())


def test_every_class_has_enough_phrasings(tmp_path):
    corpus = build_corpus(tmp_path, seed=1)
    for failure in F:
        texts = {example.text for example in corpus.examples if example.label == failure}
        assert len(texts) >= 25, failure


def test_bad_articles_are_named_and_passed_over(tmp_path):
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "good.md").write_text(
        "---\nid: good\ntitle: T\nfailure_class: dns\nsymptoms:\n  - names fail\n---\nbody\n"
    )
    (articles / "bad.md").write_text("---\nsymptoms: [\n---\n")
    (articles / "none.md").write_bytes(b"\xff\xfe")
    corpus = build_corpus(tmp_path, seed=1)
    assert corpus.skipped_articles == ("bad.md", "none.md")
    assert any(example.text == "names fail" for example in corpus.examples)


def test_template_expansion():
    assert expand_template("(a|b) c (|d)") == ["a c", "a c d", "b c", "b c d"]
    assert expand_template(r"inactive \(dead\)") == ["inactive (dead)"]
