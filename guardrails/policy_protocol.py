# SPDX-License-Identifier: Apache-2.0
"""What the process that evaluates policies is asked and answers: frames and messages. Pure.

A task is its header (size, and the seconds that it may take) and one JSON object; a reply is its
header (size, and whether it is an answer or the reason why there is none) and one JSON value of
the type that the task names. An empty reply comes first, when the process is ready. Nothing but
JSON comes back from that process.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from guardrails.policy_cases import CaseOutcome
from guardrails.policy_source import PolicySource

TASK_HEADER: Final = struct.Struct(">Id")
REPLY_HEADER: Final = struct.Struct(">I?")


class Load(msgspec.Struct, frozen=True, tag="load", tag_field="task"):
    """Compile a version, of which `Decide` and `DecideAll` are asked then. Answer: its digest."""

    source: PolicySource


class Decide(msgspec.Struct, frozen=True, tag="decide", tag_field="task"):
    """Answer one question that was checked. Answer: a PolicyDecision."""

    question: msgspec.Raw


class DecideAll(msgspec.Struct, frozen=True, tag="decide_all", tag_field="task"):
    """Check and answer questions. Answer: a list of PolicyDecision."""

    questions: Sequence[Any]


class Check(msgspec.Struct, frozen=True, tag="check", tag_field="task"):
    """Compile a version and decide its cases, which must all fit. Answer: how many there are."""

    source: PolicySource


class TryCases(msgspec.Struct, frozen=True, tag="try_cases", tag_field="task"):
    """Decide a version's cases. Answer: a CasesReport."""

    source: PolicySource


class TryMutants(msgspec.Struct, frozen=True, tag="try_mutants", tag_field="task"):
    """Look for changes of single rules that no case notices. Answer: a MutantsReport."""

    source: PolicySource


class Compare(msgspec.Struct, frozen=True, tag="compare", tag_field="task"):
    """Say how two versions differ. Answer: a PolicyDifference."""

    before: PolicySource
    after: PolicySource


class Explain(msgspec.Struct, frozen=True, tag="explain", tag_field="task"):
    """Say what a version answers to a question, and why. Answer: an Explanation."""

    source: PolicySource
    question: Any


Task = Load | Decide | DecideAll | Check | TryCases | TryMutants | Compare | Explain


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesReport:
    """How many cases a version has, and those that it decides otherwise than they say.

    `warnings` say in words which rules have no value for a question that may be asked.
    """

    n_cases: int
    failed: tuple[CaseOutcome, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantsReport:
    """How many changed rules there are, how many are excused, and which went wrong, in words."""

    n_mutants: int
    n_excused: int
    unnoticed: tuple[str, ...]
    wrongly_excused: tuple[str, ...]
