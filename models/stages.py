# SPDX-License-Identifier: Apache-2.0
"""Finished stages of a training, kept in a folder so that a killed training goes on after them.

A training names its data first (`begin`): stages of other data, another seed, other parameters or
other code are never taken up. What lies in the folder is trusted as little as a model's file: the
bytes that are read are those whose SHA-256 was recorded elsewhere (`StageRecord`), or the stage is
computed anew, which is said. Arrays are kept as `.npz` without objects: never a pickle. A stage is
written beside its place and then renamed, so that it is whole or not there.
"""

import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from contracts.canonical import sha256_hex

FOLDER_NAME = "training"  # of the data folder
_SUFFIX = ".npz"
Arrays = Mapping[str, npt.NDArray[Any]]


class StageRecord(Protocol):
    """Says which stages are finished, where who can write the folder cannot write."""

    training_id: str

    def find(self, stage: str) -> str | None:
        """Return what was recorded of a stage; None where it is not finished."""
        ...

    def keep(self, stage: str, mark: str) -> None:
        """Record a finished stage."""
        ...

    def end(self) -> None:
        """Remove the record."""
        ...


class Stages(Protocol):
    """Where a training keeps what it has finished."""

    def begin(self, digest_of_data: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Say what is trained on, and with which parameters beside the seed, as JSON values.

        Before the first stage. Only the first call counts.
        """
        ...

    def keep_arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a stage: computed now, or by a run that was killed later."""
        ...


class NoStages:
    """Keeps nothing: for trainings that take seconds, and for tests."""

    training_id: str | None = None

    def begin(self, digest_of_data: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Take note of nothing."""

    def keep_arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:  # noqa: ARG002
        """Compute."""
        return compute()

    def end(self) -> None:
        """Have nothing to remove."""


class StageFolder:
    """Keeps the stages of one training of one model below a folder.

    Args:
        folder: the training area; holds one folder a model, seed, data, parameters and code.
        name: of the model.
        seed: of the training.
        progress: is told when a stage is taken up, and when one cannot be.
        open_record: returns the record of the training of a key (SHA-256, hex).

    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        seed: int,
        progress: Callable[[str], None],
        open_record: Callable[[str], StageRecord],
    ) -> None:
        self._area, self._name, self._seed, self._progress = folder, name, seed, progress
        self._open_record = open_record
        self._opened: tuple[Path, StageRecord] | None = None

    @property
    def training_id(self) -> str | None:
        """The same before and after a kill; None before the beginning."""
        return None if self._opened is None else self._opened[1].training_id

    def begin(self, digest_of_data: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Find or make the folder of this training; those of the model with other data go."""
        if self._opened is not None:
            return
        key = _name_training(self._name, self._seed, digest_of_data, parameters or {})
        record = self._open_record(key)
        found = self._area / f"{self._name}-{key[:24]}"
        for other in self._area.glob(f"{self._name}-*"):
            if other != found:
                shutil.rmtree(other, ignore_errors=True)
        if found.is_symlink() or found.is_file():
            found.unlink()  # whatever it is, it is none of ours
        done = [one for one in found.glob(f"*{_SUFFIX}") if record.find(one.stem)]
        if done:
            latest = max(done, key=lambda one: one.lstat().st_mtime_ns).stem
            self._progress(f"{self._name}: goes on after {latest} of a training that broke off")
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._opened = found, record

    def keep_arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a stage, computed at most once.

        Raises:
            OSError: the stage cannot be written.
            RegistryError: nor can the record.
        """
        if self._opened is None:
            return compute()
        folder, record = self._opened
        path = folder / f"{name}{_SUFFIX}"
        kept = _load_arrays(path, record.find(name))
        if isinstance(kept, str):
            self._progress(f"{self._name}: stage {name} {kept}; it is computed anew")
        elif kept is not None:
            return kept
        arrays = compute()
        content = _dump_arrays(arrays)
        record.keep(name, _mark(content))
        _write(path, content)
        return arrays

    def end(self) -> None:
        """Remove what was kept: the training is registered."""
        if self._opened is not None:
            folder, record = self._opened
            shutil.rmtree(folder, ignore_errors=True)
            record.end()
            self._opened = None


def _name_training(name: str, seed: int, digest_of_data: str, parameters: Mapping[str, Any]) -> str:
    terms = [name, seed, digest_of_data, digest_code(), dict(parameters)]
    return sha256_hex(json.dumps(terms, sort_keys=True).encode())


def _mark(content: bytes) -> str:
    """Return what is recorded of a stage: SHA-256 (hex) and size in bytes."""
    return f"{sha256_hex(content)} {len(content)}"


def _load_arrays(path: Path, mark: str | None) -> Arrays | str | None:
    """Return what a stage holds, or why it is not taken up; None where there is none."""
    if not os.path.lexists(path):
        return None
    if mark is None:
        return "is none that this training has recorded"
    content = _read(path, mark.rpartition(" ")[2])
    if content is None or _mark(content) != mark:
        return "is not what this training has recorded: it was changed or damaged"
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            return {key: kept[key] for key in kept.files}
    except (ValueError, BadZipFile, EOFError):
        return "cannot be read"


def _read(path: Path, size: str) -> bytes | None:
    """Return a file's bytes; None where it is not an ordinary one that can be read.

    Nor where it has another size (in decimal digits) than was recorded, which may be no number.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            is_fit = stat.S_ISREG(status.st_mode) and str(status.st_size) == size
            return stream.read(status.st_size) if is_fit else None
    except OSError:
        return None


def _dump_arrays(arrays: Arrays) -> bytes:
    named: dict[str, Any] = {key: np.asarray(value) for key, value in arrays.items()}
    target = io.BytesIO()
    np.savez(target, allow_pickle=False, **named)
    return target.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # another training clears up, too
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)


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
