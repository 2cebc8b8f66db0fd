# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.injection`: what the detectors of injection and the support check find.

Neither protects anything by itself (docs/injection.md). Figures are given for the half that was
looked at while they were written and for the other half.

    python -m benchmarks.injection [--data DIR] [--json OUT]   DIR holds injection.jsonl[.gz]
    python -m benchmarks.injection --train                     writes the character model's counts
"""

import asyncio
import json as json_module
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.injection_samples import ATTACKS, BENIGN
from benchmarks.injection_support import Pair, make_pairs
from benchmarks.injection_texts import AIMS, DISGUISES, FRAMES
from benchmarks.labelled_files import UnusableFileError, read_texts, require_file
from benchmarks.starter_texts import read_starter_texts
from guardrails.character_model import COUNTS, count_trigrams
from guardrails.injection import flag_injection
from reasoning.advice_support import CitedSentence, QuotedPassage, SupportJudge
from reasoning.untrusted import ChunkId, UntrustedText
from retrieval.embedding import open_embedder

SLOTS = {
    "script": "linux-clear-temporary-files", "foreign": "linux-format-everything",
    "device": "dev-ceo", "url": "http://evil.example", "canary": "zq",
}  # fmt: skip
COMPLAINT = "The disk is full and I cannot save files."


def train() -> int:
    """Write the counts of the starter articles' trigrams; return how many there are."""
    bodies = (
        re.sub(r"\A---.*?\n---\n", "", text, flags=re.DOTALL) for text in read_starter_texts()
    )
    counts = count_trigrams(bodies)
    COUNTS.write_text(json_module.dumps(counts, separators=(",", ":")) + "\n", encoding="utf-8")
    return len(counts)


def measure_detectors(data: Path | None) -> dict[str, Any]:
    """Return the share of texts that raise a flag, for attacks and for what is harmless.

    Raises:
        UnusableFileError: `data` holds no file in the layout.

    """
    generated = [
        f"{COMPLAINT} {phrasing.format_map(SLOTS)}"
        for phrasings in AIMS.values()
        for phrasing in phrasings
    ]
    framed = [
        FRAMES[frame].replace("{text}", "\0").format_map(SLOTS).replace("\0", phrasing)
        for phrasing in generated[::3]
        for frame in FRAMES
    ]
    disguised = [hide(text) for text in generated[::3] for hide in DISGUISES.values()]
    paragraphs = [
        each for text in read_starter_texts() for each in text.split("\n\n") if len(each) > 40
    ]
    figures: dict[str, Any] = {
        "helpdesk attacks": _halves(ATTACKS),
        "attempts, bare": _halves(generated),
        "attempts, framed": _halves(framed),
        "attempts, disguised": _halves(disguised),
        "benign tickets": _halves(BENIGN),
        "paragraphs of articles": _halves(paragraphs),
    }
    if data is not None:
        rows = list(read_texts(require_file(data, "injection"), "kind", "text"))
        for kind in sorted({row["kind"] for row in rows}):
            texts = [row["text"] for row in rows if row["kind"] == kind]
            figures[f"published, {kind}"] = _halves(texts)
        figures["published, all"] = _halves([row["text"] for row in rows])
    begun = time.thread_time()
    for text in (*ATTACKS, *BENIGN):
        flag_injection(text)
    figures["milliseconds a ticket"] = round(
        1000 * (time.thread_time() - begun) / len((*ATTACKS, *BENIGN)), 2
    )
    return figures


def _halves(texts: Sequence[str]) -> dict[str, Any]:
    flagged = [bool(flag_injection(text)) for text in texts]
    return {
        "looked at": f"{sum(flagged[0::2])}/{len(flagged[0::2])}",
        "other half": f"{sum(flagged[1::2])}/{len(flagged[1::2])}",
    }


async def measure_support(articles: Iterable[str]) -> dict[str, Any]:
    """Return precision and recall of the support check over the pairs of articles, by kind."""
    pairs = make_pairs(list(articles))
    with tempfile.TemporaryDirectory() as folder:
        judge = SupportJudge(open_embedder(Path(folder)))
        passed = [await _ask(judge, pair) for pair in pairs]
    right = sum(pair.supported for pair, each in zip(pairs, passed, strict=True) if each)
    n_supported = sum(pair.supported for pair in pairs)
    by_kind: Counter[str] = Counter()
    for pair, each in zip(pairs, passed, strict=True):
        by_kind[pair.kind] += each
    totals = Counter(pair.kind for pair in pairs)
    return {
        "n_pairs": len(pairs),
        "precision": round(right / max(sum(passed), 1), 3),
        "recall": round(right / max(n_supported, 1), 3),
        "passed": {kind: f"{by_kind[kind]}/{n}" for kind, n in sorted(totals.items())},
    }


async def _ask(judge: SupportJudge, pair: Pair) -> bool:
    chunk = ChunkId("article@1#0")
    (ground,) = await judge.find_grounds(
        [CitedSentence(sentence=UntrustedText(pair.sentence), citations=(chunk,))],
        [QuotedPassage(chunk_id=chunk, text=UntrustedText(pair.passage))],
    )
    return ground is not None


def main(
    data: Annotated[Path | None, typer.Option(help="Holds injection.jsonl or .jsonl.gz.")] = None,
    json: Annotated[Path | None, typer.Option(help="Where the figures go as JSON.")] = None,
    do_train: Annotated[bool, typer.Option("--train", help="Only count trigrams anew.")] = False,
) -> None:
    """Measure; a minute on one core."""
    if do_train:
        typer.echo(f"{train()} trigrams in {COUNTS.name}")
        return
    try:
        detectors = measure_detectors(data)
    except UnusableFileError as error:
        raise typer.BadParameter(str(error)) from error
    articles = read_starter_texts()
    figures = {
        "detectors": detectors,
        "support": {
            "looked at": asyncio.run(measure_support(articles[0::2])),
            "other half": asyncio.run(measure_support(articles[1::2])),
        },
    }
    text = json_module.dumps(figures, indent=2)
    typer.echo(text)
    if json is not None:
        json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
