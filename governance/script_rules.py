# SPDX-License-Identifier: Apache-2.0
"""Whether a person may decide so on a script version, now: every rule, in one place. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.errors import (
    AlreadyDecidedError,
    AuthorApprovalError,
    BundleChangedError,
    FreezeWindowError,
    InvalidRequestError,
    OlderVersionError,
    RoleMissingError,
    SelfApprovalError,
    StaleSessionError,
)
from governance.roles import DECIDING_ROLES, REVIEWING_ROLES, require_role
from governance.script_versions import DONE, ScriptStatus, ScriptVerdict, ScriptVersion
from kernel.person import is_same_person

MAX_REASON_CHARACTERS = 2000
_FROM = {
    ScriptVerdict.APPROVE: frozenset({ScriptStatus.PROPOSED}),
    ScriptVerdict.ROLL_BACK: frozenset({ScriptStatus.SUPERSEDED, ScriptStatus.RETIRED}),
    ScriptVerdict.REJECT: frozenset({ScriptStatus.PROPOSED}),
    ScriptVerdict.RETIRE: frozenset({ScriptStatus.ACTIVE, ScriptStatus.SUPERSEDED}),
}
PUTS_IN_FORCE = frozenset({ScriptVerdict.APPROVE, ScriptVerdict.ROLL_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRequest:
    """One person's decision on a version, as it comes from the edge.

    Attributes:
        content_sha256: the digest that the person looked at.
        reason: masked text.
        authenticated_at: when this person last proved who they are, aware UTC.

    """

    script_id: str
    version: str
    content_sha256: str
    decision: ScriptVerdict
    actor: str
    roles: frozenset[str]
    authenticated_at: datetime
    correlation_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSituation:
    """What is known when a decision on a version arrives."""

    stored: ScriptVersion
    in_force: str | None
    frozen: bool
    now: datetime


def check_script_request(
    request: ScriptRequest, situation: ScriptSituation, *, session_lifetime: timedelta
) -> None:
    """Check whether a person may decide so, now.

    Raises:
        InvalidRequestError, RoleMissingError, StaleSessionError, AlreadyDecidedError,
        BundleChangedError, SelfApprovalError, AuthorApprovalError, FreezeWindowError,
        OlderVersionError.

    """
    stored, verdict = situation.stored, request.decision
    _check_words(request)
    require_role(request.roles, DECIDING_ROLES)
    age = situation.now - request.authenticated_at
    if not timedelta(minutes=-5) <= age <= session_lifetime:
        raise StaleSessionError
    if stored.status not in _FROM[verdict]:
        raise AlreadyDecidedError(
            f"{stored.label} is {stored.status}; only {_list(_FROM[verdict])} versions can be"
            f" {DONE[verdict].replace('_', ' ')}"
        )
    if request.content_sha256 != stored.content_sha256:
        raise BundleChangedError(
            f"the digest that was looked at is not that of this version: {stored.label} has"
            f" {stored.content_sha256}. Look at what it is now before you decide (eucora scripts"
            f" show {stored.script_id} {stored.version})"
        )
    if verdict in PUTS_IN_FORCE:
        _check_putting_in_force(request, situation)


def _check_words(request: ScriptRequest) -> None:
    if request.decision is ScriptVerdict.SHIP:
        raise InvalidRequestError("only a release ships scripts")
    if not request.actor.strip() or len(request.reason) > MAX_REASON_CHARACTERS:
        raise InvalidRequestError("a decision needs a name, and a reason under 2000 characters")
    if request.decision is not ScriptVerdict.APPROVE and not request.reason.strip():
        raise InvalidRequestError("say why; it stands in the evidence")


def _check_putting_in_force(request: ScriptRequest, situation: ScriptSituation) -> None:
    stored = situation.stored
    if is_same_person(request.actor, stored.author):
        raise AuthorApprovalError("the author of a script cannot approve it")
    if is_same_person(request.actor, stored.imported_by, stored.imported_for):
        raise SelfApprovalError("whoever imported a script cannot approve it")
    if needs_review(stored) and not request.roles & REVIEWING_ROLES:
        raise RoleMissingError(
            "a script that cannot be judged, or whose effects are critical, is approved by a"
            " security reviewer"
        )
    if situation.frozen:
        raise FreezeWindowError
    older = situation.in_force is not None and _key(stored.version) < _key(situation.in_force)
    if older and request.decision is ScriptVerdict.APPROVE:
        raise OlderVersionError(stored.label, situation.in_force or "")


def needs_review(stored: ScriptVersion) -> bool:
    """Tell whether a security reviewer must approve: nobody can tell what it does, or it is grave.

    An analysis that says nothing counts as one that cannot judge.
    """
    return stored.analysis.get("judgeable") is not True or (
        stored.analysis.get("severity") not in {"none", "low", "medium", "high"}
    )


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _list(statuses: frozenset[ScriptStatus]) -> str:
    return " or ".join(sorted(status.value for status in statuses))
