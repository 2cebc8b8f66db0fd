# SPDX-License-Identifier: Apache-2.0
"""What goes into a decision besides the request, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRules:
    """How long things hold."""

    approval_lifetime: timedelta = timedelta(hours=24)
    session_lifetime: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResult:
    """What one decision led to; `complete` tells whether the proposal is decided."""

    approval_id: str
    approval_digest: str
    complete: bool
    n_approvals: int = 0
    n_required: int = 0
    replacement_proposal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What a person puts in the place of a proposal; bounds are checked by the port."""

    script_id: str
    parameters: Mapping[str, Any]
    script_version: str | None = None
