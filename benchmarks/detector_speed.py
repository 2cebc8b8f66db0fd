# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.detector_speed`: reports a second on one core, and bytes a device.

Values are a simulated fleet's, with the gaps that it has; measured are scores, alarms and learning
in the product's arrays, with the product's metrics, once baselines count. Not measured are reading
reports and opening incidents, which `python -m benchmarks` measures.
"""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.figures import Figure, require_folder, show, store_json
from kernel.allocator import keep_freed_memory
from models.alarms import AlarmMonitor
from models.fleet_detector import FleetDetector
from models.signals import HARM_DIRECTION, METRIC_NAMES, N_SIGNALS, SCALE_FLOORS, transform
from telemetry.simulated_fleet import FleetGenerator, FleetParameters

WARM_MINUTES = 62  # until baselines count
MEASURED_MINUTES = 5
BATCH = 10_000  # six seconds' reports of 100,000 devices, one a minute
START_SECONDS = 1_767_571_200.0


def main(
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")],
    devices: Annotated[int, typer.Option(min=100, help="Devices of the fleet.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Of the simulated fleet.")] = 1,
) -> None:
    """Measure the detector's arrays."""
    console = Console()
    require_folder(json)
    keep_freed_memory()
    fleet = FleetGenerator(FleetParameters(n_devices=devices, seed=seed))
    columns = [fleet.signal_names.index(name) for name in METRIC_NAMES]
    population = fleet.population
    kinds = zip(population.cohorts, population.models, population.roles, strict=True)
    cohorts = [f"{kind}:{model}:{role}" for kind, model, role in kinds]
    detector = FleetDetector(N_SIGNALS, floors=SCALE_FLOORS, sides=HARM_DIRECTION)
    alarms = AlarmMonitor(N_SIGNALS)
    seconds, n_reports = [], 0
    minutes = track(fleet.steps(WARM_MINUTES + MEASURED_MINUTES), "minutes", console=console)
    for number, minute in enumerate(minutes):
        values = transform(minute.values[:, columns]).astype(np.float32)
        present = np.flatnonzero(minute.is_present)
        began = time.process_time()
        for first in range(0, len(present), BATCH):
            rows = present[first : first + BATCH]
            moments = np.full(len(rows), START_SECONDS + 60.0 * number)
            scores = detector.observe(rows, [cohorts[row] for row in rows], moments, values[rows])
            alarms.observe(rows, moments, scores.p_value, scores.contributions.argmax(axis=1))
        if number >= WARM_MINUTES:
            seconds.append((time.process_time() - began) / len(present))
            n_reports += len(present)
    per_report = float(np.median(seconds))
    figures = {
        "devices": devices,
        "cohorts": len(set(cohorts)),
        "metrics": N_SIGNALS,
        "reports": n_reports,
        "reports_per_second": 1.0 / per_report,
        "reports_per_second_slowest_minute": 1.0 / max(seconds),
        "microseconds_per_report": 1e6 * per_report,
        "bytes_per_device": detector.baselines.bytes_per_device + alarms.bytes_per_device,
    }
    show(
        "the detector on one core",
        [
            Figure(
                name="reports",
                value=figures["reports_per_second"],
                unit="1/s",
                aim="100,000",
            ),
            Figure(name="memory", value=figures["bytes_per_device"], unit="B a device", aim="1500"),
        ],
        console,
    )
    store_json(figures, json)
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
