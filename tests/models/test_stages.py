# SPDX-License-Identifier: Apache-2.0
"""Finished stages of a training survive a kill, and never go into another training."""

import errno
import os
import pickle
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from models.errors import RegistryError
from models.registry import ModelRegistry
from models.stages import NoStages, StageFolder

ROOT = Path(__file__).parents[2]


def refuse():
    raise AssertionError("computed again")


pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's and SQLAlchemy's
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def open_folder(tmp_path, registry):
    def open_stages(*, seed=0, data="a" * 64, parameters=None, said=None):
        stages = StageFolder(
            tmp_path,
            name="tickets",
            seed=seed,
            progress=(said if said is not None else []).append,
            open_record=partial(registry.open_training, "tickets"),
        )
        stages.begin(data, parameters)
        return stages

    return open_stages


def ones():
    return {"x": np.ones(1)}


def zeros():
    return {"x": np.zeros(1)}


def test_a_stage_is_computed_once_and_the_next_run_says_so(tmp_path, open_folder):
    said = []
    first = open_folder(said=said)
    kept = first.keep_arrays("fold-1", lambda: {"scores": np.arange(4.0)})
    assert said == []
    again = open_folder(said=said)
    assert "goes on after fold-1" in said[0]
    found = again.keep_arrays("fold-1", refuse)
    assert np.array_equal(found["scores"], kept["scores"])
    assert again.training_id == first.training_id
    again.end()
    assert not list(tmp_path.iterdir())
    assert open_folder().training_id != first.training_id


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"data": "b" * 64}, {"parameters": {"prior": {"words": 2.0}}}]
)
def test_another_seed_data_or_parameters_start_anew_and_clear_up(tmp_path, open_folder, other):
    before = open_folder()
    before.keep_arrays("fold-1", zeros)
    fresh = open_folder(**other)
    assert fresh.keep_arrays("fold-1", ones)["x"][0] == 1.0
    assert len(list(tmp_path.iterdir())) == 1
    assert fresh.training_id != before.training_id
    said = []
    assert open_folder(said=said).keep_arrays("fold-1", ones)["x"][0] == 1.0
    assert said == []  # of the first training nothing is left, neither file nor record


def write_forged(path):
    """A stage as good as any, only not the one that was computed."""
    with path.open("wb") as stream:
        np.savez(stream, x=np.full(1, 7.0))


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_bytes(b"PK\x03\x04 broken"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "flipped": lambda path: path.write_bytes(path.read_bytes().replace(b"x", b"y")),
    "forged": write_forged,
    "pickle": lambda path: path.write_bytes(pickle.dumps({"x": 7})),
    "folder": lambda path: (path.unlink(), path.mkdir(), (path / "x").touch()),
    "link": lambda path: (path.rename(path.with_name("y")), path.symlink_to(path.with_name("y"))),
    "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_was_changed_is_told_in_a_line_and_computed_anew(tmp_path, open_folder, damage):
    open_folder().keep_arrays("fold-1", zeros)
    (path,) = tmp_path.rglob("fold-1.npz")
    damage(path)
    said = []
    assert open_folder(said=said).keep_arrays("fold-1", ones)["x"][0] == 1.0
    *_, told = said
    assert told == (
        "tickets: stage fold-1 is not what this training has recorded: it was changed or damaged;"
        " it is computed anew"
    )
    assert open_folder().keep_arrays("fold-1", refuse)["x"][0] == 1.0


@pytest.mark.parametrize("mark", ["nonsense", "", "abc def", "a -1", "x " + "9" * 4400, "a \u0661"])
def test_a_record_that_is_none_is_told_and_the_stage_computed_anew(open_folder, mark):
    stages = open_folder()
    stages.keep_arrays("fold-1", zeros)
    stages._opened[1].keep("fold-1", mark)
    said = []
    assert open_folder(said=said).keep_arrays("fold-1", ones)["x"][0] == 1.0
    assert "stage fold-1 is not what this training has recorded" in said[-1]
    assert open_folder().keep_arrays("fold-1", refuse)["x"][0] == 1.0


def test_a_stage_that_nothing_recorded_is_not_taken_up(tmp_path, open_folder):
    """Nor is one of another training that is moved here."""
    open_folder(data="b" * 64).keep_arrays("fold-1", zeros)
    (foreign,) = tmp_path.rglob("fold-1.npz")
    content = foreign.read_bytes()
    said = []
    stages = open_folder(said=said)
    (folder,) = tmp_path.iterdir()
    (folder / "fold-1.npz").write_bytes(content)
    assert stages.keep_arrays("fold-1", ones)["x"][0] == 1.0
    assert said == [
        "tickets: stage fold-1 is none that this training has recorded; it is computed anew"
    ]


def test_a_link_in_the_place_of_the_folder_leads_nowhere(tmp_path, open_folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "fold-1.npz").write_bytes(b"x")
    open_folder()
    (folder,) = tmp_path.iterdir()
    folder.rmdir()
    folder.symlink_to(elsewhere)
    open_folder().keep_arrays("fold-1", ones)
    assert (elsewhere / "fold-1.npz").read_bytes() == b"x"


KILLED = """
import os, signal, sys
import numpy as np
from functools import partial
from pathlib import Path
from models.registry import ModelRegistry
from models.stages import StageFolder
registry = ModelRegistry(sys.argv[2], Path(sys.argv[1]))
stages = StageFolder(
    Path(sys.argv[1]), name="tickets", seed=0, progress=print,
    open_record=partial(registry.open_training, "tickets"),
)
stages.begin("a" * 64)
stages.keep_arrays("fold-1", lambda: {"x": np.ones(1)})
stages.keep_arrays("fold-2", lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_after_a_kill_the_finished_stage_is_there_and_the_other_is_not(
    tmp_path, registry, open_folder
):
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), registry._tracking_uri],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    stages = open_folder()
    assert stages.keep_arrays("fold-1", refuse)["x"][0] == 1.0
    assert stages.keep_arrays("fold-2", zeros)["x"][0] == 0.0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_told_and_leaves_no_half_stage(tmp_path, open_folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)], check=True)
    try:
        stages = open_folder()
        with pytest.raises(OSError, match="No space") as told:
            stages.keep_arrays("fold-1", lambda: {"x": np.random.default_rng(0).random(100_000)})
        assert told.value.errno == errno.ENOSPC
        assert not list(tmp_path.rglob("fold-1*"))
        assert stages.keep_arrays("fold-1", ones)["x"][0] == 1.0
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_record_that_cannot_be_written_is_told(tmp_path):
    broken = tmp_path / "mlflow.db"
    broken.write_bytes(b"no database at all" * 100)
    registry = ModelRegistry(f"sqlite:///{broken}", tmp_path / "mlruns")
    stages = StageFolder(
        tmp_path / "training", name="tickets", seed=0, progress=lambda _: None,
        open_record=partial(registry.open_training, "tickets"),
    )  # fmt: skip
    with pytest.raises(RegistryError):
        stages.begin("a" * 64)


def test_without_a_folder_everything_is_computed():
    stages = NoStages()
    stages.begin("a" * 64)
    assert stages.keep_arrays("x", lambda: {"y": np.ones(1)})["y"][0] == 1.0
    assert stages.training_id is None
