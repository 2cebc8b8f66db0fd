# SPDX-License-Identifier: Apache-2.0
"""The one place that loads presidio, without the deep-learning libraries it does not need here.

Presidio imports `transformers` and `torch` where they are installed, for engines we never build
and to look for a graphics card. That costs seconds and 200 MB in every process.
"""

from kernel.imports import absent

with absent("transformers", "torch"):
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
