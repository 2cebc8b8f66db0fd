# SPDX-License-Identifier: Apache-2.0
"""A detection becomes the right incident, whatever the facts look like."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.failure import FailureClass as F
from contracts.failure import Severity
from models.anomaly import Detection, MetricContribution
from models.classification import decide_class
from models.detection import detection_of
from models.diagnosis import _TITLES, diagnose_report
from models.guards import RULES, SERVICE_RULE, Finding, Violation


def detection(failure=F.UNKNOWN, entity="", rule="rule", metric="m", value=95.0):
    return Detection(
        device_id="d",
        observed_at=datetime(2026, 3, 2, tzinfo=UTC),
        score=10.0,
        p_value=0.0,
        metrics=(MetricContribution(name=metric, value=value, expected=90.0, contribution=1.0),),
        episode_key="x",
        rule=rule,
        failure_class=failure,
        entity=entity,
    )


def diagnose(found, classification=None, metrics=None, facts=None):
    return diagnose_report(
        detection=found, classification=classification, metrics=metrics or {}, facts=facts or {}
    )


def test_a_rule_beats_the_classifier():
    opinion = decide_class(["dns", "thermal"], [0.9, 0.1])
    found = diagnose(detection(F.DISK_FULL, "/var"), opinion)
    assert (found.failure_class, found.episode_key) == (F.DISK_FULL, "disk_full:/var")
    assert found.title == "File system /var is almost full"
    assert found.severity is Severity.S2
    assert diagnose(detection(F.DISK_FULL, "/", value=99.0)).severity is Severity.S1


def test_statistics_ask_the_classifier_then_the_driver_then_give_up():
    unusual = detection(rule="", metric="dns_latency_ms")
    assert (
        diagnose(unusual, decide_class(["thermal", "dns"], [0.8, 0.2])).failure_class is F.THERMAL
    )
    abstaining = decide_class(["thermal", "dns", "unknown"], [0.3, 0.3, 0.4])
    driven = diagnose(unusual, abstaining)
    assert driven.failure_class is F.DNS
    assert driven.confidence < 0.5
    unknown = diagnose(detection(rule="", metric="app_launch_ms_max"), None)
    assert (unknown.failure_class, unknown.severity) == (F.UNKNOWN, Severity.S3)
    assert unknown.episode_key == "unknown:app_launch_ms_max"


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("Microsoft Outlook", F.MAIL_CLIENT),
        ("ms-teams.exe", F.CHAT_CLIENT),
        ("OneDrive", F.SYNC_CLIENT),
        ("firefox", F.BROWSER),
        ("LedgerPro", F.APP_CRASH),
    ],
)
def test_crashes_are_told_apart_by_application(name, failure):
    facts = {"applications": [{"name": "x", "crashes": 0}, {"name": name, "crashes": 4}]}
    found = diagnose(detection(F.APP_CRASH), facts=facts)
    assert found.failure_class is failure
    assert found.episode_key == f"{failure}:{name}"


def test_the_expected_service_is_named():
    found = diagnose(detection(F.SERVICE_DOWN, "cups"), facts={"services_down": ["web"]})
    assert found.episode_key == "service_down:web"
    both = diagnose(detection(F.SERVICE_DOWN, "cups"), facts={"services_down": ["web", "cups"]})
    assert both.title == "Service cups is not running"


@pytest.mark.parametrize("facts", [{"services_down": 3}, {"applications": ["x", {"name": None}]}])
@pytest.mark.parametrize("failure", list(F))
def test_every_class_has_a_title_and_bad_facts_are_survived(failure, facts):
    assert failure in _TITLES
    assert diagnose(detection(failure), facts=facts).title


def test_what_ends_the_violation_is_said_of_the_named_thing():
    (stopped,) = SERVICE_RULE.list_recovery("service_running:spooler-helper")
    violated = replace(
        detection(F.SERVICE_DOWN, "spooler-helper", metric=stopped.metric), recovery=(stopped,)
    )
    expected = replace(stopped, metric="service_running:cups")
    assert diagnose(violated, facts={"services_down": ["cups"]}).recovery == (expected,)
    as_found = diagnose(violated, facts={"services_down": ["spooler-helper"]})
    assert as_found.recovery == (stopped,)
    assert diagnose(detection(rule="")).recovery == ()


def test_a_rule_is_told_by_what_it_asks_for_and_statistics_by_what_is_usual():
    rule = next(one for one in RULES if one.metric == "dhcp_lease_valid")
    seen = Violation(rule=rule, metric=rule.metric, entity="", value=0.0)
    at = datetime(2026, 3, 2, tzinfo=UTC)
    broken = detection_of(Finding(violation=seen, reports=2), "d", at)
    told = diagnose(broken).description
    assert told == (
        "dhcp_lease_valid is 0, in 2 successive reports by now; the rule that fires on"
        " dhcp_lease_valid <= 0 in 2 successive report(s) asks for more than 0."
    )
    assert "expected" not in told
    unusual = diagnose(detection(rule="", metric="dns_latency_ms")).description
    assert "dns_latency_ms is 95 (usually about 90)" in unusual


def test_it_is_told_where_an_applications_name_decides_the_class():
    crashes = {"applications": [{"name": "Firefox", "crashes": 4}]}
    found = diagnose(detection(F.APP_CRASH), decide_class(["app_crash"], [1.0]), facts=crashes)
    assert found.failure_class is F.BROWSER
    assert "It is browser, not app crash, by the application's name." in found.description
    assert "The health model says app crash" in found.description
    assert "by the application's name" not in diagnose(detection(F.APP_CRASH)).description
