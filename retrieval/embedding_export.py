# SPDX-License-Identifier: Apache-2.0
"""The embedding model as an ONNX file in 8 bits: made once from torch's weights, kept in a folder.

A model's folder holds the file, torch's vectors of a few sentences, and the digests of both. It
appears whole or not at all, and is used only while its digests agree and its vectors are close to
torch's on the processor at hand: without the right instructions 8 bits may saturate. The export is
a process of its own, since torch takes most of a gigabyte and does not give it back.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from retrieval.embedding import (
    MODEL_NAME,
    REVISION_DIGITS,
    SentenceEmbedder,
    Vectors,
    weights_digest,
)
from retrieval.embedding_onnx import INPUT, OUTPUT, OnnxEmbedder
from retrieval.errors import EmbeddingModelError, EmbeddingRefusedError

RECIPE = "1: opset 17, mean pooling, unit length, signed 8-bit weights per channel"
OPSET = 17  # the first with layer normalisation as one operator
MIN_COSINE = 0.98  # to torch's vector of the same sentence
EXPORT_SECONDS = 300.0
WATCH_SECONDS = 0.2
MODEL_FILE, REFERENCE_FILE, MANIFEST_FILE = "model.onnx", "reference.npy", "manifest.json"
REFUSED_SUFFIX, UNFINISHED_SUFFIX = ".refused", ".unfinished"
REFERENCE_SENTENCES = (
    "The disk of the laptop is almost full and updates can no longer be installed.",
    "Outlook asks for the password again and again after the VPN connects.",
    "printer offline",
    "Restarting the spooler removes jobs that hang; documents sent meanwhile are printed later.",
)


def find_model(folder: Path) -> Path:
    """Return the folder in which this model's export is, or would be."""
    return folder / f"{MODEL_NAME}-int8-{_export_digest()}"


def _export_digest() -> str:
    content = f"{weights_digest()} {RECIPE}".encode()
    return hashlib.sha256(content).hexdigest()[:REVISION_DIGITS]


def ensure_exported(folder: Path) -> OnnxEmbedder:
    """Load the exported model, made now where it is missing or broken.

    Raises:
        EmbeddingModelError: it cannot be made, or was refused on this machine.
    """
    model = find_model(folder)
    try:
        return load_exported(model)
    except EmbeddingModelError:
        if _was_refused(model):
            raise
    export_onnx(folder)
    return load_exported(model)


def load_exported(model: Path) -> OnnxEmbedder:
    """Load a model's folder, after a check of its digests and of what it computes.

    Raises:
        EmbeddingRefusedError: its vectors are not torch's.
        EmbeddingModelError: it is missing or broken.
    """
    try:
        expected = json.loads((model / MANIFEST_FILE).read_text())["sha256"]
        found = _digest_files(model)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbeddingModelError(f"{model} is missing or incomplete: {error}") from error
    if found != expected:
        raise EmbeddingModelError(f"{model} is broken: its files have other digests")
    embedder = OnnxEmbedder(model / MODEL_FILE, revision=f"int8-{_export_digest()}")
    reference = np.load(model / REFERENCE_FILE, allow_pickle=False)
    cosine = float((embedder.encode(REFERENCE_SENTENCES) * reference).sum(axis=1).min())
    if not cosine >= MIN_COSINE:
        raise EmbeddingRefusedError(f"{model} is refused: cosine {cosine:.4f} to torch's vectors")
    return embedder


def _digest_files(model: Path) -> dict[str, str]:
    digests = {}
    for name in (MODEL_FILE, REFERENCE_FILE):
        with (model / name).open("rb") as content:
            digests[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return digests


def _was_refused(model: Path) -> bool:
    """Whether this runtime's export was refused here: another one may compute better."""
    try:
        return _refusal(model).read_text() == str(onnxruntime.__version__)
    except OSError:
        return False


def _refusal(model: Path) -> Path:
    return model.with_name(model.name + REFUSED_SUFFIX)


def export_onnx(folder: Path) -> None:
    """Make the exported model in a process of its own; of several at once one does the work.

    Raises:
        EmbeddingModelError: it could not be made, with the process's last words.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        done = subprocess.run(
            [sys.executable, "-m", "retrieval.embedding_export", str(folder), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=EXPORT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddingModelError(f"the embedding model was not exported: {error}") from error
    if done.returncode:
        words = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise EmbeddingModelError(f"the embedding model was not exported: {words}")


def main(folder: Path, parent: int) -> None:
    """Export, unless somebody else has done so meanwhile; the process that `export_onnx` starts."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    model = find_model(folder)
    with _alone(folder):
        try:
            load_exported(model)
        except EmbeddingModelError:
            _make(model)


def _end_with(parent: int) -> None:
    """End this process at once when its parent has gone; what it leaves is not taken for whole."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the operating system takes from the dead."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(model: Path) -> None:
    for leftover in model.parent.glob(f"*{UNFINISHED_SUFFIX}"):
        shutil.rmtree(leftover)  # of one that was killed: whoever works holds the lock
    unfinished = Path(tempfile.mkdtemp(suffix=UNFINISHED_SUFFIX, dir=model.parent))
    try:
        np.save(unfinished / REFERENCE_FILE, write_onnx(unfinished / MODEL_FILE))
        manifest = {"recipe": RECIPE, "sha256": _digest_files(unfinished)}
        (unfinished / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
        load_exported(unfinished)
        _publish(unfinished, model)
        _refusal(model).unlink(missing_ok=True)
    except EmbeddingRefusedError:
        _refusal(model).write_text(onnxruntime.__version__)
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _publish(unfinished: Path, model: Path) -> None:
    """Make what is written durable, then visible in one step."""
    for path in (*unfinished.iterdir(), unfinished):
        _synchronise(path)
    if model.exists():  # broken, or it would not have come to this
        shutil.rmtree(model)
    unfinished.rename(model)
    _synchronise(model.parent)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_onnx(path: Path) -> Vectors:
    """Write the model in 8 bits; return torch's vectors of the reference sentences."""
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - heavy

    embedder = SentenceEmbedder()
    reference = embedder.encode(REFERENCE_SENTENCES)
    whole = path.with_suffix(".fp32")
    write_float_onnx(embedder, whole)
    quantize_dynamic(whole, path, per_channel=True, weight_type=QuantType.QInt8)
    whole.unlink()
    return reference


def write_float_onnx(embedder: SentenceEmbedder, path: Path) -> None:
    """Write the model as it is, in 32 bits, from token ids to the vector of unit length."""
    import torch  # noqa: PLC0415 - heavy

    transformer = embedder.model[0].auto_model.eval()
    transformer.set_attn_implementation("eager")  # plain operators, which the runtime fuses

    class Pooled(torch.nn.Module):
        """The transformer's hidden states, averaged over the tokens; there is no padding."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, tokens: torch.Tensor) -> Any:
            kinds = torch.zeros_like(tokens)
            inputs = transformer.embeddings(input_ids=tokens, token_type_ids=kinds)
            hidden = transformer.encoder(inputs).last_hidden_state
            return torch.nn.functional.normalize(hidden.mean(dim=1), dim=1)

    with warnings.catch_warnings():
        # The newer exporter needs one more library; torch is pinned to a version that has both.
        for message in ("You are using the legacy TorchScript", "The feature will be removed"):
            warnings.filterwarnings("ignore", message, DeprecationWarning)
        torch.onnx.export(
            Pooled(),
            (torch.ones((1, 8), dtype=torch.long),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {1: "n_tokens"}},
        )


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except (EmbeddingModelError, OSError) as failure:
        sys.exit(str(failure))
