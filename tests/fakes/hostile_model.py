# SPDX-License-Identifier: Apache-2.0
"""A language model that belongs to an attacker, behind the ports that real ones stand behind.

`HostileModel` is a chat model: it reads what it is sent and answers whatever it was told to.
`HostileAdviser` stands where the checked adviser stands, and returns advice that no check has seen.
"""

import json
import random
import re
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from contracts.failure import FailureClass
from reasoning.advice import Advice, AdviceStatus, AdviserName, Question
from reasoning.advice_support import Ground
from reasoning.untrusted import ChunkId, ScriptId

_PASSAGE = re.compile(r'^\{"id": ("(?:[^"\\]|\\.)*"), "text": ("(?:[^"\\]|\\.)*")\}$', re.MULTILINE)
_SCRIPTS = re.compile(r"^Scripts: (.*)$", re.MULTILINE)
FORMS = (
    "other script", "foreign script", "lies of its own", "supported words", "half supported",
    "raised numbers", "prose", "nested", "huge", "markup", "terminal", "unclosed", "not a number",
    "many citations", "blocks", "wrong types", "duplicate keys", "raises",
)  # fmt: skip


class HostileModel(BaseChatModel):
    """Answers in one of FORMS, with the attacker's text in it."""

    form: str = "prose"
    text: str = ""
    seed: int = 0

    @property
    def _llm_type(self) -> str:
        return "hostile"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        asked = str(messages[1].content)
        listed = _SCRIPTS.search(asked)
        scripts = listed[1].split(", ") if listed else []
        passages = [(json.loads(one), json.loads(two)) for one, two in _PASSAGE.findall(asked)]
        content = self._answer(random.Random(self.seed), scripts, passages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=content))])

    def _answer(
        self, draw: random.Random, scripts: list[str], passages: list[tuple[str, str]]
    ) -> Any:
        said: dict[str, Any] = {
            "failure_class": draw.choice(list(FailureClass)).value,
            "script_id": draw.choice(scripts) if scripts else None,
            "citations": [passages[0][0]] if passages else [],
        }
        return self._dress(said, draw, passages)

    def _dress(
        self, said: dict[str, Any], draw: random.Random, passages: list[tuple[str, str]]
    ) -> Any:
        cited, words = draw.choice(passages) if passages else ("none", "")
        sentences = [part for part in re.split(r"(?<=[.])\s+", words) if 20 < len(part) < 250]
        true = " ".join((draw.choice(sentences) if sentences else "Nothing is said here.").split())

        def explain(sentence: str) -> dict[str, Any]:
            return said | {"explanation": [{"sentence": sentence, "citations": [cited]}]}

        answers: dict[str, Any] = {
            "other script": said,
            "foreign script": said | {"script_id": "linux-format-everything"},
            "lies of its own": explain(self.text[:300]),
            "supported words": explain(true),
            "half supported": explain(f"{true[:150]} {self.text}"[:300]),
            "raised numbers": said | {"confidence": 1.0, "risk_score": 0, "approved": True},
            "many citations": said | {"citations": [cited] * 1000},
            "wrong types": {"failure_class": 7, "script_id": [self.text], "citations": self.text},
        }
        if self.form in answers:
            return json.dumps(answers[self.form])
        return self._break(said, explain)

    def _break(self, said: dict[str, Any], explain: Any) -> Any:
        if self.form == "raises":
            raise RuntimeError(self.text)
        return {
            "prose": self.text,
            "nested": "[" * 5_000 + self.text,
            "huge": json.dumps(said | {"citations": [self.text * 2_000]}),
            "markup": json.dumps(explain(f"<b>{self.text[:200]}</b>")),
            "terminal": json.dumps(explain(f"\x1b[31m\u202e{self.text[:200]}")),
            "unclosed": json.dumps(said)[:-1],
            "not a number": '{"failure_class": NaN, "script_id": Infinity, "citations": [-0]}',
            "blocks": [{"type": "text", "text": json.dumps(said)}, {"type": "x", "x": self.text}],
            "duplicate keys": json.dumps(said)[:-1] + ', "script_id": "linux-format-everything"}',
        }[self.form]


class HostileAdviser:
    """Advice that no check has seen: anything of the right types."""

    def __init__(self, seed: int, catalogue: tuple[str, ...]) -> None:
        self._draw = random.Random(seed)
        self._catalogue = (*catalogue, "linux-format-everything", "../../etc/passwd", "")

    @property
    def named(self) -> AdviserName:
        """A model like any other."""
        return AdviserName(name="language_model", version="hostile", digest="0" * 64)

    async def advise(self, question: Question) -> Advice:
        """Return advice on any script of any platform, with grounds that are nowhere."""
        draw = self._draw
        chunk_ids = [*(one.chunk_id for one in question.passages), ChunkId("no-such@1#0")]
        return Advice(
            status=AdviceStatus.USED,
            failure_class=draw.choice(list(FailureClass)),
            script_id=ScriptId(draw.choice(self._catalogue)),
            citations=tuple(chunk_ids),
            grounds=tuple(
                Ground(chunk_id=each, start=draw.randint(-99, 99), end=draw.randint(-99, 10**9))
                for each in chunk_ids[-2:]
            ),
        )
