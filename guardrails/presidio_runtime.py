# SPDX-License-Identifier: Apache-2.0
"""The one place that loads presidio, without the deep-learning library it does not need here.

Presidio imports `transformers` where that is installed, for an engine we never build. That costs
four seconds and 200 MB in every process, so the import is made to fail, which presidio handles.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = "transformers"


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let `import name` fail for a while, unless it has been imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # documented: import raises
    try:
        yield
    finally:
        del sys.modules[name]


with _hidden(_UNUSED):
    from presidio_analyzer import (
        AnalyzerEngine,
        LocalRecognizer,
        Pattern,
        PatternRecognizer,
        RecognizerRegistry,
        RecognizerResult,
    )
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, IbanRecognizer

__all__ = [
    "AnalyzerEngine",
    "CreditCardRecognizer",
    "IbanRecognizer",
    "LocalRecognizer",
    "NoOpNlpEngine",
    "Pattern",
    "PatternRecognizer",
    "RecognizerRegistry",
    "RecognizerResult",
]
