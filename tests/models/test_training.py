# SPDX-License-Identifier: Apache-2.0
"""Training, the registry on SQLite, and how the trained models answer unseen input.

Health and ticket models take a minute to train: those that `eucora up` has trained are judged.
"""

import json
import zipfile
from pathlib import Path

import pytest
from skops.io import dumps

from contracts.failure import FailureClass as F
from models.errors import ModelArtifactError, UnknownModelError
from models.health import WINDOW_REPORTS, classify_health
from models.registry import CHAMPION, ModelRegistry, _read_model
from models.ticket_corpus import build_corpus, expand_template
from models.tickets import classify_ticket
from models.training import NAMES, train
from telemetry.fleet_simulator import FleetSimulator, describe_plain_fleet
from telemetry.normalisation import flatten_metrics
from telemetry.simulated_faults import FAULTS, shown_class

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    registry = ModelRegistry(f"sqlite:///{folder}/mlflow.db", folder / "artifacts")
    said = []
    first = train(
        "recommender", registry=registry, knowledge_dir=KNOWLEDGE, seed=5, progress=said.append
    )
    assert len(said) >= 2
    return registry, first, folder


@pytest.fixture(scope="module")
def ticket_model(champions):
    return champions["tickets"].model


@pytest.fixture(scope="module")
def health_model(champions):
    return champions["health"].model


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
        registry.promote("recommender", "99")


def test_second_version_waits_for_a_person(trained):
    registry, _, _ = trained
    again = train(
        "recommender", registry=registry, knowledge_dir=KNOWLEDGE, seed=6, progress=lambda _: None
    )
    assert again.version == "2"
    assert registry.load("recommender").version == "1"
    registry.promote("recommender", "2")
    assert registry.load("recommender").version == "2"


def test_unknown_name(trained):
    with pytest.raises(UnknownModelError):
        train("x", registry=trained[0], knowledge_dir=KNOWLEDGE, seed=1, progress=lambda _: None)


@pytest.mark.parametrize("failure", list(FAULTS))
def test_health_on_unseen_devices(health_model, failure):
    fleet = FleetSimulator(describe_plain_fleet(seed=99, n_devices=12, fault_share=0.0))
    hits = 0
    for device in fleet.devices:
        fleet.plan_fault(device, failure, first_report=5)
        window = [flatten_metrics(fleet.report(device, step)) for step in range(12, 18)]
        hits += classify_health(health_model, window).failure_class is shown_class(failure)
    assert hits >= 10


def test_healthy_and_empty_windows_abstain(health_model):
    model = health_model
    fleet = FleetSimulator(describe_plain_fleet(seed=98, n_devices=60, fault_share=0.0))
    abstained = [
        classify_health(
            model, [flatten_metrics(fleet.report(d, s)) for s in range(WINDOW_REPORTS)]
        ).abstained
        for d in fleet.devices
    ]
    assert sum(abstained) >= 59
    assert classify_health(model, []).failure_class is F.UNKNOWN
    assert classify_health(model, [{}]).abstained


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
        _read_model(target.read_bytes())
    with pytest.raises(ModelArtifactError):
        _read_model(b"not an archive")


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
