# SPDX-License-Identifier: Apache-2.0
"""The trained recogniser of names, from the prepared installation, and what it is trained from."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from guardrails import name_store
from guardrails.errors import NameModelError
from guardrails.masking import Masker
from guardrails.name_grammar import expand, parse_pattern
from guardrails.name_lists import NameLists, read_name_lists
from guardrails.name_recogniser import LOOK_AGAIN_SECONDS, NameRecogniser
from guardrails.name_samples import ENTITIES, FillingWords, SampleMaker
from guardrails.name_scoring import NameScorer
from guardrails.name_store import (
    FOLDER_NAME,
    MANIFEST_FILE,
    check_model,
    digest_recipe,
    find_model,
    load_model,
    recipe_digest,
)
from tests.stack.prepared import ROOT, Prepared, find_name_models

MAX_BYTES = 25 * 2**20
MAX_FALSE_PER_1000_WORDS = 0.4
# Family names that no list of ours has, in sentences that no pattern of ours makes.
OUTSIDERS = (
    ("Could you phone Theodora Quillfeather back before noon, the scanner jams again.",
     "Theodora Quillfeather"),
    ("It was Marcin Wrzeszczanek who unplugged the switch in the basement.",
     "Marcin Wrzeszczanek"),
    ("the new dock arrived, Ravi Thottappillil will fetch it on monday", "Ravi Thottappillil"),
    ("Outlook keeps asking for a password\n\nBest wishes\nIngeborg Halvardsrud",
     "Ingeborg Halvardsrud"),
    ("Mrs. Etcheverrigaray wants her old monitor back.", "Etcheverrigaray"),
    ("Laptop was handed to Oluwaseyi Adegbenro yesterday", "Oluwaseyi Adegbenro"),
    ("Printer on floor 2 is jammed, says Hiroaki Tsukinose.", "Hiroaki Tsukinose"),
    ("hi, this is fatemeh rostamkhani from accounting, vpn is down", "fatemeh rostamkhani"),
    ("Please add Zdravko Perkunović to the finance share.", "Zdravko Perkunović"),
    ("Ticket was opened by Guillemette Larochefontaine.", "Guillemette Larochefontaine"),
)  # fmt: skip


@pytest.fixture(scope="module")
def recogniser(prepared: Prepared) -> NameRecogniser:
    return NameRecogniser(prepared.data_dir / FOLDER_NAME)


@pytest.fixture(scope="module")
def samples() -> SampleMaker:
    return _make_samples(seed=3)


@cache
def _read_lists() -> NameLists:
    return read_name_lists()


def _make_samples(seed: int) -> SampleMaker:
    words = FillingWords(common=["a", "window", "slow", "since"], tails=["ing"])
    return SampleMaker(_read_lists(), seed=seed, words=words)


def test_people_whom_no_list_has_are_found(recogniser):
    missed = []
    for text, name in OUTSIDERS:
        start = text.index(name)
        covered = {
            place
            for found in recogniser.find_names(text)
            for place in range(found.start, found.end)
        }
        if not covered >= set(range(start, start + len(name))):
            missed.append(name)
    assert len(missed) <= 1, missed


def test_articles_stay_readable(recogniser):
    """Our own, two thirds of which the model has never seen."""
    n_words, found = 0, []
    for path in sorted((ROOT / "knowledge" / "articles").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        n_words += len(text.split())
        found += [text[name.start : name.end] for name in recogniser.find_names(text)]
    assert 1000 * len(found) / n_words <= MAX_FALSE_PER_1000_WORDS, found


def test_masker_uses_it(prepared):
    masker = Masker(name_models=prepared.data_dir / FOLDER_NAME)
    masked = masker.mask("Please add Zdravko Perkunović to the finance share.")
    assert masked.text == "Please add <PERSON_1> to the finance share."
    assert masker.knows_outsiders
    assert not Masker().knows_outsiders


def test_scores_are_those_of_the_spacy_pipeline():
    model = load_model(find_name_models())
    scorer = NameScorer(model)
    for text, _ in OUTSIDERS:
        doc, starts = model.tokenise(text)
        places, scores = scorer.score(text)
        assert [start for start, _ in places] == starts
        assert np.allclose(scores, model.network.predict([doc])[0], atol=1e-4)


def test_more_words_than_are_kept_change_nothing(monkeypatch):
    monkeypatch.setattr("guardrails.name_scoring._KEPT_WORDS", 8)
    model = load_model(find_name_models())
    few, many = NameScorer(model), NameScorer(model)
    text, _ = OUTSIDERS[0]
    expected = many.score(text)[1]
    for other, _ in OUTSIDERS:
        few.score(other)
    assert np.array_equal(few.score(text)[1], expected)


def test_a_name_in_a_path_or_a_call_is_left_to_patterns(recogniser):
    for text in (
        "see C:\\Data\\Marcin Wrzeszczanek\\old", "run Set-Ingeborg($Halvardsrud)",
        "cd /srv/data/Wrzeszczanek/old",
    ):  # fmt: skip
        assert recogniser.find_names(text) == []


def test_scripts_that_it_never_learnt_are_left_alone(recogniser):
    assert recogniser.find_names("Printer is off\n" + "\n\u0436\u0443\u043a" * 40) == []


def test_nothing_but_spaces_has_no_names(recogniser):
    for text in ("", " ", "\n", "\u200b"):
        assert recogniser.find_names(text) == []


def test_it_is_small(prepared):
    folder = find_model(prepared.data_dir / FOLDER_NAME)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= MAX_BYTES


def test_nothing_is_found_until_a_model_is_there(tmp_path):
    seconds = 100.0
    found_at = []
    with capture_logs() as lines:
        recogniser = NameRecogniser(
            tmp_path / "names",
            lambda: found_at.append(seconds),
            monotonic_seconds=lambda: seconds,
        )
    assert [line["event"] for line in lines] == ["names of outsiders are not recognised"]
    text, name = OUTSIDERS[0]
    assert recogniser.find_names(text) == []
    assert not recogniser.is_trained

    shutil.copytree(find_model(find_name_models()), find_model(tmp_path / "names"))
    assert recogniser.find_names(text) == []  # not looked for with every text
    assert not found_at
    seconds += LOOK_AGAIN_SECONDS
    assert [text[found.start : found.end] for found in recogniser.find_names(text)] == [name]
    assert found_at == [seconds]


@pytest.mark.parametrize("harm", ["changed", "added", "lost", "no manifest"])
def test_a_model_that_was_tampered_with_is_refused(tmp_path, harm):
    model = find_model(tmp_path)
    shutil.copytree(find_model(find_name_models()), model)
    check_model(model)
    weights = next(model.rglob("tagger/model"))
    if harm == "changed":
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
    elif harm == "added":
        (model / "pipeline" / "code.py").write_text("raise SystemExit")
    elif harm == "lost":
        weights.unlink()
    else:
        (model / MANIFEST_FILE).unlink()
    with pytest.raises(NameModelError):
        load_model(tmp_path)
    assert NameRecogniser(tmp_path).find_names(OUTSIDERS[0][0]) == []


def test_the_same_seed_makes_the_same_texts(samples):
    again = _make_samples(seed=3)
    made = [samples.make() for _ in range(200)]
    assert made == [again.make() for _ in range(200)]
    assert made != [_make_samples(seed=4).make() for _ in range(200)]


def test_spans_lie_on_what_they_name(samples):
    entities = set()
    n_without = 0
    for _ in range(2000):
        sample = samples.make()
        end = 0
        for start, stop, entity in sample.spans:
            assert end <= start < stop <= len(sample.text)
            assert sample.text[start:stop].strip(), sample
            end = stop
            entities.add(entity)
        n_without += not sample.spans
    assert entities == set(ENTITIES)
    assert n_without > 800  # negatives matter more than positives


def test_every_pattern_can_be_filled(samples):
    for lines in _read_lists().patterns.values():
        for line in lines:
            pieces = list(expand(parse_pattern(line), samples._chance, samples._fill))
            assert pieces or "|]" in line, line


@pytest.mark.parametrize("line", ["a [b", "a [b|c [d]", "a ] b"])
def test_a_pattern_with_a_lost_bracket_is_refused(line):
    with pytest.raises(ValueError, match="bracket"):
        parse_pattern(line)


def test_another_text_or_module_is_another_recipe(tmp_path: Path):
    shutil.copytree(Path(name_store.__file__).parent, tmp_path / "guardrails")
    digests = [digest_recipe(tmp_path / "guardrails")]
    assert digests == [recipe_digest()]
    for changed in ("name_texts/helpdesk.txt", "name_training.py", "name_lists.py"):
        with (tmp_path / "guardrails" / changed).open("a") as file:
            file.write("\n# another line\n")
        digests.append(digest_recipe(tmp_path / "guardrails"))
    (tmp_path / "guardrails/name_texts/more.txt").write_text("one more\n")
    digests.append(digest_recipe(tmp_path / "guardrails"))
    assert len(set(digests)) == len(digests)
    (tmp_path / "guardrails/name_decoding.py").write_text("how sure is sure enough")
    assert digest_recipe(tmp_path / "guardrails") == digests[-1]
    assert find_model(tmp_path) == tmp_path / recipe_digest()


@pytest.mark.parametrize("name", ["demo-burner", "road-burner", "node_exporter", "kworker"])
def test_processes_and_metrics_are_no_people(recogniser, name):
    for text in (
        name,
        f"process_cpu_percent:{name}",
        f"process {name} has used 97 % of a core in 3 successive reports",
        f"the rule that fires on process_cpu_percent:{name} >= 60 asks for less",
    ):
        assert recogniser.find_names(text) == [], text
