# SPDX-License-Identifier: Apache-2.0
"""Carries out one journaled job: detect, remediate, verify, and rollback where that fails.

The journal is told before each step what is about to happen. `recover` settles what an earlier
agent left unfinished: it never runs a job again, it only undoes.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.errors import AgentError, RefusalError
from agent.executor import StepCommand, build_environment, end_leftovers, run_step
from agent.journal import Journal, StartedJob, UnreadableJob
from agent.logs import log, log_failure
from agent.verification import VerifiedJob
from contracts.job import (
    UNKNOWN_JOB_ID,
    Job,
    Outcome,
    Receipt,
    RefusalReason,
    StepName,
    StepResult,
)

ROLLBACK_DAYS = 90


@dataclass(slots=True, kw_only=True)
class _Run:
    """One job under way. `steps` and `executed` grow as steps end."""

    job: Job
    envelope_sha256: str
    contents: Mapping[str, bytes]
    started_at: datetime
    steps: list[StepResult] = field(default_factory=list)
    executed: dict[StepName, str] = field(default_factory=dict)


class Remediation:
    """Runs verified jobs, one at a time."""

    def __init__(
        self,
        journal: Journal,
        state_dir: Path,
        device_id: str,
        interpreters: Mapping[str, tuple[str, ...]],
        now: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._device_id = device_id
        self._interpreters = interpreters
        self._now = now
        self._work_dir = state_dir / "work"
        self._rollback_dir = state_dir / "rollback"
        for directory in (self._work_dir, self._rollback_dir):
            directory.mkdir(mode=0o700, exist_ok=True)
        self._clear_leftovers()

    def _clear_leftovers(self) -> None:
        """Remove what killed steps left, and rollback data that no job will ask for any more."""
        oldest = time.time() - ROLLBACK_DAYS * 86_400
        stale = [path for path in self._rollback_dir.iterdir() if path.stat().st_mtime < oldest]
        for directory in (*self._work_dir.iterdir(), *stale):
            shutil.rmtree(directory, ignore_errors=True)

    async def run(self, verified: VerifiedJob, started_at: datetime) -> Receipt:
        """Run a job that `Journal.start_job` has written down; its receipt is queued."""
        run = _Run(
            job=verified.job,
            envelope_sha256=verified.envelope_sha256,
            contents=verified.contents,
            started_at=started_at,
        )
        refusal: RefusalReason | None = None
        try:
            outcome = await self._carry_out(run)
        except RefusalError as error:
            outcome, refusal = "refused", error.reason
        except AgentError as error:
            log_failure("job.step_failed", error, job_id=run.job.job_id)
            outcome = await self._undo(run)
        return self._finish(run, outcome, refusal)

    async def _carry_out(self, run: _Run) -> Outcome:
        if run.job.kind == "rollback":
            return "rolled_back" if await self._succeeds(run, "rollback") else "failed"
        if "detect" in run.contents:
            detected = await self._run_step(run, "detect")
            if detected.exit_code == 1:
                return "not_needed"
            if detected.exit_code != 0:
                return "failed"
        if not await self._succeeds(run, "remediate"):
            return await self._undo(run)
        if "verify" in run.contents and not await self._succeeds(run, "verify"):
            return await self._undo(run)
        return "succeeded"

    async def _undo(self, run: _Run) -> Outcome:
        """Roll back if the remediation may have changed something and can be undone."""
        attempted = {result.step for result in run.steps} | set(run.executed)
        if (
            "remediate" not in attempted
            or "rollback" not in run.contents
            or "rollback" in attempted
        ):
            return "failed"
        try:
            return "rolled_back" if await self._succeeds(run, "rollback") else "failed"
        except AgentError as error:
            log_failure("job.rollback_failed", error, job_id=run.job.job_id)
            return "failed"

    async def _succeeds(self, run: _Run, step: StepName) -> bool:
        return (await self._run_step(run, step)).exit_code == 0

    async def _run_step(self, run: _Run, step: StepName) -> StepResult:
        job = run.job
        state_dir = self._rollback_dir / job.proposal_id
        self._journal.start_step(run.envelope_sha256, step)
        try:
            state_dir.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise AgentError(f"no directory for rollback data: {error}") from error
        run.executed[step] = job.steps[step].sha256
        command = StepCommand(
            step=step,
            interpreter=job.interpreter,
            content=run.contents[step],
            sha256=run.executed[step],
            environment=build_environment(
                job_id=job.job_id, parameters=job.parameters, state_dir=state_dir
            ),
            timeout_seconds=job.timeout_seconds,
            directory=self._work_dir,
        )
        try:
            result = await run_step(
                command,
                self._interpreters,
                lambda group: self._journal.note_process_group(run.envelope_sha256, group),
            )
        except RefusalError:
            del run.executed[step]
            raise
        run.steps.append(result)
        self._journal.end_step(run.envelope_sha256, tuple(run.steps))
        log(
            "job.step",
            job_id=job.job_id,
            step=step,
            exit_code=result.exit_code,
            timed_out=result.timed_out,
            duration_seconds=result.duration_seconds,
        )
        return result

    def _finish(self, run: _Run, outcome: Outcome, refusal: RefusalReason | None) -> Receipt:
        receipt = Receipt(
            job_id=run.job.job_id,
            device_id=run.job.device_id,
            sequence=run.job.sequence,
            envelope_sha256=run.envelope_sha256,
            outcome=outcome,
            refusal=refusal,
            script_sha256=run.job.script_sha256,
            executed_sha256=run.executed,
            steps=tuple(run.steps),
            started_at=run.started_at,
            finished_at=self._now(),
            correlation_id=run.job.correlation_id,
        )
        self._journal.finish_job(receipt)
        log("job.finished", job_id=run.job.job_id, decision=outcome, refusal=refusal)
        return receipt

    async def recover(self, left: StartedJob, verified: VerifiedJob) -> Receipt:
        """Settle a job that a dead agent began: end its processes, undo, report `interrupted`.

        A rollback that was itself interrupted is not tried again; a person sees it.
        """
        n_ended = end_leftovers(verified.job.job_id, left.process_group)
        log("job.recovering", job_id=verified.job.job_id, step=left.step, n_ended=n_ended)
        run = _Run(
            job=verified.job,
            envelope_sha256=left.envelope_sha256,
            contents=verified.contents,
            started_at=left.started_at,
            steps=list(left.steps),
        )
        for result in left.steps:
            run.executed[result.step] = verified.job.steps[result.step].sha256
        if left.step in ("detect", "remediate", "verify"):
            run.executed[left.step] = verified.job.steps[left.step].sha256
        if verified.job.kind == "remediate" and left.step in ("remediate", "verify"):
            await self._undo(run)
        return self._finish(run, "interrupted", None)

    def settle(self, left: UnreadableJob) -> Receipt:
        """Close a job whose journal row is damaged, as `interrupted`: nothing of it is run.

        What it may have changed stays; a person sees the receipt.
        """
        n_ended = end_leftovers(left.job_id, left.process_group)
        now = self._now()
        receipt = Receipt(
            job_id=left.job_id,
            device_id=self._device_id,
            sequence=left.sequence,
            envelope_sha256=left.envelope_sha256,
            outcome="interrupted",
            started_at=left.started_at or now,
            finished_at=now,
        )
        self._journal.finish_job(receipt)
        log("job.unreadable", job_id=left.job_id, damage=left.damage[:300], n_ended=n_ended)
        return receipt


def refuse(envelope_sha256: str, error: RefusalError, *, device_id: str, now: datetime) -> Receipt:
    """Return the receipt of a job that was refused before anything ran.

    `error.job` may be unverified, so only its name, order and correlation id are repeated; the
    server compares the envelope's digest with what it sent.
    """
    job = error.job
    return Receipt(
        job_id=job.job_id if job else UNKNOWN_JOB_ID,
        device_id=device_id,
        sequence=job.sequence if job else 0,
        envelope_sha256=envelope_sha256,
        outcome="refused",
        refusal=error.reason,
        script_sha256=job.script_sha256 if job else None,
        started_at=now,
        finished_at=now,
        correlation_id=job.correlation_id if job else "",
    )
