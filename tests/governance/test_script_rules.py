# SPDX-License-Identifier: Apache-2.0
"""Who may decide on a script version, and when not."""

from datetime import UTC, datetime, timedelta

import pytest

from governance import errors
from governance.script_rules import ScriptRequest, ScriptSituation, check_script_request
from governance.script_versions import ScriptStatus, ScriptVerdict, ScriptVersion

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SHA256 = "a" * 64


def stored(**changes) -> ScriptVersion:
    values = {
        "script_id": "linux-x", "version": "1.2.0", "title": "X", "author": "hanna",
        "platforms": ("linux",), "interpreter": "bash", "failure_classes": ("disk_full",),
        "manifest": {}, "analysis": {"judgeable": True, "severity": "medium"}, "quality": {},
        "content_sha256": SHA256, "status": ScriptStatus.PROPOSED, "imported_by": "cli:ivan",
        "imported_for": "user:mara",
        "imported_at": NOW, "entry": b"", "contents": {}, "stated_sha256": {},
    }  # fmt: skip
    return ScriptVersion(**values | changes)


def check(verdict="approve", version=None, frozen=False, in_force="1.1.0", **changes):
    values = {
        "script_id": "linux-x", "version": "1.2.0", "content_sha256": SHA256,
        "decision": ScriptVerdict(verdict), "actor": "user:grace",
        "roles": frozenset({"approver"}), "authenticated_at": NOW, "correlation_id": "cor_1",
        "reason": "for a reason",
    }  # fmt: skip
    situation = ScriptSituation(
        stored=version or stored(), in_force=in_force, frozen=frozen, now=NOW
    )
    check_script_request(
        ScriptRequest(**values | changes), situation, session_lifetime=timedelta(hours=8)
    )


def test_somebody_else_with_a_role_approves_without_a_reason():
    check(reason="")
    check(roles=frozenset({"security_reviewer"}))
    check("roll_back", stored(status=ScriptStatus.SUPERSEDED))
    check("retire", stored(status=ScriptStatus.ACTIVE), frozen=True)
    check("reject", frozen=True)


@pytest.mark.parametrize("actor", ["user:hanna", "cli:Hanna", " HANNA ", "user:\uff48anna"])
def test_the_author_approves_nothing_under_any_spelling(actor):
    with pytest.raises(errors.AuthorApprovalError):
        check(actor=actor)
    with pytest.raises(errors.AuthorApprovalError):
        check("roll_back", stored(status=ScriptStatus.RETIRED), actor=actor)


@pytest.mark.parametrize("actor", ["user:ivan", "cli:ivan", "Ivan", "cli:mara"])
def test_whoever_imported_it_approves_nothing(actor):
    with pytest.raises(errors.SelfApprovalError):
        check(actor=actor)


@pytest.mark.parametrize(
    ("error", "verdict", "changes"),
    [
        (errors.RoleMissingError, "approve", {"roles": frozenset()}),
        (errors.RoleMissingError, "retire", {"roles": frozenset({"admin", "helpdesk"})}),
        (errors.StaleSessionError, "approve", {"authenticated_at": NOW - timedelta(hours=9)}),
        (errors.BundleChangedError, "approve", {"content_sha256": "b" * 64}),
        (errors.InvalidRequestError, "reject", {"reason": " "}),
        (errors.InvalidRequestError, "ship", {}),
        (errors.InvalidRequestError, "approve", {"reason": "x" * 2001}),
        (errors.InvalidRequestError, "approve", {"actor": " "}),
        (errors.AlreadyDecidedError, "retire", {}),
        (errors.AlreadyDecidedError, "roll_back", {}),
        (errors.FreezeWindowError, "approve", {"frozen": True}),
        (errors.OlderVersionError, "approve", {"in_force": "1.10.0"}),
    ],
)
def test_what_is_refused(error, verdict, changes):
    with pytest.raises(error):
        check(verdict, **changes)


@pytest.mark.parametrize(
    "status", [each for each in ScriptStatus if each is not ScriptStatus.PROPOSED]
)
def test_only_what_is_proposed_can_be_approved(status):
    with pytest.raises(errors.AlreadyDecidedError):
        check(version=stored(status=status))


@pytest.mark.parametrize(
    "analysis",
    [{}, {"judgeable": False, "severity": "low"}, {"judgeable": True, "severity": "critical"},
     {"judgeable": True}, {"judgeable": "yes", "severity": "low"}],
)  # fmt: skip
def test_what_cannot_be_judged_or_is_grave_needs_a_security_reviewer(analysis):
    version = stored(analysis=analysis)
    with pytest.raises(errors.RoleMissingError, match="security reviewer"):
        check(version=version)
    check(version=version, roles=frozenset({"security_reviewer"}))
