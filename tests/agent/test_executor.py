# SPDX-License-Identifier: Apache-2.0
"""Steps as real processes: bounded in time and output, alone in their environment."""

import os
import time
from pathlib import Path

import psutil
import pytest

from agent.errors import RefusalError
from agent.executor import StepCommand, build_environment, find_interpreters, run_step
from contracts.canonical import sha256_hex
from contracts.job import MAX_OUTPUT_BYTES, RefusalReason, StepResult

JOB_ID = f"job_{os.getpid():06d}"  # other test runs on this machine have their own


async def run(
    tmp_path: Path, script: str, *, interpreter: str = "bash", timeout_seconds: float = 20
) -> StepResult:
    content = script.encode()
    command = StepCommand(
        step="remediate",
        interpreter=interpreter,
        content=content,
        sha256=sha256_hex(content),
        environment=build_environment(
            job_id=JOB_ID, parameters={"count": 3, "share": 0.5}, state_dir=tmp_path
        ),
        timeout_seconds=timeout_seconds,
        directory=tmp_path,
    )
    return await run_step(command, find_interpreters(), lambda _group: None)


async def test_the_environment_holds_only_what_we_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_SECRET", "leak")
    monkeypatch.setenv("BASH_ENV", "/nonexistent")
    result = await run(tmp_path, "env | cut -d= -f1 | sort")
    assert set(result.stdout.split()) - {"PWD", "SHLVL", "_", "OLDPWD"} == {
        "EUCORA_JOB_ID",
        "EUCORA_PARAM_COUNT",
        "EUCORA_PARAM_SHARE",
        "EUCORA_STATE_DIR",
        "HOME",
        "LANG",
        "PATH",
        "TEMP",
        "TMP",
        "TMPDIR",
    }
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the script and its folder are gone


async def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    children = tmp_path / "children"
    script = f"trap '' TERM; sleep 300 & echo $! > {children}; echo begun; wait"
    result = await run(tmp_path, script, timeout_seconds=1.5)
    assert result.timed_out
    assert result.exit_code is None
    assert result.stdout == "begun\n"
    child = int(children.read_text())
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline


async def test_a_timeout_ends_what_made_a_session_of_its_own(tmp_path: Path) -> None:
    """Otherwise it would work on while the rollback undoes what it did."""
    children, effect = tmp_path / "children", tmp_path / "effect"
    inner = f"echo $$ >> {children}; (sleep 0.05; while :; do echo x >> {effect}; sleep 0.05; done)"
    script = f"setsid bash -c '{inner}' & setsid sleep 300 & echo $! >> {children}; sleep 300"
    result = await run(tmp_path, script, timeout_seconds=1.5)
    assert result.timed_out
    assert result.duration_seconds < 15
    pids = [int(line) for line in children.read_text().split()]
    assert len(pids) == 2
    for pid in pids:
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    marked = [process for process in psutil.process_iter() if names_job(process)]
    assert marked == []


def names_job(process: psutil.Process) -> bool:
    try:
        return process.environ().get("EUCORA_JOB_ID") == JOB_ID
    except psutil.Error:
        return False


async def test_output_is_bounded_and_safe_to_store(tmp_path: Path) -> None:
    result = await run(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x; printf 'a\\0\\377b' >&2")
    assert len(result.stdout) == MAX_OUTPUT_BYTES
    assert result.truncated
    assert result.stderr == "a\ufffd\ufffdb"
    assert result.exit_code == 0


async def test_a_daemon_that_keeps_the_pipe_open_does_not_hold_the_step_up(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    result = await run(tmp_path, f"setsid bash -c 'echo $$ > {pid_file}; sleep 60' & sleep 0.3")
    assert time.monotonic() - started < 10
    assert result.exit_code == 0
    daemon = psutil.Process(int(pid_file.read_text()))
    assert daemon.is_running()
    for process in [*daemon.children(), daemon]:
        process.kill()


async def test_a_killed_step_has_no_exit_code(tmp_path: Path) -> None:
    result = await run(tmp_path, "kill -9 $$")
    assert result.exit_code is None
    assert not result.timed_out


@pytest.mark.parametrize("interpreter", sorted(find_interpreters()))
async def test_every_interpreter_found_here_runs(tmp_path: Path, interpreter: str) -> None:
    result = await run(
        tmp_path, "print('x')" if interpreter == "python" else "echo x", interpreter=interpreter
    )
    assert (result.exit_code, result.stdout.strip()) == (0, "x")


async def test_bytes_that_are_not_the_approved_ones_do_not_run(tmp_path: Path) -> None:
    command = StepCommand(
        step="remediate",
        interpreter="bash",
        content=b"touch effect",
        sha256=sha256_hex(b"other"),
        environment={"PATH": os.defpath},
        timeout_seconds=5,
        directory=tmp_path,
    )
    with pytest.raises(RefusalError) as caught:
        await run_step(command, find_interpreters(), lambda _group: None)
    assert caught.value.reason is RefusalReason.DIGEST_MISMATCH
