# SPDX-License-Identifier: Apache-2.0
"""Compiled loops are kept on disk, and what became of them there stops no process."""

import os
import subprocess
import sys

PROGRAM = """
from numbers_added import add, again
from models.compilation import compile_by
found = []
compile_by(lambda: found.append((add(1, 2), again(1, 2))))
assert found == [(3, 4)], found
print(*(sum(each.stats.cache_hits.values()) for each in (add, again)))
"""
LOOPS = """
from models.compilation import compiled
@compiled
def add(some, others):
    return some + others
@compiled
def again(some, others):
    return add(some, others) + 1
"""


def run(folder, kept):
    (folder / "numbers_added.py").write_text(LOOPS)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "NUMBA_CACHE_DIR": str(kept), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_files_that_a_power_cut_left_short_are_compiled_anew(tmp_path):
    kept = tmp_path / "kept"
    assert run(tmp_path, kept).stdout.split() == ["0", "0"]
    assert run(tmp_path, kept).stdout.split() == ["1", "1"]
    for ending, size in (("nbi", 0), ("nbc", 100)):
        files = list(kept.rglob(f"*.{ending}"))
        assert files
        for file in files:
            os.truncate(file, size)
        done = run(tmp_path, kept)
        assert done.returncode == 0, done.stderr
        assert "compiled anew" in done.stderr
        assert all(file.stat().st_size > size for file in kept.rglob(f"*.{ending}"))


def test_where_nothing_can_be_kept_each_process_compiles(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    done = run(tmp_path, blocked / "inside")
    assert done.returncode == 0, done.stderr
