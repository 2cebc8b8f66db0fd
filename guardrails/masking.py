# SPDX-License-Identifier: Apache-2.0
"""Personal data out, pseudonyms in: `Jane Doe` becomes `<PERSON_1>`.

Every call numbers anew, and the same original has the same pseudonym within a call. What a text
already contains in the form of a pseudonym is left alone and its number is not given again, so
masking twice changes nothing. Text is made plain first (guardrails.sanitise), because invisible
characters would hide identifiers. What is personal is found by tables of patterns, by check digits,
by words near a number, by the headers of tables, by the tenant's directory, exactly, and by a small
name model of our own (docs/masking.md).
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from guardrails.directory import Directory
from guardrails.errors import MaskingError
from guardrails.keyed_values import SECRET, entities_of, is_masked_under, list_keyed, may_recur
from guardrails.sanitise import plain_text
from guardrails.time_budget import seconds_for, spend_at_most

if TYPE_CHECKING:
    from guardrails.findings import Span
    from guardrails.masking_engine import MaskingEngine
    from guardrails.pseudonyms import Pseudonyms

MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedText:
    """A text without personal data, and what was taken out.

    Attributes:
        text: safe to log, to store and to give to a model.
        originals: {pseudonym: original}; belongs in the vault and nowhere else.

    """

    text: str
    originals: Mapping[str, str] = field(repr=False)


class Masker:
    """Masks texts and JSON values. Safe to call from several threads.

    Presidio loads slowly, so it is loaded with the first text, or by `warm_up`.

    Args:
        names: people of the directory, to begin with.
        directory: the tenant's, kept fresh by its owner; nothing is masked before it is filled.
        name_models: the folder of the models that recognise names of outsiders; None is without.

    """

    def __init__(
        self,
        names: Iterable[str] = (),
        *,
        directory: Directory | None = None,
        name_models: Path | None = None,
    ) -> None:
        self._name_models = name_models
        self._lock = threading.Lock()
        self._engine: MaskingEngine | None = None
        self._directory = directory or Directory()
        if directory is None:
            self.set_directory(names)

    def set_directory(self, names: Iterable[str], hosts: Iterable[str] = ()) -> None:
        """Replace the names of people, and of hosts, that are masked wherever they stand."""
        fresh = Directory()
        for name in names:
            fresh.add_person(name)
        for host in hosts:
            fresh.add_host(host)
        self._directory.replace(fresh)

    def knows_person(self, text: str) -> bool:
        """Tell whether a short text names a person of the directory; quick for texts that recur."""
        return self._directory.names_person(text)

    def warm_up(self) -> None:
        """Load presidio now (a second or two), so that the first text need not wait."""
        self._obtain_engine()

    def _obtain_engine(self) -> "MaskingEngine":
        if self._engine is not None:
            return self._engine
        with self._lock:
            if self._engine is None:
                from guardrails.masking_engine import MaskingEngine  # noqa: PLC0415 - slow import

                self._engine = MaskingEngine(self._name_models)
            return self._engine

    @property
    def knows_outsiders(self) -> bool:
        """Whether names are recognised that neither directory nor context gives away."""
        return self._obtain_engine().finder.knows_outsiders

    def find_spans(self, text: str) -> "tuple[Span, ...]":
        """Return what `mask` would replace in a plain text: (start, end, entity), in order.

        Raises:
            MaskingError: the analysis failed, or the directory was not read yet; the text must not
                be passed on.

        """
        if not self._directory.is_complete:
            raise MaskingError("the directory of people and devices was not read yet")
        engine = self._obtain_engine()
        found = engine.add_known(engine.finder.find(text), engine.look_up(text, self._directory))
        return engine.add_inferred(text, found, engine.find_echoes(text, found))

    def mask(self, text: str, known: Mapping[str, str] | None = None) -> MaskedText:
        """Return the masked text.

        Args:
            text: any text.
            known: {pseudonym: original} of an earlier call, or known from elsewhere: the numbering
                goes on, and these originals are masked wherever they stand as words.

        Raises:
            MaskingError: the analysis failed; the text must not be passed on.

        """
        return self.mask_many((text,), known)[0]

    def mask_many(
        self,
        texts: Sequence[str],
        known: Mapping[str, str] | None = None,
        own: Directory | None = None,
    ) -> tuple[MaskedText, ...]:
        """Mask several texts with one numbering; each has only its own originals.

        Args:
            texts: any texts.
            known: as of `mask`.
            own: people and machines of the case itself, beside those of the directory.

        Raises:
            MaskingError: as of `mask`.

        """
        plain = [plain_text(text) for text in texts]
        pseudonyms = self._obtain_engine().number(plain, known or {}, own)
        with spend_at_most(seconds_for(len(plain), sum(map(len, plain)))):
            found = self._find_all(plain, pseudonyms)
            return tuple(self._write(text, found[text], pseudonyms) for text in plain)

    def mask_value(self, value: Any) -> Any:
        """Return a JSON value with all its strings masked, keys too, with one numbering.

        A string under a key such as `hostname` or `user` is masked whole, and so is all that
        stands under `password` and its like (guardrails.keyed_values).

        Raises:
            MaskingError: the value is nested deeper than 64 or is not JSON.

        """
        return self.mask_document(value)[0]

    def mask_document(
        self,
        value: Any,
        known: Mapping[str, str] | None = None,
        own: Directory | None = None,
        taken: Mapping[str, int] | None = None,
    ) -> tuple[Any, dict[str, str]]:
        """Return a masked JSON value as `mask_value` does, and {pseudonym: original}.

        Arguments are as of `mask_many`, and `taken` the greatest number by kind of pseudonym up to
        which none is given; the originals hold what was known, too.

        Raises:
            MaskingError: the value is nested deeper than 64 or is not JSON.

        """
        texts: list[str] = []
        _collect_texts(value, texts, 0)
        pseudonyms = self._obtain_engine().number(texts, known or {}, own, taken or {})
        for entity, keyed in list_keyed(value):
            pseudonyms.give(entity, keyed)
            if may_recur(keyed):
                pseudonyms.mask_everywhere(entity, keyed)
        with spend_at_most(seconds_for(len(texts), sum(map(len, texts)))):
            found = self._find_all(texts, pseudonyms)
            return self._mask_json(value, found, pseudonyms), pseudonyms.originals

    def _find_all(
        self, texts: Iterable[str], pseudonyms: "Pseudonyms"
    ) -> "dict[str, tuple[Span, ...]]":
        """Return what is found in each text; what one gives away is masked in all from now on."""
        engine = self._obtain_engine()
        found = {text: self.find_spans(text) for text in texts}
        for text, spans in found.items():
            for entity, word in engine.list_echoes(text, spans):
                pseudonyms.mask_echo(entity, word)
        return found

    def _mask_json(
        self,
        value: Any,
        found: "Mapping[str, tuple[Span, ...]]",
        pseudonyms: "Pseudonyms",
        entity: str | None = None,
    ) -> Any:
        """Return a masked JSON value; `entity` is what its key says that it is."""
        if isinstance(value, str):
            plain = plain_text(value)
            if is_masked_under(entity, plain):
                return pseudonyms.give(str(entity), plain)
            return self._write(plain, found[plain], pseudonyms).text
        if isinstance(value, Mapping):
            masked: dict[str, Any] = {}
            given: dict[str, int] = {}
            for key, said in entities_of(value, entity):
                plain = plain_text(key)
                name = self._write(plain, found[plain], pseudonyms).text
                masked[_find_free(name, masked, given)] = self._mask_json(
                    value[key], found, pseudonyms, said
                )
            return masked
        if isinstance(value, list | tuple):
            return [self._mask_json(item, found, pseudonyms, entity) for item in value]
        if entity == SECRET and isinstance(value, int | float) and not isinstance(value, bool):
            return pseudonyms.give(entity, str(value))
        return value

    def _write(self, text: str, found: "Sequence[Span]", pseudonyms: "Pseudonyms") -> MaskedText:
        engine = self._obtain_engine()
        known = engine.add_known(found, pseudonyms.find_known(text))
        spans = engine.add_inferred(text, known, pseudonyms.find_echoes(text))
        masked = engine.writer.write(text, spans, pseudonyms)
        given = [pseudonyms.give(entity, text[start:end]) for start, end, entity in spans]
        originals = {pseudonym: pseudonyms.original_of(pseudonym) for pseudonym in given}
        return MaskedText(text=masked, originals=MappingProxyType(originals))


def _find_free(name: str, taken: Mapping[str, Any], given: dict[str, int]) -> str:
    """Return a key that is not taken: two that name one person become one pseudonym.

    `given` has the last number of each name that had to have one.
    """
    free = name
    while free in taken:
        given[name] = given.get(name, 1) + 1
        free = f"{name} ({given[name]})"
    return free


def _collect_texts(value: Any, texts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MaskingError("the value is nested too deeply")
    if isinstance(value, str):
        texts.append(plain_text(value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise MaskingError("a key is not a string")
            texts.append(plain_text(key))
            _collect_texts(item, texts, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect_texts(item, texts, depth + 1)
    elif not (value is None or isinstance(value, bool | int | float)):
        raise MaskingError(f"{type(value).__name__} is not JSON")
