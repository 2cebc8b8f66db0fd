# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.fleet`: alarms on a simulated fleet, whose truth is known.

The product's detector, rules and statistics together, judges every report of the fleet. After
days of learning, faults set in on a share of the devices. An episode that opens while its device
has no fault, nor had one within the hour, is false. Reports carry the columns that the simulator
generates as arrays: names of processes and services are missing, and with them three rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.figures import Figure, require_folder, show, store_json
from kernel.allocator import keep_freed_memory
from models.anomaly import AnomalyDetector
from models.detection import Detection, DeviceReport
from telemetry.simulated_fleet import FleetGenerator, FleetParameters, FleetValues
from telemetry.simulated_plan import FaultRates, PlannedFault, Shape

DAY_MINUTES = 1_440
WITHIN_REPORTS = 5  # a sudden fault is to be told of, a report a minute
REMEMBERED_MINUTES = 60  # an episode this soon after a fault's end is still its own


@dataclass(slots=True, kw_only=True)
class Judgement:
    """What was told of a fleet, beside what was true."""

    true_episodes: int = 0
    false_episodes: list[tuple[int, str, str]] = field(default_factory=list)
    delays: dict[int, int] = field(default_factory=dict)  # fault -> reports until it was told of


def main(
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")],
    devices: Annotated[int, typer.Option(min=50, help="Devices of the fleet.")] = 1_000,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the devices that get a fault.")
    ] = 0.01,
    days: Annotated[int, typer.Option(min=1, help="Days with faults.")] = 1,
    learning_days: Annotated[int, typer.Option(min=1, help="Days before.")] = 2,
    seed: Annotated[int, typer.Option(help="Of the simulated fleet.")] = 1,
) -> None:
    """Measure false discoveries and recall on a simulated fleet with faults."""
    console = Console()
    require_folder(json)
    keep_freed_memory()
    first, last = learning_days * DAY_MINUTES, (learning_days + days) * DAY_MINUTES
    rates = FaultRates(share=share, from_minute=first, to_minute=last - WITHIN_REPORTS * 6)
    fleet = FleetGenerator(
        FleetParameters(n_devices=devices, seed=seed, duration_minutes=last, fault_rates=rates)
    )
    judgement = judge_fleet(fleet, first=first, n_minutes=last, console=console)
    figures = summarise(fleet.faults, judgement, devices=devices, days=days)
    show(
        "alarms on a simulated fleet",
        [
            Figure(
                name="false episodes beside faults told of",
                value=100 * figures["false_discovery_rate_by_faults"],
                unit="%",
                aim="10",
            ),
            Figure(
                name="sudden faults told of within five reports",
                value=100 * figures["recall_sudden_within_5"],
                unit="%",
                aim="90",
            ),
            Figure(name="all faults told of", value=100 * figures["recall_all"], unit="%"),
        ],
        console,
    )
    store_json(figures, json)
    console.print(f"also in {json}")


def judge_fleet(
    fleet: FleetGenerator, *, first: int, n_minutes: int, console: Console
) -> Judgement:
    """Run the detector over a fleet; return what it told of from minute `first` on."""
    detector, judgement = AnomalyDetector(), Judgement()
    population = fleet.population
    kinds = zip(population.cohorts, population.models, population.roles, strict=True)
    cohorts = [f"{kind}:{model}:{role}" for kind, model, role in kinds]
    open_keys: dict[int, set[str]] = {}
    last_fault = np.full(len(cohorts), -1)
    last_fault_at = np.full(len(cohorts), -DAY_MINUTES)
    reported = np.zeros(len(fleet.faults), np.int64)
    for number, minute in enumerate(
        track(fleet.steps(n_minutes), "minutes", total=n_minutes, console=console)
    ):
        acting = minute.acting_faults >= 0
        last_fault = np.where(acting, minute.acting_faults, last_fault)
        last_fault_at = np.where(acting, number, last_fault_at)
        present = np.flatnonzero(minute.is_present)
        np.add.at(reported, minute.acting_faults[present[acting[present]]], 1)
        found = detector.score_batch(_read_reports(fleet, minute, present, cohorts))
        for row, detections in zip(present.tolist(), found, strict=True):
            told = open_keys.get(row, set())
            for detection in detections:
                if detection.episode_key in told:
                    continue
                detector.note_episode(str(row), detection.episode_key, detection.episode_key)
                open_keys.setdefault(row, set()).add(detection.episode_key)
                if number >= first:
                    recent = number - last_fault_at[row] <= REMEMBERED_MINUTES
                    _note(judgement, number, detection, last_fault[row] if recent else -1, reported)
            if told:
                ended = detector.take_ended(str(row), datetime.fromtimestamp(0, UTC))
                open_keys[row] = told - {each.incident_key for each in ended}
    return judgement


def _note(
    judgement: Judgement,
    minute: int,
    detection: Detection,
    fault: int,
    reported: np.typing.NDArray[np.int64],
) -> None:
    if fault < 0:
        judgement.false_episodes.append(
            (minute, detection.device_id, detection.rule or detection.episode_key)
        )
        return
    judgement.true_episodes += 1
    judgement.delays.setdefault(int(fault), int(reported[fault]))


def _read_reports(
    fleet: FleetGenerator,
    minute: FleetValues,
    present: np.typing.NDArray[np.int64],
    cohorts: Sequence[str],
) -> list[DeviceReport]:
    names = fleet.signal_names
    return [
        DeviceReport(
            device_id=str(row),
            observed_at=datetime.fromtimestamp(float(minute.observed_at[row]), UTC),
            metrics={
                name: value
                for name, value in zip(names, minute.values[row].tolist(), strict=True)
                if value == value  # noqa: PLR0124 - NaN: not measured
            },
            cohort=cohorts[row],
        )
        for row in present
    ]


def summarise(
    faults: Sequence[PlannedFault], judgement: Judgement, *, devices: int, days: int
) -> dict[str, Any]:
    """Return the figures; delays count reports of the device, 1 for that of the onset."""
    sudden = [
        number
        for number, fault in enumerate(faults)
        if fault.shape is Shape.SUDDEN and not fault.subtle
    ]
    delays = judgement.delays
    in_time = [n for n in sudden if delays.get(n, WITHIN_REPORTS + 1) <= WITHIN_REPORTS]
    false = len(judgement.false_episodes)
    told = false + judgement.true_episodes
    return {
        "devices": devices,
        "days": days,
        "faults": len(faults),
        "sudden_faults": len(sudden),
        "true_episodes": judgement.true_episodes,
        "false_episodes": false,
        "false_discovery_rate": false / told if told else 0.0,
        "false_discovery_rate_by_faults": false / max(false + len(delays), 1),
        "false_episodes_per_device_day": false / (devices * days),
        "recall_sudden_within_5": len(in_time) / len(sudden) if sudden else 1.0,
        "recall_all": len(delays) / len(faults) if faults else 1.0,
        "late_or_missed": [
            {
                "failure_class": str(faults[number].failure_class),
                "hardness": faults[number].hardness,
                "reports": delays.get(number),
            }
            for number in sudden
            if number not in in_time
        ],
        "false": [
            {"minute": minute, "device": device, "reason": reason}
            for minute, device, reason in judgement.false_episodes[:200]
        ],
    }


if __name__ == "__main__":
    typer.run(main)
