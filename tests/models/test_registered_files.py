# SPDX-License-Identifier: Apache-2.0
"""Models in use are read without MLflow, and are those that MLflow names."""

import dataclasses
import shutil
import subprocess
import sys

import psycopg
import pytest

from models import registered_files
from models.errors import ModelArtifactError, UnknownModelError
from models.mlflow_runs import CARD_FILE
from models.model_file import FILE_NAME
from models.registered_files import (
    RegisteredFile,
    find_by_alias,
    find_by_number,
    find_evaluation,
)
from models.registry import CHAMPION, ModelRegistry
from models.training import NAMES
from tests.stack.prepared import ROOT


@pytest.fixture
def tracking(prepared_postgres) -> str:
    return prepared_postgres.mlflow_dsn.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def registry(tracking, prepared) -> ModelRegistry:
    return ModelRegistry(tracking, prepared.mlruns_dir)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_mlflow_names(name, tracking, registry, monkeypatch):
    found = find_by_alias(tracking, name, CHAMPION)
    assert found is not None
    assert find_by_number(tracking, name, found.version) == found
    loaded = registry.load(name)
    for way in ("find_by_alias", "find_by_number"):
        monkeypatch.setattr(f"models.registry.{way}", lambda *_: None)
    by_mlflow = registry.load(name)
    assert loaded.named == by_mlflow.named == registry.load_version(name, found.version).named
    assert (found.version, found.digest) == (by_mlflow.version, by_mlflow.digest)


@pytest.mark.parametrize("aliased", [True, False])
@pytest.mark.parametrize("name", [None, "health"])
def test_versions_are_listed_as_mlflow_lists_them(name, aliased, registry, monkeypatch):
    listed = registry.list_versions(name, aliased=aliased)
    assert listed
    monkeypatch.setattr("models.registry.list_rows", lambda *_: [])
    assert listed == registry.list_versions(name, aliased=aliased)


def test_a_training_has_the_files_that_mlflow_says(tracking, registry, monkeypatch):
    card = registry.read_evaluation("health", "1", CARD_FILE)
    assert card
    assert registry.read_evaluation("health", "1", "nothing.md") is None
    found = find_evaluation(tracking, "health", "1")
    monkeypatch.setattr("models.registry.find_evaluation", lambda *_: None)
    assert registry.read_evaluation("health", "1", CARD_FILE) == card
    with pytest.raises(UnknownModelError, match="no model 'health' with version '999'"):
        registry.read_evaluation("health", "999", CARD_FILE)
    other = dataclasses.replace(found, digests='{"model-card.md": "0"}')
    monkeypatch.setattr("models.registry.find_evaluation", lambda *_: other)
    with pytest.raises(ModelArtifactError, match="that was changed"):
        registry.read_evaluation("health", "1", CARD_FILE)


def test_mlflow_is_not_imported_for_it(tracking, prepared):
    program = (
        "import sys; from pathlib import Path; from models.registry import ModelRegistry;"
        f"registry = ModelRegistry(sys.argv[1], Path({str(prepared.mlruns_dir)!r}));"
        "registry.list_versions(); registry.read_evaluation('health', '1', 'model-card.md');"
        "first = registry.load('health'); again = registry.load_version('health', first.version);"
        "assert first.digest == again.digest; print('mlflow' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, tracking], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == "False"


def test_what_is_not_found_is_left_to_mlflow(tracking, registry):
    assert find_by_alias(tracking, "no-such-model", CHAMPION) is None
    assert find_by_number(tracking, "health", "999") is None
    assert find_by_alias("sqlite:///nowhere.db", "health", CHAMPION) is None
    with pytest.raises(UnknownModelError, match="no model 'health' with version '999'"):
        registry.load_version("health", "999")


def test_a_database_in_which_mlflow_has_no_tables_yet_is_left_to_it(prepared_postgres, caplog):
    other = prepared_postgres.owner_dsn.replace("postgresql://", "postgresql+psycopg://", 1)
    assert find_by_alias(other, "health", CHAMPION) is None
    assert not caplog.records


@pytest.mark.parametrize(
    "query", ["SELECT v.moved FROM model_versions AS v", "SELECT v.name FROM moved AS v"]
)
def test_tables_that_are_not_as_they_were_are_left_to_mlflow(query, tracking, monkeypatch, caplog):
    queries = {**registered_files.QUERIES, "find_by_number": query}
    monkeypatch.setattr(registered_files, "QUERIES", queries)
    assert find_by_number(tracking, "health", "1") is None
    assert "moved" in caplog.text


def test_a_query_that_is_wrong_is_not_hidden(tracking, monkeypatch):
    monkeypatch.setattr(registered_files, "QUERIES", {"find_by_number": "SELECT FROM WHERE"})
    with pytest.raises(psycopg.errors.SyntaxError):
        find_by_number(tracking, "health", "1")


def test_a_database_that_does_not_answer_is_left_to_mlflow(tmp_path, caplog):
    """MLflow tries again for a minute and a half before it says so: not waited for here."""
    nowhere = f"postgresql+psycopg://nobody@/mlflow?host={tmp_path}"
    assert find_by_number(nowhere, "health", "1") is None
    assert "does not answer" in caplog.text


def test_nothing_else_connects_synchronously():
    modules = {path.relative_to(ROOT).as_posix(): path for path in ROOT.glob("[a-z]*/**/*.py")}
    connecting = {
        name
        for name, path in modules.items()
        if not name.startswith("tests/") and "psycopg.connect(" in path.read_text(encoding="utf-8")
    }
    assert connecting == {"models/registered_files.py"}


@pytest.fixture
def moved(tracking, tmp_path, monkeypatch) -> RegisteredFile:
    """A champion whose folder is a copy of the test's own."""
    found = find_by_alias(tracking, "health", CHAMPION)
    copied = shutil.copytree(found.folder, tmp_path / "copied model")
    made = RegisteredFile(
        name=found.name, version=found.version, source=copied.as_uri(), digest=found.digest
    )
    monkeypatch.setattr("models.registry.find_by_alias", lambda *_: made)
    return made


def test_a_file_that_was_changed_or_is_missing_is_refused(moved, registry):
    assert registry.load("health").digest == moved.digest
    path = moved.folder / FILE_NAME
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelArtifactError, match="was changed"):
        registry.load("health")
    path.unlink()
    with pytest.raises(ModelArtifactError, match="is missing"):
        registry.load("health")


def test_files_elsewhere_and_names_of_two_workspaces_are_left_to_mlflow(tracking, monkeypatch):
    asked = []
    rows = [{"name": "health", "version": "1", "source": "s3://bucket/model", "digest": "0"}]
    monkeypatch.setattr(
        registered_files.psycopg, "connect", lambda *_, **__: _Answering(rows, asked)
    )
    assert find_by_number(tracking, "health", "1") is None
    rows[0]["source"] = "file:///somewhere/model"
    assert find_by_number(tracking, "health", "1") is not None
    rows.append(rows[0])  # of two workspaces
    assert find_by_number(tracking, "health", "1") is None
    assert len(asked) == 3


class _Answering:
    """A connection that answers with given rows."""

    def __init__(self, rows, asked) -> None:
        self._rows, self._asked = rows, asked

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query, values):
        self._asked.append(values)
        return self

    def fetchall(self):
        return self._rows
