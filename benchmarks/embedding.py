# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.embedding`: the embedding model by torch and by ONNX, side by side.

Each kind is measured in a process of its own, so that memory and loading are its own; the texts
are cut from the starter articles.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console

from benchmarks.figures import Figure, show, store
from benchmarks.starter_texts import ROOT, read_starter_texts
from retrieval.embedding import SentenceEmbedder, Vectors

MEBIBYTE = 1024**2
PASSAGE_WORDS, N_PASSAGES = 180, 96
QUERY_WORDS, N_QUERIES = (20, 80), 40
PASSAGES_SECONDS = 25.0  # the bound that keeps a slow machine's run short
CHILD_SECONDS = 120
Encode = Callable[[Sequence[str]], Vectors]


class Kind(StrEnum):
    """What is measured; the first is what the others are compared with."""

    TORCH_FP32 = "torch fp32"
    TORCH_BF16 = "torch bf16"
    ONNX_FP32 = "ONNX fp32"
    ONNX_INT8 = "ONNX int8"


def cut_texts(n_words: int, n_texts: int) -> list[str]:
    """Return texts of so many words, cut from the starter articles in order."""
    words = " ".join(read_starter_texts()).split()
    starts = [position * n_words % (len(words) - n_words) for position in range(n_texts)]
    return [" ".join(words[start : start + n_words]) for start in starts]


def export_both(folder: Path) -> None:
    """Write `fp32.onnx` and `int8.onnx`; run in a process of its own."""
    from retrieval.embedding_export import write_float_onnx, write_onnx  # noqa: PLC0415 - heavy

    write_onnx(folder / "int8.onnx")
    write_float_onnx(SentenceEmbedder(), folder / "fp32.onnx")


def load(kind: Kind, folder: Path) -> Encode:
    """Load one kind; return what encodes with it."""
    if kind in {Kind.TORCH_FP32, Kind.TORCH_BF16}:
        embedder = SentenceEmbedder()
        if kind is Kind.TORCH_BF16:
            embedder.model.bfloat16()
            embedder.model.eval()
            return lambda texts: _encode_bf16(embedder.model, texts)
        return embedder.encode
    from retrieval.embedding_onnx import OnnxEmbedder  # noqa: PLC0415 - not beside torch

    name = "fp32.onnx" if kind is Kind.ONNX_FP32 else "int8.onnx"
    return OnnxEmbedder(folder / name, revision=kind).encode


def _encode_bf16(model: Any, texts: Sequence[str]) -> Vectors:
    tensors = model.encode(list(texts), convert_to_tensor=True, show_progress_bar=False)
    vectors: Vectors = tensors.float().numpy()
    # Again: at 8 bits of mantissa the model's own lengths are one to the third digit only.
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def measure(kind: Kind, folder: Path) -> dict[str, float]:
    """Measure one kind in this process; leave its vectors in the folder."""
    started = time.perf_counter()
    encode = load(kind, folder)
    encode(["warm up"])
    facts = {"load": time.perf_counter() - started}
    facts["rss"] = psutil.Process().memory_info().rss / MEBIBYTE
    for n_words in QUERY_WORDS:
        seconds = [_time(encode, text) for text in cut_texts(n_words, N_QUERIES)]
        facts[f"p50 {n_words}"], facts[f"p95 {n_words}"] = np.quantile(seconds, (0.5, 0.95)) * 1e3
    passages = cut_texts(PASSAGE_WORDS, N_PASSAGES)
    started = time.perf_counter()
    vectors: list[Vectors] = []
    for start in range(0, N_PASSAGES, 32):
        vectors.append(encode(passages[start : start + 32]))
        if time.perf_counter() - started > PASSAGES_SECONDS:
            break
    found = np.concatenate(vectors)
    facts["rate"] = len(found) / (time.perf_counter() - started)
    facts["rss busy"] = psutil.Process().memory_info().rss / MEBIBYTE
    np.save(folder / f"{kind.name}.npy", found)
    return {name: float(value) for name, value in facts.items()}


def _time(encode: Encode, text: str) -> float:
    started = time.perf_counter()
    encode([text])
    return time.perf_counter() - started


def list_figures(kind: Kind, facts: dict[str, float], folder: Path) -> list[Figure]:
    """Return one kind's figures, with the cosines to torch's vectors of the same passages."""
    found, reference = (np.load(folder / f"{k.name}.npy") for k in (kind, Kind.TORCH_FP32))
    shared = min(len(found), len(reference))
    cosines = (found[:shared] * reference[:shared]).sum(axis=1)
    rows = [
        (f"passages of {PASSAGE_WORDS} words", facts["rate"], "passages/s"),
        *(
            (f"query of {n_words} words, {quantile}", facts[f"{quantile} {n_words}"], "ms")
            for n_words in QUERY_WORDS
            for quantile in ("p50", "p95")
        ),
        ("loaded, with the first text", facts["load"], "s"),
        ("memory when loaded", facts["rss"], "MiB"),
        ("memory after the passages", facts["rss busy"], "MiB"),
        ("cosine to torch fp32, mean", 100 * float(cosines.mean()), "%"),
        ("cosine to torch fp32, lowest", 100 * float(cosines.min()), "%"),
    ]
    return [Figure(name=f"{kind}: {name}", value=value, unit=unit) for name, value, unit in rows]


def _run_child(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.embedding", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=CHILD_SECONDS,
        check=True,
    ).stdout


def main(
    json_path: Annotated[Path | None, typer.Option("--json", help="Figures as JSON.")] = None,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
    kind: Annotated[Kind | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure speed, latency, memory and closeness of each kind; about two minutes."""
    if folder is not None:  # a child: it exports, or measures one kind
        if kind is None:
            export_both(folder)
        else:
            print(json.dumps(measure(kind, folder)))
        return
    console = Console()
    figures = []
    with tempfile.TemporaryDirectory(prefix="eucora-bench-") as name:
        started = time.perf_counter()
        _run_child("--folder", name)
        seconds = time.perf_counter() - started
        figures.append(Figure(name="exporting fp32 and int8", value=seconds, unit="s"))
        for each in Kind:
            console.print(f"measuring {each} ...")
            answer = _run_child("--folder", name, "--kind", each).splitlines()[-1]
            figures += list_figures(each, json.loads(answer), Path(name))
    show("The embedding model on this machine", figures, console)
    if json_path is not None:
        store(figures, json_path)


if __name__ == "__main__":
    typer.run(main)
