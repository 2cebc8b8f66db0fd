# SPDX-License-Identifier: Apache-2.0
"""Signs that a text tries to give orders to a model or a person who decides.

A flag decides nothing: invariant 3 already keeps text from acting. It is shown to reviewers, kept
as evidence and told to the policy. Kinds after the OWASP Top 10 for LLM applications, LLM01
(prompt injection); what they find and miss is in docs/injection.md.
"""

# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.character_model import SURPRISING_BITS, load_character_model
from guardrails.disguise import fold_look_alikes, mixes_scripts, read_disguised
from guardrails.orders import flag_orders
from guardrails.sanitise import plain_text

_FLAGS: Final = re.IGNORECASE | re.DOTALL
_SIGNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "overrides_instructions",
        re.compile(
            r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|do not follow)\b.{0,40}"
            r"\b(?:instructions?|prompts?|rules?|polic(?:y|ies)|guidelines?|guardrails?|directions?|directives?"
            r"|the above|you (?:have been|were|are|'ve been) told|prior (?:context|text|messages?))\b"
            # the same elsewhere; texts are read without accents as well
            r"|\b(?:ignor\w{1,6}|olvid\w{1,4}|esquec\w{1,4}|dimentic\w{1,4}|oubli\w{1,4}|vergiss|vergessen|missachte\w?|negeer)\b.{0,40}"
            r"\b(?:instruc\w+|istruzion\w+|consignes|regles|anweisung\w*|vorgaben|regeln|reglas|regras|instructies)\b"
            r"|(?:игнорируй|забудь|не обращай)\w*.{0,40}(?:инструкци|указани|правил)|αγνοησ\w+.{0,40}οδηγι|αγνοήσ\w+.{0,40}οδηγί"
            r"|忽略.{0,12}(?:指令|指示|说明|规则)|指示.{0,6}無視|지시.{0,6}무시|تجاهل.{0,20}(?:التعليمات|القواعد)|(?:निर्देश\w*).{0,12}(?:अनदेख|नज़रअंदाज)",
            _FLAGS,
        ),
    ),
    (
        "shapes_answer",
        re.compile(
            r"\b(?:add|append|augment|blend|embed|encod|enhanc|fus|includ|incorporat|insert|integrat|mention|modif|optimi[sz]|provid"
            r"|replac|shift|substitut|supplement|upgrad|us|writ|improv|end|begin|start|finish)\w{0,4}\b[^.!?\n]{0,90}"
            r"\b(?:your|the|its) (?:\w+ )?(?:answer|reply|response|output|elucidation|summary|code|codebase|algorithm|implementation|solution)\b"
            r"|\byour (?:answer|reply|response|output) (?:must|should|shall|in|as|with|only)\b"
            r"|\b(?:the )?(?:following|subsequent|below|this) code (?:block|snippet|excerpt|section|fragment)\b",
            _FLAGS,
        ),
    ),
    (
        "sets_task",
        re.compile(
            r"(?:^|[.!?:;]\s+|\bplease |\b(?:can|could|would) you (?:please )?)(?:compose|draft|write|rewrite|translate|summari[sz]e"
            r"|paraphrase|decode|encode|interlace|role-?play|imagine|pretend|suppose)\b(?: me)? (?:a|an|the|this|that|following|we|you|it)\b",
            _FLAGS,
        ),
    ),
    (
        "asks_for_secret",
        re.compile(
            r"\b(?:what(?:'s| is)|tell (?:me|us)|give (?:me|us)|share|reveal|print|confirm|send (?:me|us))\b.{0,20}"
            r"\b(?:your|the system'?s?|the admin(?:istrator)?'?s?|the service'?s?) (?:\w+ )?(?:password|secret|passphrase|credentials?|api key|token|private key)\b",
            _FLAGS,
        ),
    ),
    ("repeats_words", re.compile(r"\b(\w{2,20}(?: \w{2,20}){0,3})(?:[ ,;]+\1){9}\b", _FLAGS)),
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
MAX_CHARACTERS: Final = 20_000
_HIDDEN: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{200,}={0,2}")


def flag_injection(text: str) -> tuple[str, ...]:
    """Return the kinds of signs found, sorted; empty when the text looks harmless.

    What only another reading of the text shows (see `disguise`) adds the kind `disguised`.
    """
    plain = plain_text(text)[:MAX_CHARACTERS]
    flags = _flag_reading(plain) | _flag_reading(fold_look_alikes(plain))
    for reading in read_disguised(plain):
        if found := _flag_reading(reading) - flags:
            flags |= found | {"disguised"}
    if _HIDDEN.search(text):
        flags.add("hidden_characters")
    if _ENCODED.search(plain):
        flags.add("encoded_block")
    if mixes_scripts(plain):
        flags.add("mixed_scripts")
    if load_character_model().measure_surprise(plain) > SURPRISING_BITS:
        flags.add("unusual_text")
    return tuple(sorted(flags))


def _flag_reading(plain: str) -> set[str]:
    return {kind for kind, pattern in _SIGNS if pattern.search(plain)} | flag_orders(plain)
