# SPDX-License-Identifier: Apache-2.0
"""Signs that a text tries to give orders to a model or a person who decides.

A flag decides nothing: invariant 3 already keeps text from acting. It is shown to reviewers and
kept as evidence. Kinds after the OWASP Top 10 for LLM applications, LLM01 (prompt injection).
"""

# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.sanitise import plain_text

_FLAGS: Final = re.IGNORECASE | re.DOTALL
_SIGNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "overrides_instructions",
        re.compile(
            r"\b(?:ignore|disregard|forget|override|bypass|do not follow)\b.{0,40}"
            r"\b(?:instructions?|prompts?|rules?|polic(?:y|ies)|guidelines?|guardrails?|directions?)\b",
            _FLAGS,
        ),
    ),
    (
        "plays_role",
        re.compile(
            r"\b(?:you are now|from now on,? you|act as (?:an?|the) (?:admin|system|root|unrestricted)"
            r"|pretend (?:to be|you are)|developer mode|jailbreak|new persona)\b",
            _FLAGS,
        ),
    ),
    (
        "imitates_markup",
        re.compile(
            r"<\|[a-z_]{2,20}\|>|\[/?(?:INST|SYS)\]|<</?SYS>>|</?(?:system|assistant|tool_call|instructions?)>"
            r"|^\s*#{0,3}\s*(?:system|assistant|developer)\s*(?:prompt|message)?\s*:",
            _FLAGS | re.MULTILINE,
        ),
    ),
    (
        "asks_for_prompt",
        re.compile(
            r"\b(?:reveal|print|show|repeat|output|leak)\b.{0,30}\b(?:system prompt|hidden prompt"
            r"|your (?:instructions|prompt|rules))\b",
            _FLAGS,
        ),
    ),
    (
        "asks_for_approval",
        re.compile(
            r"\b(?:auto[- ]?approve|approve (?:this|it|the (?:proposal|request|change|script))"
            r"|(?:skip|without|no) (?:the )?(?:approval|review)|mark (?:this|it) as approved"
            r"|set (?:the )?(?:risk|confidence)(?: score)? to)\b",
            _FLAGS,
        ),
    ),
    (
        "asks_for_execution",
        re.compile(
            r"\b(?:run|execute|invoke|call|use)\b.{0,30}\b(?:the following|this) (?:command|script|code|tool|function)\b"
            r"|\b(?:curl|wget)\b[^\n]{0,200}\|\s*(?:ba|z|da)?sh\b"
            r"|\b(?:iex|invoke-expression)\b",
            _FLAGS,
        ),
    ),
    (
        "exfiltrates",
        re.compile(
            r"\b(?:send|post|upload|forward|exfiltrate)\b.{0,40}"
            r"\b(?:passwords?|secrets?|tokens?|credentials?|api keys?|conversation)\b.{0,40}\b(?:to|at)\b"
            r"|!\[[^\]]{0,100}\]\(https?://[^)\s]{0,300}[?&][^)\s]{0,300}=",
            _FLAGS,
        ),
    ),
)
_HIDDEN: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{200,}={0,2}")


def flag_injection(text: str) -> tuple[str, ...]:
    """Return the kinds of signs found, sorted; empty when the text looks harmless."""
    plain = plain_text(text)
    flags = {kind for kind, pattern in _SIGNS if pattern.search(plain)}
    if _HIDDEN.search(text):
        flags.add("hidden_characters")
    if _ENCODED.search(plain):
        flags.add("encoded_block")
    return tuple(sorted(flags))
