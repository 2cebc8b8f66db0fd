# SPDX-License-Identifier: Apache-2.0
"""Finished stages of a training survive a kill, and never go into another training."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.stages import NoStages, StageFolder

ROOT = Path(__file__).parents[2]


def refuse():
    raise AssertionError("computed again")


def open_folder(folder, *, seed=0, data="a" * 64, said=None):
    stages = StageFolder(
        folder, name="tickets", seed=seed, progress=(said if said is not None else []).append
    )
    stages.begin(data)
    return stages


def test_a_stage_is_computed_once_and_the_next_run_says_so(tmp_path):
    said = []
    first = open_folder(tmp_path, said=said)
    kept = first.keep_arrays("fold-1", lambda: {"scores": np.arange(4.0)})
    assert said == []
    again = open_folder(tmp_path, said=said)
    assert "goes on after fold-1" in said[0]
    found = again.keep_arrays("fold-1", refuse)
    assert np.array_equal(found["scores"], kept["scores"])
    assert again.training_id == first.training_id
    again.end()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", [{"seed": 1}, {"data": "b" * 64}])
def test_another_seed_or_other_data_starts_anew_and_clears_up(tmp_path, other):
    open_folder(tmp_path).keep_arrays("fold-1", lambda: {"x": np.zeros(1)})
    fresh = open_folder(tmp_path, **other)
    assert fresh.keep_arrays("fold-1", lambda: {"x": np.ones(1)})["x"][0] == 1.0
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_broken_is_computed_again(tmp_path):
    open_folder(tmp_path).keep_arrays("fold-1", lambda: {"x": np.zeros(1)})
    (path,) = tmp_path.rglob("fold-1.npz")
    for content in (b"", b"PK\x03\x04 broken", path.read_bytes()[:-20]):
        path.write_bytes(content)
        found = open_folder(tmp_path).keep_arrays("fold-1", lambda: {"x": np.ones(1)})
        assert found["x"][0] == 1.0


KILLED = """
import os, signal, sys
import numpy as np
from pathlib import Path
from models.stages import StageFolder
stages = StageFolder(Path(sys.argv[1]), name="tickets", seed=0, progress=print)
stages.begin("a" * 64)
stages.keep_arrays("fold-1", lambda: {"x": np.ones(1)})
stages.keep_arrays("fold-2", lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_after_a_kill_the_finished_stage_is_there_and_the_other_is_not(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    stages = open_folder(tmp_path)
    assert stages.keep_arrays("fold-1", refuse)["x"][0] == 1.0
    assert stages.keep_arrays("fold-2", lambda: {"x": np.zeros(1)})["x"][0] == 0.0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_told_and_leaves_no_half_stage(tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)], check=True)
    try:
        stages = open_folder(tmp_path)
        with pytest.raises(OSError, match="No space") as told:
            stages.keep_arrays("fold-1", lambda: {"x": np.random.default_rng(0).random(100_000)})
        assert told.value.errno == errno.ENOSPC
        assert not list(tmp_path.rglob("fold-1*"))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_without_a_folder_everything_is_computed():
    stages = NoStages()
    stages.begin("a" * 64)
    assert stages.keep_arrays("x", lambda: {"y": np.ones(1)})["y"][0] == 1.0
    assert stages.training_id is None
