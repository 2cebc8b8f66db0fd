# SPDX-License-Identifier: Apache-2.0
"""The anomaly sets that a folder holds: NAB (series with windows), SMD and ASD (machines).

A folder may hold any subset. What is malformed is named, so that nobody measures half a set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
_NAB_COLUMNS = ("file", "timestamp", "value", "window")


class AnomalySetError(Exception):
    """The folder holds no usable set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine of SMD or ASD: shapes (T, n_metrics), labels (T_test,) in {0, 1}."""

    name: str
    train: Float32Array
    test: Float32Array
    label: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of NAB: `window` is 0 outside and k in the k-th labelled window, shape (T,)."""

    name: str
    seconds: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    window: IntArray


def read_machines(folder: Path, name: str) -> list[Machine]:
    """Return the machines of `folder/name/name.npz`, none if there is no such file.

    Raises:
        AnomalySetError: the file is not of this layout.

    """
    path = folder / name / f"{name}.npz"
    if not path.exists():
        return []
    try:
        with np.load(path) as content:
            arrays = {key: content[key] for key in content.files}
    except (OSError, ValueError, BadZipFile) as error:
        message = f"{path} is no NumPy archive: {error}"
        raise AnomalySetError(message) from error
    names = sorted({key.rsplit("/", 1)[0] for key in arrays})
    machines = [_read_machine(arrays, machine, path) for machine in names]
    if len({each.train.shape[1] for each in machines}) > 1:
        message = f"{path}: all machines of a set must have the same metrics"
        raise AnomalySetError(message)
    return machines


def read_series(folder: Path) -> list[Series]:
    """Return the series of `folder/nab/nab.parquet`, none if there is no such file.

    Raises:
        AnomalySetError: the file is not of this layout.

    """
    path = folder / "nab" / "nab.parquet"
    if not path.exists():
        return []
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        message = f"{path} is no Parquet file: {error}"
        raise AnomalySetError(message) from error
    if missing := [column for column in _NAB_COLUMNS if column not in frame]:
        message = f"{path} lacks the columns {', '.join(missing)}"
        raise AnomalySetError(message)
    try:
        return [
            Series(
                name=str(name),
                seconds=rows["timestamp"].to_numpy().astype("datetime64[s]").astype(np.float64),
                values=rows["value"].to_numpy(np.float64),
                window=_number_windows(rows["window"].to_numpy(np.int64)),
            )
            for name, rows in frame.groupby("file", observed=True, sort=True)
        ]
    except (TypeError, ValueError) as error:
        message = f"{path}: timestamps, values and windows must be times and numbers: {error}"
        raise AnomalySetError(message) from error


def _number_windows(window: IntArray) -> IntArray:
    """Return windows numbered 1, 2, ... without gaps, 0 outside."""
    numbers = np.unique(window[window > 0])
    return np.where(window > 0, np.searchsorted(numbers, window) + 1, 0)


def _read_machine(arrays: Mapping[str, npt.NDArray[np.generic]], name: str, path: Path) -> Machine:
    try:
        train, test, label = (arrays[f"{name}/{part}"] for part in ("train", "test", "label"))
    except KeyError as error:
        message = f"{path}: machine {name} lacks {error.args[0]}"
        raise AnomalySetError(message) from error
    if train.ndim != 2 or test.ndim != 2 or train.shape[1] != test.shape[1]:
        message = f"{path}: machine {name}: train and test must be (T, n_metrics) alike"
        raise AnomalySetError(message)
    if not len(train) or not train.shape[1] or train.dtype.kind not in "fiu":
        message = f"{path}: machine {name}: train holds no numbers"
        raise AnomalySetError(message)
    if label.shape != (len(test),) or not np.isin(label, (0, 1)).all():
        message = f"{path}: machine {name}: want one label a row of test, 0 or 1"
        raise AnomalySetError(message)
    return Machine(
        name=name,
        train=train.astype(np.float32),
        test=test.astype(np.float32),
        label=label.astype(np.int64),
    )
