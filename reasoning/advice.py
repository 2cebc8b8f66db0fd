# SPDX-License-Identifier: Apache-2.0
"""What a language model may tell: the question, the closed answer, and how asking ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from contracts.failure import FailureClass
from reasoning.advice_support import Ground, QuotedPassage
from reasoning.untrusted import ChunkId, ScriptId, UntrustedText


class AdviceStatus(StrEnum):
    """How asking the language model ended; only `used` has a say."""

    USED = "used"
    UNAVAILABLE = "unavailable"  # no connection, an error, a redirect, a body that is no answer
    TIMED_OUT = "timed_out"
    TOO_LARGE = "too_large"  # more bytes than an answer may have
    MALFORMED = "malformed"  # not the schema
    OUT_OF_BOUNDS = "out_of_bounds"  # a script or passage that was not offered
    ILLEGIBLE = "illegible"  # control characters, or no words
    MARKUP = "markup"
    TOO_LONG = "too_long"
    FOREIGN_ID = "foreign_id"  # a sentence names what was not offered
    WRONG_LANGUAGE = "wrong_language"
    UNSUPPORTED = "unsupported"  # a sentence that the passages it cites do not support


# Faults that another try may mend, within the same budget of time.
RETRIED = frozenset(AdviceStatus) - {
    AdviceStatus.USED, AdviceStatus.UNAVAILABLE, AdviceStatus.TIMED_OUT, AdviceStatus.TOO_LARGE,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a language model gets to see: masked text, quoted, and the closed lists."""

    text: UntrustedText
    passages: Sequence[QuotedPassage]
    script_ids: Sequence[ScriptId]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviserName:
    """Which model was asked: its name, the configured one, and a digest of both and its place."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is left of an answer after every check: ids that exist, an enum, offsets, a status.

    None of it is text of the model's: `grounds` are characters of the knowledge base.
    """

    status: AdviceStatus
    failure_class: FailureClass | None = None
    script_id: ScriptId | None = None
    citations: tuple[ChunkId, ...] = ()
    grounds: tuple[Ground, ...] = ()
    attempts: tuple[AdviceStatus, ...] = ()  # how each try ended, in order

    def as_json(self) -> dict[str, Any]:
        """Return the advice as plain data, for the state and the evidence."""
        return {
            "status": self.status.value,
            "failure_class": self.failure_class.value if self.failure_class else None,
            "script_id": self.script_id,
            "citations": list(self.citations),
            "grounds": [
                {"chunk_id": ground.chunk_id, "start": ground.start, "end": ground.end}
                for ground in self.grounds
            ],
            "attempts": [status.value for status in self.attempts],
        }


class Adviser(Protocol):
    """Answers a question with closed-schema advice; never raises."""

    @property
    def named(self) -> AdviserName:
        """Which model this is."""
        ...

    async def advise(self, question: Question) -> Advice:
        """Return advice; on any fault of the model, advice that says which."""
        ...


def read_advised_script(advice: Mapping[str, Any] | None) -> ScriptId | None:
    """Return the script that usable advice names."""
    if not advice or advice["status"] != AdviceStatus.USED.value or not advice["script_id"]:
        return None
    return ScriptId(advice["script_id"])
