# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces
"""Presidio recognisers for our field, and an analyser that never touches the network.

Presidio's own recognisers are replaced: they need a language model, go online for public suffixes,
leave tails, or fire on KB numbers.
"""

import ipaddress
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.expression_index import ExpressionIndex
from guardrails.expression_reach import count_reach
from guardrails.findings import TIMED_CHARACTERS, find_all, make_result
from guardrails.identifier_patterns import (
    LANGUAGE,
    PATTERNS,
    IdentifierPattern,
)
from guardrails.identifier_tokens import TokenRecogniser
from guardrails.need_places import NeedPlaces
from guardrails.other_scripts import OtherScriptRecogniser
from guardrails.pattern_parts import compile_bounded
from guardrails.presidio_runtime import (
    AnalyzerEngine,
    LocalRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from guardrails.requirements import CutText, Requirements, list_set, make_set
from guardrails.street_addresses import StreetAddressRecogniser
from guardrails.table_columns import ColumnRecogniser
from guardrails.text_engine import CHARACTERS_BEFORE, NearbyWords, TextArtifacts, TextEngine
from guardrails.time_budget import left_seconds
from guardrails.vocabulary import is_english
from guardrails.word_recogniser import WordRecogniser

SCORE_THRESHOLD: Final = 0.5
_IPV4: Final = regex.compile(
    r"(?<![\w.])(?<![^\d\s]-)(?<!\d:)\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d|-[A-Za-z]|\.(?:x|\*)\b)"
)
_IPV6: Final = regex.compile(
    r"(?i)(?<![\w:.\])])(?=[0-9a-f:]{0,40}:[0-9a-f:]{0,40}:)[0-9a-f:]{2,38}(?:[0-9a-f]|::)(?:\.\d{1,3}){0,3}(?!\w|:\w|::)"
)
# A dotted number after one of these is a version.
_VERSION_WORDS: Final = regex.compile(
    r"(?i)\b(?:version|releases?|builds?|ver|v|revision|rev|firmware|fw|drivers?|bios|uefi|update|upgraded?"
    r"|to version|chrome|edge|firefox|office|teams|outlook|zoom|webex|java|jre|jdk|python|openssl|kernel"
    r"|anyconnect|forticlient|globalprotect|citrix|vmware|acrobat|reader|onedrive|defender|signature"
    r"|sdk|runtime|plugin|patch|hotfix)(?:[ \t]{1,2}(?:is|was|version|number|no\.?))?[ \t(]{1,2}v?\Z"
)
_CERTAIN_VERSION_WORDS: Final = regex.compile(
    r"(?i)(?:version|release|build|(?<!\p{L})(?:ver|v))[ .:]{0,2}\Z"
)
_PRODUCT: Final = regex.compile(
    r"(?<!\w)\p{Lu}[\p{L}\d]{1,20}[ ](?:(?:&|and)[ ])?(\p{Lu}\p{Ll}{3,20})[ ]\Z"
)
_APP: Final = regex.compile(r"(?i)\b(?:app|client|agent|plugin|add-?in|extension)[ ]v?\Z")
_MAX_MAJOR: Final = 30  # versions count from one
_HAVE_ADDRESSES: Final = frozenset(
    "server host gateway router address network client node proxy firewall switch printer controller"
    " peer endpoint source destination resolver nameserver machine computer device laptop tunnel"
    " range subnet interface from with site".split()
)
_DIGIT: Final = regex.compile(r"\d")
_ZEROS: Final = compile_bounded(r"(?<![\d:A-Fa-f])0+(?=\d)(?=[\d.]*\Z)")
# Public resolvers that helpdesk articles name.
_WELL_KNOWN_ADDRESSES: Final = frozenset(("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"))


class FormRecogniser(LocalRecognizer):
    """All forms of all entities; each is tried only where the text has what it needs.

    One recogniser, because presidio's engine does work for every recogniser of every text.

    Args:
        forms: the patterns.

    """

    def __init__(self, forms: Sequence[IdentifierPattern]) -> None:
        super().__init__(
            supported_entities=sorted({form.entity for form in forms}),
            name="identifier recogniser",
            supported_language=LANGUAGE,
        )
        self._forms = [(form, _compile(form.expression)) for form in forms]
        self._reaches = {form: _count_reach(form) for form in forms}
        self._needs = Requirements([form.needs for form in forms])
        self._index = ExpressionIndex([form.expression for form in forms])
        self._of_digits = make_set(place for place, form in enumerate(forms) if form.digits)

    def load(self) -> None:
        """Do nothing: the forms are in memory."""

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: Any = None,
    ) -> list[RecognizerResult]:
        """Return what matches; an expression that takes too long fails the analysis.

        Raises:
            TimeoutError: a text takes more than 20 s; it must not pass unmasked.

        """
        del entities
        lower = (nlp_artifacts or TextArtifacts(text)).lower_text
        results = []
        possible = self._needs.find_met(CutText(lower)) & self._index.find_possible(text)
        if not _DIGIT.search(text):
            possible &= ~self._of_digits
        is_short = len(text) < TIMED_CHARACTERS
        places = NeedPlaces(lower)
        for place in list_set(possible):
            form, expression = self._forms[place]
            if is_short and not expression.search(text):
                continue  # most have nothing, and an iterator costs more than to know that
            parts = [(0, len(text))]
            if not is_short:
                left_seconds()
                reach = self._reaches[form]
                parts = places.list_near(form.needs, reach, digits=form.digits)
            for first, last in parts:
                for match in find_all(expression, text, first, last):
                    start, end = match.span()
                    if form.trim:
                        end = start + form.trim(text[start:end])
                    if start < end and (not form.check or form.check(text[start:end])):
                        results.append(self._make_result(form, start, end))
        return results

    def _make_result(self, form: IdentifierPattern, start: int, end: int) -> RecognizerResult:
        return make_result(self, form.entity, start, end, form.score, form.context or None)


def _count_reach(form: IdentifierPattern) -> int | None:
    """Return how far from what it needs a form may match: that may be a word of its context."""
    reach = count_reach(form.expression)
    return reach if reach is None or not form.context else reach + CHARACTERS_BEFORE


@cache
def _compile(expression: str) -> Any:
    return regex.compile(expression, regex.VERSION0)


class AddressRecogniser(LocalRecognizer):
    """IP addresses that tell machines apart; loopback, masks and versions stay readable."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["IP"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Do nothing: there is no model."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the addresses."""
        del entities, nlp_artifacts
        results = []
        if text.count(".") > 2:
            for match in _IPV4.finditer(text):
                before = text[max(0, match.start() - 24) : match.start()]
                if _tells_apart(match.group()) and not _is_version(before, match.group()):
                    results.append(make_result(self, "IP", match.start(), match.end(), 0.8))
        if text.count(":") > 1:
            results += [
                make_result(self, "IP", match.start(), match.end(), 0.8)
                for match in _IPV6.finditer(text)
                if _tells_apart(match.group())
            ]
        return results


def _tells_apart(written: str) -> bool:
    """Say whether it is an address, and not one that everybody has."""
    address = _read_address(written)
    if address is None:
        return False
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return False
    plain = str(address)
    return not plain.startswith(("255.", "0.")) and plain not in _WELL_KNOWN_ADDRESSES


def _read_address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, also of parts with zeros before them (`192.168.001.001`)."""
    try:
        return ipaddress.ip_address(_ZEROS.sub("", written))
    except ValueError:
        return None


def _is_version(before: str, written: str) -> bool:
    """Say whether the words before make a dotted number a version; of a private one, fewer do."""
    if _CERTAIN_VERSION_WORDS.search(before):
        return True
    address = _read_address(written)
    is_private = address is not None and address.is_private
    return not is_private and (
        bool(_APP.search(before) and int(written.split(".", 1)[0]) <= _MAX_MAJOR)
        or bool(_VERSION_WORDS.search(before))
        or _is_of_product(before, written)
    )


def _is_of_product(before: str, written: str) -> bool:
    """Say whether a product's name stands before: words with capitals, the last of them English."""
    match = _PRODUCT.search(before)
    word = match[1].lower() if match else ""
    return (
        bool(word)
        and int(written.split(".", 1)[0]) <= _MAX_MAJOR
        and word not in _HAVE_ADDRESSES
        and is_english(word)
    )


def build_analyser(*others: LocalRecognizer) -> AnalyzerEngine:
    """Return an analyser with all our recognisers, offline, ready to use.

    Args:
        others: recognisers beside ours.

    """
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    for recogniser in (
        FormRecogniser(PATTERNS),
        TokenRecogniser(),
        WordRecogniser(),
        AddressRecogniser(),
        StreetAddressRecogniser(),
        ColumnRecogniser(),
        OtherScriptRecogniser(),
        *others,
    ):
        registry.add_recognizer(recogniser)
    return AnalyzerEngine(
        registry=registry,
        nlp_engine=TextEngine(),
        context_aware_enhancer=NearbyWords(),
        supported_languages=[LANGUAGE],
        default_score_threshold=SCORE_THRESHOLD,
    )
