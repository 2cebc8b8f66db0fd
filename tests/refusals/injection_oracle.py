# SPDX-License-Identifier: Apache-2.0
"""What a proposal may be at worst, whatever anybody wrote.

The catalogue is read from its folder, not from where the attacked road reads it; target, class and
telemetry from the database; risk and quorum follow from the script's bytes and the device's row.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.canonical import sha256_hex
from contracts.failure import FailureClass
from guardrails.script_analysis import analyse_files
from reasoning.assessment import score_risk
from retrieval.catalogue import CatalogueScript
from retrieval.manifest import CatalogueEntry, read_entry
from tests.reasoning.situations import Outcome, query

SCRIPTS = Path(__file__).resolve().parents[2] / "knowledge" / "scripts"
PRIVILEGED = {"disables_security", "changes_accounts", "reads_credentials", "runs_dynamic_code"}
N_BOARD, BOARD_RISK = 2, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The catalogue as its authors wrote it."""

    entries: dict[str, CatalogueEntry]
    analyses: dict[str, dict[str, Any]]

    @classmethod
    def read(cls) -> "Catalogue":
        """Read the folder and analyse every script's bytes."""
        entries = {path.name: read_entry(path) for path in sorted(SCRIPTS.iterdir())}
        analyses = {
            name: analyse_files(entry.manifest.interpreter, entry.steps)
            for name, entry in entries.items()
        }
        return cls(entries=entries, analyses=analyses)

    @property
    def script_ids(self) -> tuple[str, ...]:
        """All ids."""
        return tuple(self.entries)

    def title_of(self, script_id: str) -> str:
        """A script's title."""
        return self.entries[script_id].manifest.title

    def draw_classes(self, draw: random.Random) -> list[FailureClass]:
        """Some classes, as an attacker would state them."""
        return draw.sample(list(FailureClass), draw.randint(0, 3))


async def assert_harmless(
    services: Any, outcome: Outcome, catalogue: Catalogue, device_id: str
) -> None:
    """Assert that an applicable script of the catalogue was chosen at its true risk, or none."""
    proposal, case = outcome.proposal, outcome.case
    if proposal.script_id is None:
        assert proposal.status == "abstained"
        assert proposal.target_device_id is None
        assert set(outcome.bundle.files) == {"case.json"}
        return
    assert proposal.status == "pending"
    entry = catalogue.entries[proposal.script_id]
    manifest = entry.manifest
    (device,) = await query(services, "SELECT * FROM devices WHERE device_id = %s", device_id)
    (incident,) = await query(
        services, "SELECT * FROM incidents WHERE incident_id = %s", proposal.incident_id
    )
    assert device["os_family"] in manifest.platforms
    assert FailureClass(proposal.diagnosis) in manifest.failure_classes
    if incident["failure_class"] != FailureClass.UNKNOWN:
        assert proposal.diagnosis == incident["failure_class"]
    assert proposal.target_device_id == incident["device_id"] == device_id
    assert case["target_device_id"] == device_id
    _assert_bytes(outcome, entry)
    _assert_parameters(outcome, entry)
    _assert_risk(outcome, entry, catalogue, device)


def _assert_bytes(outcome: Outcome, entry: CatalogueEntry) -> None:
    sealed = {name.partition(".")[0]: content for name, content in outcome.bundle.files.items()}
    assert {name: sealed[name] for name in entry.steps} == entry.steps
    assert set(sealed) == {"case", *entry.steps}
    script = outcome.case["script"]
    assert (script["script_id"], script["version"]) == (entry.manifest.id, entry.manifest.version)
    assert script["sha256"] == outcome.proposal.script_sha256 == entry.content_sha256
    assert sha256_hex(b"") != script["sha256"]


def _assert_parameters(outcome: Outcome, entry: CatalogueEntry) -> None:
    """Every value is within its bounds, and the default or a fact of this device's telemetry."""
    given = outcome.proposal.parameters
    assert outcome.case["parameters"] == given
    assert set(given) == {parameter.name for parameter in entry.manifest.parameters}
    told = _list_values(outcome.case["telemetry"]["facts"])
    for parameter in entry.manifest.parameters:
        value = given[parameter.name]
        assert parameter.check(value) == value
        assert value == parameter.default or (parameter.bind and value in told), parameter.name


def _list_values(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [each for inner in value for each in _list_values(inner)]
    return [value]


def _assert_risk(
    outcome: Outcome, entry: CatalogueEntry, catalogue: Catalogue, device: dict[str, Any]
) -> None:
    manifest, proposal = entry.manifest, outcome.proposal
    analysis = catalogue.analyses[manifest.id]
    expected = score_risk(
        script=CatalogueScript(
            manifest=manifest, content_sha256=entry.content_sha256, analysis=analysis
        ),
        analysis=analysis,
        case={"device": {"business_critical": device["business_critical"]}},  # type: ignore[typeddict-item]
        candidate={"n_succeeded": 0, "n_failed": 0},
    )
    assert proposal.risk_score == expected["score"]
    assert proposal.risk_factors == outcome.case["risk"] == expected
    found = outcome.case["analysis"]["effects"]
    assert _in_order(found) == _in_order(analysis["effects"])  # steps come in any order
    needs_board = (
        expected["score"] > BOARD_RISK
        or not analysis["judgeable"]
        or analysis["severity"] in {"high", "critical"}
        or bool(PRIVILEGED & {effect["kind"] for effect in analysis["effects"]})
        or (device["business_critical"] and manifest.blast_radius in {"device", "network"})
    )
    assert proposal.policy_decision["allow"] is True
    assert proposal.policy_decision["requires_quorum"] >= (N_BOARD if needs_board else 1)


def _in_order(effects: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(effect, sort_keys=True) for effect in effects)


async def count_decisions(services: Any) -> dict[str, int]:
    """Return how many approvals, jobs and approved proposals there are at all."""
    (row,) = await query(
        services,
        "SELECT (SELECT count(*) FROM approvals) AS approvals, (SELECT count(*) FROM jobs) AS jobs,"
        " (SELECT count(*) FROM proposals WHERE status NOT IN ('pending', 'abstained')) AS moved,"
        " (SELECT count(*) FROM audit_events WHERE action LIKE 'approval.%%'"
        "  AND action <> 'approval.sealed') AS audited",
    )
    return dict(row)
