# SPDX-License-Identifier: Apache-2.0
"""All identifiers of people and machines that expressions find."""

from typing import Final

from guardrails.account_patterns import ACCOUNTS
from guardrails.actor_patterns import ACTORS
from guardrails.context_patterns import CONTEXTS
from guardrails.endpoint_patterns import ENDPOINTS
from guardrails.helpdesk_patterns import HELPDESK
from guardrails.holder_patterns import HOLDERS
from guardrails.machine_patterns import MACHINES
from guardrails.notation_patterns import NOTATIONS
from guardrails.number_patterns import NUMBERS
from guardrails.pattern_parts import LANGUAGE, SYSTEM_ACCOUNTS, IdentifierPattern
from guardrails.person_patterns import PEOPLE
from guardrails.phrase_patterns import PHRASES
from guardrails.script_names import SCRIPT_NAMES
from guardrails.secret_patterns import SECRETS
from guardrails.signature_patterns import SIGNATURES
from guardrails.tool_output_patterns import TOOL_OUTPUT

__all__ = ["LANGUAGE", "PATTERNS", "SYSTEM_ACCOUNTS", "IdentifierPattern"]

PATTERNS: Final[tuple[IdentifierPattern, ...]] = (
    *SECRETS, *PHRASES, *ACCOUNTS, *ACTORS, *MACHINES, *ENDPOINTS, *PEOPLE, *NUMBERS, *CONTEXTS,
    *SIGNATURES, *HELPDESK, *TOOL_OUTPUT, *NOTATIONS, *SCRIPT_NAMES, *HOLDERS,
)  # fmt: skip
