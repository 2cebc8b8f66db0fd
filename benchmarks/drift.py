# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.drift --json OUT`: false alarms and delays of the drift monitor.

A stream is one series of one sample a minute, 1,440 a day. Three noises of unit variance:
independent, AR(1) with .9, and independent around a daily sine. The product's own monitor runs
with its default budget; its warm-up is not counted, and how long it took is told. Then the level
moves by .5, 1 and 2 standard deviations of the noise (of the stationary series around its season,
so for AR(.9) 2.3 times the innovations' deviation), at a random minute of a working day.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.random import Generator
from numpy.typing import NDArray
from rich.console import Console
from river.drift import ADWIN, KSWIN, PageHinkley
from scipy.signal import lfilter

from benchmarks.figures import Figure, show, store_json
from models.drift import DriftMonitor
from models.drift_series import RegularSeries
from models.drift_state import decode_series, encode_series

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 1440
CORRELATION = 0.9
AMPLITUDE = 3.0  # of the sine, in standard deviations of the noise
SHIFTS = (0.5, 1.0, 2.0)
HORIZON = 2 * DAY  # samples after a shift within which it should be found
KSWIN_DAYS = 5  # it takes a quarter of a millisecond a sample
Samples = NDArray[np.float64]
SERIES = {"cohort": "benchmark", "metric": "level"}


def draw_iid(n_samples: int, random: Generator) -> Samples:
    """Return independent standard normal samples."""
    return random.normal(size=n_samples)


def draw_ar(n_samples: int, random: Generator) -> Samples:
    """Return a stationary AR(1) of unit variance."""
    run_up = 500
    shocks = random.normal(size=run_up + n_samples) * np.sqrt(1.0 - CORRELATION**2)
    series = lfilter([1.0], [1.0, -CORRELATION], shocks)[run_up:]
    return np.asarray(series, dtype=float)


def draw_sine(n_samples: int, random: Generator) -> Samples:
    """Return independent noise around a daily sine."""
    angles = 2.0 * np.pi * np.arange(n_samples) / DAY
    return draw_iid(n_samples, random) + AMPLITUDE * np.sin(angles)


NOISES: dict[str, Callable[[int, Generator], Samples]] = {
    "iid": draw_iid,
    "ar": draw_ar,
    "sine": draw_sine,
}
RAW: dict[str, Callable[[], Any]] = {
    "adwin": lambda: ADWIN(delta=0.002),  # type: ignore[no-untyped-call]
    "page_hinkley": PageHinkley,
    "kswin": lambda: KSWIN(seed=1),
}


class Measurement:
    """What one noise has shown."""

    def __init__(self) -> None:
        self.n_alarms = 0
        self.n_judged = 0
        self.warm_up: list[int] = []
        self.delays: dict[float, list[float]] = {shift: [] for shift in SHIFTS}
        self.early: dict[float, int] = dict.fromkeys(SHIFTS, 0)
        self.covered: list[bool] = []
        self.n_samples = 0
        self.seconds = 0.0

    def watch(self, samples: Samples, n_quiet: int, n_series: int) -> None:
        """Run the monitor over a quiet stretch, then over each shift from there."""
        monitor = DriftMonitor(n_series=n_series)
        begun = time.process_time()
        first = 0
        for minute, value in enumerate(samples[:n_quiet].tolist()):
            self.n_alarms += _feed(monitor, minute, value) is not None
            judged = monitor.is_judging(**SERIES)
            first = first or (minute if judged else 0)
            self.n_judged += judged
        self.warm_up.append(first)
        self.seconds += time.process_time() - begun
        self.n_samples += n_quiet
        stored = encode_series(monitor.export_series(**SERIES))
        for shift in SHIFTS:
            branch = DriftMonitor(n_series=n_series)
            branch.import_series(**SERIES, state=decode_series(stored))
            self.delays[shift].append(self._time(branch, samples[n_quiet:] + shift, n_quiet))

    def _time(self, monitor: DriftMonitor, samples: Samples, n_quiet: int) -> float:
        for delay, value in enumerate(samples.tolist()):
            alarm = _feed(monitor, n_quiet + delay, value)
            if alarm is not None:
                since = MONDAY + timedelta(minutes=n_quiet)
                self.covered.append(alarm.since_earliest <= since <= alarm.since_latest)
                return float(delay + 1)
        return float("inf")


def _feed(monitor: DriftMonitor, minute: int, value: float) -> Any:
    return monitor.observe(**SERIES, observed_at=MONDAY + timedelta(minutes=minute), value=value)


def describe_delays(delays: Sequence[float]) -> dict[str, float | None]:
    """Return median, mean of those found, p90 and the share found within the horizon, in samples.

    What was not found counts as later than all others: then a quantile may be None.
    """
    ordered = sorted(delays)
    found = [delay for delay in ordered if np.isfinite(delay)]

    def quantile(share: float) -> float | None:
        value = ordered[min(len(ordered) - 1, int(np.ceil(share * len(ordered))) - 1)]
        return value if np.isfinite(value) else None

    return {
        "median": quantile(0.5),
        "mean_of_found": float(np.mean(found)) if found else None,
        "p90": quantile(0.9),
        "share_found": len(found) / len(ordered),
    }


def measure_detector(
    make: Callable[[], Any], streams: Sequence[Samples], n_quiet: int
) -> dict[str, Any]:
    """Return the false alarms a day and the delays of one of river's detectors on its own."""
    n_alarms = 0
    delays: dict[float, list[float]] = {shift: [] for shift in SHIFTS}
    for samples in streams:
        detector = make()
        for value in samples[:n_quiet].tolist():
            detector.update(value)
            n_alarms += bool(detector.drift_detected)
        for shift in SHIFTS:
            fresh = make()
            for value in samples[n_quiet - DAY : n_quiet].tolist():
                fresh.update(value)
            delays[shift].append(_time_detector(fresh, samples[n_quiet:] + shift))
    return {
        "false_alarms_per_stream_day": n_alarms / (len(streams) * n_quiet / DAY),
        "delay": {f"{shift:g}": describe_delays(found) for shift, found in delays.items()},
    }


def _time_detector(detector: Any, samples: Samples) -> float:
    for delay, value in enumerate(samples.tolist()):
        detector.update(value)
        if detector.drift_detected:
            return float(delay + 1)
    return float("inf")


def find_innovations(samples: Samples, n_quiet: int) -> Samples:
    """Return the product's white innovations of a quiet stretch, without its warm-up."""
    series = RegularSeries()
    found: list[float] = []
    for minute, value in enumerate(samples[:n_quiet].tolist()):
        series.observe((MONDAY + timedelta(minutes=minute)).timestamp(), value, 1e-9)
        if series.is_judged and series.steps:
            found.append(series.steps[-1] / 25.0)
    return np.array(found)


def measure_noise(name: str, n_streams: int, n_days: int, seed: int) -> dict[str, Any]:
    """Return what the product's monitor does on one noise."""
    found = Measurement()
    number = sorted(NOISES).index(name)
    for stream in range(n_streams):
        random = np.random.default_rng([seed, number, stream])
        n_quiet = n_days * DAY + int(random.integers(DAY))
        samples = NOISES[name](n_quiet + HORIZON, random)
        found.watch(samples, n_quiet, n_streams)
    days = found.n_judged / DAY
    return {
        "false_alarms": found.n_alarms,
        "stream_days": days,
        "false_alarms_per_stream_day": found.n_alarms / days,
        "warm_up_days": max(found.warm_up) / DAY,
        "delay": {f"{shift:g}": describe_delays(each) for shift, each in found.delays.items()},
        "since_within_its_interval": float(np.mean(found.covered)),
        "microseconds_per_sample": 1e6 * found.seconds / found.n_samples,
    }


def measure_baseline(n_streams: int, seed: int) -> dict[str, Any]:
    """Return river's detectors at their defaults, on raw samples and on our innovations."""
    figures: dict[str, Any] = {}
    for number, name in enumerate(sorted(NOISES)):
        streams = [
            NOISES[name](7 * DAY + HORIZON, np.random.default_rng([seed, number, stream]))
            for stream in range(n_streams)
        ]
        white = [find_innovations(samples, 10 * DAY) for samples in streams[: n_streams // 2]]
        for detector, make in RAW.items():
            raw, n_quiet = streams, 5 * DAY
            if detector == "kswin":
                raw, n_quiet = streams[:KSWIN_DAYS], DAY
            entry = figures.setdefault(detector, {})
            entry[name] = measure_detector(make, raw, n_quiet)
            shown = white[:2] if detector == "kswin" else white
            entry[name]["false_alarms_per_stream_day_on_innovations"] = _count_alarms(make, shown)
    return figures


def _count_alarms(make: Callable[[], Any], streams: Sequence[Samples]) -> float:
    n_alarms = 0
    for samples in streams:
        detector = make()
        for value in samples.tolist():
            detector.update(value)
            n_alarms += bool(detector.drift_detected)
    return n_alarms / (sum(map(len, streams)) / DAY)


def main(
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")] = Path(
        "benchmarks-drift.json"
    ),
    streams: Annotated[int, typer.Option(help="Streams of each noise.", min=1)] = 60,
    days: Annotated[int, typer.Option(help="Quiet days of a stream.", min=8)] = 14,
    seed: Annotated[int, typer.Option(help="Draws other noise.")] = 0,
    baseline: Annotated[bool, typer.Option(help="Also river's detectors as they are.")] = True,
) -> None:
    """Measure the drift monitor on three noises; a few minutes of one core."""
    console = Console()
    product = {}
    for name in NOISES:
        console.print(f"{streams} streams of {name} ...")
        product[name] = measure_noise(name, streams, days, seed)
    content: dict[str, Any] = {
        "seed": seed,
        "sigma": "standard deviation of the stationary series around its season",
        "false_alarms_per_stream_day": {
            name: found["false_alarms_per_stream_day"] for name, found in product.items()
        },
        "delay": product["iid"]["delay"],
        "noises": product,
    }
    if baseline:
        console.print("river's detectors as they are ...")
        content["baseline"] = measure_baseline(min(streams, 10), seed)
    content["cpu_seconds"] = time.process_time()
    store_json(content, json)
    show("Drift", list_figures(content), console)
    console.print(f"also in {json}")


def list_figures(content: dict[str, Any]) -> list[Figure]:
    """Return what the table shows."""
    figures = []
    for name, found in content["noises"].items():
        figures.append(
            Figure(
                name=f"{name}: false alarms",
                value=found["false_alarms_per_stream_day"],
                unit=f"a stream-day, of {found['stream_days']:.0f}",
                aim="<= .01",
            )
        )
        for shift, delay in found["delay"].items():
            figures.append(
                Figure(
                    name=f"{name}: median delay at {shift} sigma",
                    value=float("inf") if delay["median"] is None else delay["median"],
                    unit=f"samples, {delay['share_found']:.0%} found",
                    aim="<= 120" if shift == "1" else "",
                )
            )
    for detector, noises in content.get("baseline", {}).items():
        for name, found in noises.items():
            figures.append(
                Figure(
                    name=f"{detector} raw, {name}: false alarms",
                    value=found["false_alarms_per_stream_day"],
                    unit="a stream-day",
                )
            )
    return figures


if __name__ == "__main__":
    typer.run(main)
