# SPDX-License-Identifier: Apache-2.0
"""The exported embedding model against torch's, and what happens when it cannot be had."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import onnxruntime
import pytest

from retrieval import embedding, embedding_export
from retrieval.embedding import FOLDER_NAME, LazyEmbedder, SentenceEmbedder, open_embedder, readable
from retrieval.embedding_export import (
    MANIFEST_FILE,
    MODEL_FILE,
    REFERENCE_FILE,
    export_onnx,
    find_model,
    load_exported,
)
from retrieval.embedding_onnx import OnnxEmbedder
from retrieval.errors import EmbeddingModelError, EmbeddingRefusedError
from tests.stack.prepared import ROOT, find_exported

TEXTS = [
    "The disk is full",
    "Outlook asks for the password again and again. " * 30,
    "VPN",
    "A long and winding report about a docking station that loses its screens. " * 9,
    "Der Drucker im dritten Stock druckt nur leere Seiten",
    "BitLocker asks for the recovery key after the firmware update",
]
ODD = ["", " \n\t ", "\x00", "\ud800 alone", "x" * 1_000_000, "word " * 200_000, "\U0001f5a8"]


@pytest.fixture(scope="module")
def torch_embedder():
    return SentenceEmbedder()


@pytest.fixture
def folder(tmp_path):
    """A folder of exported models of the test's own, with this model in it."""
    return shutil.copytree(find_exported(), tmp_path / FOLDER_NAME)


@pytest.fixture
def no_export(monkeypatch):
    """Whoever starts an export fails."""
    monkeypatch.setattr(embedding_export.sys, "executable", "/bin/false")


@pytest.fixture
def torch_at_hand(monkeypatch, torch_embedder):
    """Torch's embedder without its loading time."""
    monkeypatch.setattr(embedding, "SentenceEmbedder", lambda: torch_embedder)


async def test_vectors_are_close_to_torchs(embedder, torch_embedder):
    ours, theirs = await embedder.embed(TEXTS), await torch_embedder.embed(TEXTS)
    assert ours.dtype == np.float32
    assert ours.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() > 0.975
    assert cosines.mean() > 0.985
    # No other text is nearer than the same one.
    assert (np.argmax(ours @ theirs.T, axis=1) == np.arange(len(TEXTS))).all()


async def test_odd_texts_are_embedded_by_both(embedder, torch_embedder):
    ours, theirs = await embedder.embed(ODD), await torch_embedder.embed(ODD)
    assert np.isfinite(ours).all()
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert (ours * theirs).sum(axis=1).min() > 0.95
    assert (await embedder.embed([])).shape == (0, 384)
    assert (await torch_embedder.embed([])).shape == (0, 384)


def test_only_what_is_read_is_bounded_and_made_valid():
    assert readable("caf\u00e9 \x00") == "caf\u00e9 \x00"
    assert readable("\ud83d\udda8 and \ud800") == "\U0001f5a8 and \ufffd"
    assert len(readable("x" * 1_000_000)) == embedding.MAX_CHARACTERS


async def test_a_vector_depends_on_its_text_alone(embedder, folder):
    together = await embedder.embed(TEXTS)
    backwards = (await embedder.embed(TEXTS[::-1]))[::-1]
    alone = np.concatenate([await embedder.embed([text]) for text in TEXTS])
    model = find_model(folder) / MODEL_FILE
    on_one_thread = OnnxEmbedder(model, revision="test", n_threads=1).encode(TEXTS)
    for others in (backwards, alone, on_one_thread):
        np.testing.assert_array_equal(together, others)


async def test_what_stores_vectors_learns_which_they_are(folder, torch_embedder):
    lazy = LazyEmbedder(folder)
    assert (lazy.name, lazy.n_dimensions) == ("all-MiniLM-L6-v2", 384)
    with pytest.raises(EmbeddingModelError, match="not loaded yet"):
        _ = lazy.revision
    loaded = await lazy.load()
    assert await lazy.load() is loaded
    assert lazy.revision == loaded.revision == f"int8-{find_model(folder).name[-12:]}"
    assert torch_embedder.revision == f"fp32-{embedding.weights_digest()[:12]}"


def test_a_process_that_embeds_loads_no_torch(folder):
    program = (
        "import sys, pathlib; from retrieval.embedding import open_embedder;"
        "e = open_embedder(pathlib.Path(sys.argv[1])); e.encode(['full disk']);"
        "print(*{'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, folder],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.split() == []


@pytest.mark.parametrize("name", [MODEL_FILE, REFERENCE_FILE, MANIFEST_FILE])
def test_a_file_that_was_changed_cut_or_lost_is_noticed(folder, name):
    path = find_model(folder) / name
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for broken in (changed, content[:middle], b""):
        if name == MANIFEST_FILE and broken is changed:
            continue  # its own text is not protected, what it names is
        path.write_bytes(broken)
        with pytest.raises(EmbeddingModelError, match=r"broken|incomplete"):
            load_exported(path.parent)
    path.unlink()
    with pytest.raises(EmbeddingModelError, match="missing"):
        load_exported(path.parent)


def _seal(model):
    files = {
        name: hashlib.sha256((model / name).read_bytes()).hexdigest()
        for name in (MODEL_FILE, REFERENCE_FILE)
    }
    (model / MANIFEST_FILE).write_text(json.dumps({"sha256": files}))


def test_a_whole_file_that_is_no_model_is_not_used(folder):
    model = find_model(folder)
    (model / MODEL_FILE).write_bytes(b"no model")
    _seal(model)
    with pytest.raises(EmbeddingModelError, match="cannot be loaded"):
        load_exported(model)


def test_vectors_far_from_torchs_are_refused(folder):
    model = find_model(folder)
    reference = np.load(model / REFERENCE_FILE)
    np.save(model / REFERENCE_FILE, reference[::-1])
    _seal(model)
    with pytest.raises(EmbeddingRefusedError, match="cosine"):
        load_exported(model)


def test_torch_takes_over_where_nothing_can_be_written(
    tmp_path, torch_at_hand, torch_embedder, caplog
):
    (tmp_path / "file").write_text("")
    assert open_embedder(tmp_path / "file" / "below") is torch_embedder
    assert "computed by torch" in caplog.text


def test_torch_takes_over_when_the_export_fails(
    tmp_path, no_export, torch_at_hand, torch_embedder, caplog
):
    assert open_embedder(tmp_path) is torch_embedder
    assert "was not exported: exit code 1" in caplog.text


def test_a_refused_export_is_not_tried_again_by_the_same_runtime(
    folder, monkeypatch, torch_at_hand, torch_embedder
):
    model = find_model(folder)
    shutil.rmtree(model)
    tries = []
    monkeypatch.setattr(embedding_export, "export_onnx", tries.append)
    refusal = model.with_name(f"{model.name}.refused")
    refusal.write_text(onnxruntime.__version__)
    assert open_embedder(folder) is torch_embedder
    assert tries == []
    refusal.write_text("1.0")
    assert open_embedder(folder) is torch_embedder
    assert tries == [folder]


def test_what_computes_otherwise_here_is_refused_and_remembered(folder, monkeypatch):
    model = find_model(folder)
    whole, reference = model / MODEL_FILE, np.load(model / REFERENCE_FILE)

    def write(path):
        shutil.copy(whole, path)
        return -reference

    monkeypatch.setattr(embedding_export, "write_onnx", write)
    with pytest.raises(EmbeddingRefusedError):
        embedding_export._make(model)
    assert embedding_export._was_refused(model)
    assert list(folder.glob("*.unfinished")) == []
    load_exported(model)  # what was there is left as it is


def _start_export(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "retrieval.embedding_export", str(folder), str(os.getpid())],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _await(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_after_a_kill_two_at_once_replace_a_broken_model_by_one_whole(folder):
    model = find_model(folder)
    (model / MODEL_FILE).write_bytes(b"half of a mod")
    killed = _start_export(folder)
    _await(lambda: list(folder.glob("*.unfinished")))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert (model / MODEL_FILE).read_bytes() == b"half of a mod"
    both = [_start_export(folder) for _ in range(2)]
    outputs = [one.communicate()[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], outputs
    assert sum("pre-processing" in output for output in outputs) == 1  # one of them worked
    assert sorted(path.name for path in folder.iterdir()) == [model.name, "lock"]
    load_exported(model)


def test_an_export_ends_with_the_process_that_wants_it(tmp_path):
    orphan = subprocess.Popen(
        [sys.executable, "-m", "retrieval.embedding_export", str(tmp_path), "1"], cwd=ROOT
    )
    assert orphan.wait(30) == 1
    export = tmp_path / find_model(tmp_path).name
    assert not export.exists()


def test_an_export_says_why_it_failed(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(EmbeddingModelError, match=r"was not exported: .*lock"):
        export_onnx(tmp_path)
