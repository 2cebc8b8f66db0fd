# SPDX-License-Identifier: Apache-2.0
"""Finished stages of a training, kept in a folder so that a killed training goes on after them.

A training names its data first (`begin`): stages of other data, another seed or other code are
never taken up. Arrays are kept as `.npz` without objects: never a pickle. A stage is written beside
its place and then renamed, so that it is whole or not there.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

FOLDER_NAME = "training"  # of the data folder
_ID_FILE = "training_id"
Arrays = Mapping[str, npt.NDArray[Any]]


class Stages(Protocol):
    """Where a training keeps what it has finished."""

    def begin(self, digest_of_data: str) -> None:
        """Say what is trained on; before the first stage. Only the first call counts."""
        ...

    def keep_arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a stage: computed now, or by a run that was killed later."""
        ...


class NoStages:
    """Keeps nothing: for trainings that take seconds, and for tests."""

    training_id: str | None = None

    def begin(self, digest_of_data: str) -> None:
        """Take note of nothing."""

    def keep_arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:  # noqa: ARG002
        """Compute."""
        return compute()

    def end(self) -> None:
        """Have nothing to remove."""


class StageFolder:
    """Keeps the stages of one training of one model below a folder.

    Args:
        folder: the training area; holds one folder a model, seed, data and code.
        name: of the model.
        seed: of the training.
        progress: is told when a stage is taken up.

    """

    def __init__(
        self, folder: Path, *, name: str, seed: int, progress: Callable[[str], None]
    ) -> None:
        self._area, self._name, self._seed, self._progress = folder, name, seed, progress
        self._folder: Path | None = None
        self.training_id: str | None = None  # the same before and after a kill

    def begin(self, digest_of_data: str) -> None:
        """Find or make the folder of this training; those of the model with other data go."""
        if self._folder is not None:
            return
        key = f"{self._seed}\n{digest_of_data}\n{digest_code()}"
        found = self._area / f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
        for other in self._area.glob(f"{self._name}-*"):
            if other != found:
                shutil.rmtree(other, ignore_errors=True)
        done = [one for one in found.glob("*") if one.name != _ID_FILE and one.suffix != ".part"]
        if done:
            latest = max(done, key=lambda one: one.stat().st_mtime_ns).stem
            self._progress(f"{self._name}: goes on after {latest} of a training that broke off")
        found.mkdir(parents=True, exist_ok=True)
        self._folder = found
        self.training_id = self.keep_file(_ID_FILE, uuid.uuid4().hex.encode).decode()

    def keep_arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a stage, computed at most once."""
        if self._folder is None:
            return compute()
        path = self._folder / f"{name}.npz"
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
                return {key: kept[key] for key in kept.files}
        except (FileNotFoundError, ValueError, BadZipFile, EOFError):
            arrays = compute()
        self._write(path, lambda target: _save_arrays(target, arrays))
        return arrays

    def keep_file(self, name: str, compute: Callable[[], bytes]) -> bytes:
        """Return the bytes of a stage, computed at most once."""
        if self._folder is None:
            return compute()
        path = self._folder / name
        if path.exists():
            return path.read_bytes()
        content = compute()
        self._write(path, lambda target: target.write_bytes(content))
        return content

    def end(self) -> None:
        """Remove what was kept: the training is registered."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @staticmethod
    def _write(path: Path, write: Callable[[Path], object]) -> None:
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            write(partial)
            with partial.open("rb") as stream:
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _save_arrays(target: Path, arrays: Arrays) -> None:
    named: dict[str, Any] = {key: np.asarray(value) for key, value in arrays.items()}
    with target.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **named)


@cache
def digest_code() -> str:
    """Return the SHA-256 (hex) of this package's code and of the libraries' versions that matter.

    What another program has computed halfway is not gone on with.
    """
    from importlib.metadata import version  # noqa: PLC0415 - slow, and only trainings need it

    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    versions = {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
    digest.update(json.dumps(versions, sort_keys=True).encode())
    return digest.hexdigest()
