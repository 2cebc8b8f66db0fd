# SPDX-License-Identifier: Apache-2.0
"""The PII half of `benchmarks.guardrails`: our masking beside presidio's defaults without weights.

`pii.jsonl[.gz]` is scored by presidio-research's span rules and by characters leaked,
`pii_helpdesk.jsonl[.gz]` by masking alone. Names of entities are ours and presidio's, mapped to
those of the file; overall figures do not depend on the mapping, because types do not count there.
"""

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.guardrails_default import build_default_finder
from benchmarks.guardrails_spans import Leakage, Span, SpanScore, Tokeniser
from benchmarks.helpdesk_texts import make_helpdesk_texts
from benchmarks.labelled_files import UnusableFileError, find_file, read_rows
from guardrails.masking import Masker
from guardrails.name_store import FOLDER_NAME, ensure_trained
from guardrails.sanitise import plain_text

THRESHOLDS: Final = (0.7, 0.9)
LAYOUT: Final = '{"text": "...", "spans": [[start, end, type], ...]}'
# Ours -> the types of presidio-research's data; what is missing here has no counterpart there.
FILE_TYPES: Final = {
    "CARD": "CREDIT_CARD",
    "PHONE": "PHONE_NUMBER",
    "EMAIL": "EMAIL_ADDRESS",
    "IBAN": "IBAN_CODE",
    "IP": "IP_ADDRESS",
    "SSN": "US_SSN",
    "LICENCE": "US_DRIVER_LICENSE",
    "DATE": "DATE_TIME",
    "URL": "DOMAIN_NAME",
}
# Where the tests keep theirs, too.
NAME_MODELS: Final = Path(__file__).parents[1] / ".runtime" / FOLDER_NAME
Finder = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text and its personal data as (start, end, type)."""

    text: str
    spans: tuple[Span, ...]


def measure_pii(folder: Path, console: Console) -> dict[str, Any]:
    """Return {"pii": ..., "pii_helpdesk": ...}; `pii` only where the folder has the file.

    Masking as an installation has it, with the name model; two minutes train it the first time.

    Raises:
        UnusableFileError: a file is not in the layout.

    """
    console.print(f"the name model is in {NAME_MODELS}, or is trained now ...")
    ensure_trained(NAME_MODELS)
    masker = Masker(name_models=NAME_MODELS)
    masker.find_spans("Ada Lovelace")  # loads what is loaded with the first text
    finders: dict[str, Finder] = {
        "ours": lambda text: _find_ours(masker, text),
        "default": build_default_finder(),
    }
    figures: dict[str, Any] = {}
    if path := find_file(folder, "pii"):
        texts = read_labelled(path)
        figures["pii"] = {name: measure_spans(texts, find) for name, find in finders.items()}
        _show_general(figures["pii"], len(texts), console)
    figures["pii_helpdesk"] = _measure_helpdesk(folder, finders, console)
    return figures


def _measure_helpdesk(folder: Path, finders: dict[str, Finder], console: Console) -> dict[str, Any]:
    path = find_file(folder, "pii_helpdesk")
    if path:
        texts, source = read_labelled(path), path.name
    else:
        texts = [
            LabelledText(text=text.text, spans=text.spans)
            for text in make_helpdesk_texts()
            if text.half == "reported"
        ]
        source = "own development set, the half of its patterns whose misses were read last"
    figures: dict[str, Any] = {name: measure_leakage(texts, find) for name, find in finders.items()}
    figures["source"] = source
    table = Table("helpdesk texts", "entities fully masked", "characters leaked", title=source)
    for name in finders:
        found = figures[name]
        table.add_row(name, f"{found['fully_masked']:.2%}", f"{found['leaked_chars']:.2%}")
    console.print(table)
    return figures


def measure_spans(texts: Sequence[LabelledText], find: Finder) -> dict[str, Any]:
    """Return F2 at each threshold, overall and per type, what leaks, and the speed on one core."""
    started = time.process_time()
    found = [tuple(find(text.text)) for text in texts]
    seconds = time.process_time() - started
    tokeniser, leakage = Tokeniser(), Leakage()
    scores = [SpanScore(threshold) for threshold in THRESHOLDS]
    for text, spans in zip(texts, found, strict=True):
        leakage.add(text.text, text.spans, spans)
        tokens = tokeniser.split(text.text)
        for score in scores:
            score.add(tokens, text.spans, spans)
    figures: dict[str, Any] = {}
    for score in scores:
        figures[f"f2_iou_{score.threshold}"] = score.overall.f_beta()
        figures[f"at_iou_{score.threshold}"] = {
            "overall": score.overall.summarise(),
            "by_type": {kind: n.summarise() for kind, n in sorted(score.by_type.items())},
        }
    figures["leaked_chars"] = leakage.summarise()["leaked_chars"]
    figures["texts_per_s"] = len(texts) / seconds
    figures["chars_per_s"] = sum(len(text.text) for text in texts) / seconds
    return figures


def measure_leakage(texts: Sequence[LabelledText], find: Finder) -> dict[str, Any]:
    """Return the share of entities fully masked and of their characters leaked."""
    leakage = Leakage()
    for text in texts:
        leakage.add(text.text, text.spans, find(text.text))
    return leakage.summarise()


def read_labelled(path: Path) -> list[LabelledText]:
    """Return the labelled texts of a JSON Lines file, one object with `text` and `spans` a line.

    Raises:
        UnusableFileError: it is not readable or not in this layout.

    """
    return [_read_labelled_row(place, row) for place, row in read_rows(path, LAYOUT)]


def _read_labelled_row(place: str, row: dict[str, Any]) -> LabelledText:
    try:
        text = row["text"]
        spans = tuple((int(start), int(end), str(kind)) for start, end, kind in row["spans"])
    except (ValueError, TypeError, KeyError) as error:
        raise UnusableFileError(f"{place} needs {LAYOUT}: {error}") from error
    if not isinstance(text, str):
        raise UnusableFileError(f"{place} needs {LAYOUT}: text is no string")
    if any(not 0 <= start < end <= len(text) for start, end, _ in spans):
        raise UnusableFileError(f"{place} has a span outside of its text")
    return LabelledText(text=text, spans=spans)


def _find_ours(masker: Masker, text: str) -> list[Span]:
    plain = plain_text(text)
    spans = [(a, b, FILE_TYPES.get(kind, kind)) for a, b, kind in masker.find_spans(plain)]
    return spans if plain == text else _move_spans(plain, text, spans)


def _move_spans(plain: str, text: str, spans: Sequence[Span]) -> list[Span]:
    """Return spans of a text made plain where they stand in the text as it was."""
    places = [0] * (len(plain) + 1)
    matcher = difflib.SequenceMatcher(None, plain, text, autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            places[block.a + step] = block.b + step
    places[-1] = len(text)
    return [(places[start], places[end - 1] + 1, kind) for start, end, kind in spans]


def _show_general(figures: dict[str, Any], n_texts: int, console: Console) -> None:
    table = Table("PII", "ours", "default", title=f"{n_texts:,} general texts")
    rows = ("f2_iou_0.7", "f2_iou_0.9", "leaked_chars", "texts_per_s", "chars_per_s")
    for row in rows:
        table.add_row(row, *(f"{figures[name][row]:,.3f}" for name in ("ours", "default")))
    types: set[str] = set()
    for name in ("ours", "default"):
        types |= {k for k, n in figures[name]["at_iou_0.7"]["by_type"].items() if n["recall"]}
    for kind in sorted(types):
        cells = [figures[name]["at_iou_0.7"]["by_type"].get(kind) for name in ("ours", "default")]
        table.add_row(f"F2 {kind}", *(f"{cell['f2']:.3f}" if cell else "" for cell in cells))
    console.print(table)
