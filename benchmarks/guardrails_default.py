# SPDX-License-Identifier: Apache-2.0
"""Presidio as it comes, without weights: the rival of `benchmarks.guardrails_pii`.

Its default recognisers on a blank spaCy pipeline, so nothing is downloaded; public suffixes are
those that ship with tldextract. Its entities carry the names of presidio-research's data but for
URL, which is DOMAIN_NAME there.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import spacy
import tldextract

from guardrails.presidio_runtime import AnalyzerEngine, RecognizerRegistry, SpacyNlpEngine

LANGUAGE: Final = "en"
FILE_TYPES: Final = {"URL": "DOMAIN_NAME"}


def build_default_finder() -> Callable[[str], list[tuple[int, int, str]]]:
    """Return a function from a text to presidio's spans, overlaps won by the higher score."""
    # The recogniser of e-mail calls the module's function, which would fetch a list.
    offline: Any = tldextract.TLDExtract(suffix_list_urls=())
    tldextract.extract = offline
    with tempfile.TemporaryDirectory(prefix="eucora-bench-") as name:
        path = Path(name) / "blank"
        spacy.blank(LANGUAGE).to_disk(path)
        engine = SpacyNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": str(path)}])
        engine.load()
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE], nlp_engine=engine)
    analyser = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE])

    def find(text: str) -> list[tuple[int, int, str]]:
        taken: list[tuple[int, int, str]] = []
        results = analyser.analyze(text, LANGUAGE)
        for item in sorted(results, key=lambda item: (-item.score, item.start - item.end)):
            if all(item.end <= start or end <= item.start for start, end, _ in taken):
                kind = FILE_TYPES.get(item.entity_type, item.entity_type)
                taken.append((item.start, item.end, kind))
        return sorted(taken)

    return find
