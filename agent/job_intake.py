# SPDX-License-Identifier: Apache-2.0
"""What happens to a delivered envelope: run it once, refuse it, or recognise it.

Every refusal becomes a receipt. A redelivery of an envelope whose receipt is still on its way is
silent (the receipt answers it); after the acknowledgement it is a replay.
"""

from agent.client import DeviceClient
from agent.device_clock import DeviceClock
from agent.errors import RefusalError
from agent.journal import Journal, StartedJob, UnreadableJob
from agent.logs import bind_correlation, log, new_correlation_id
from agent.remediation import Remediation, refuse
from agent.verification import (
    Memory,
    Trust,
    VerifiedJob,
    check_consistency,
    check_job,
    consistency_range,
    peek_job,
    restore_job,
)
from contracts.canonical import sha256_hex
from contracts.checkpoint import CheckpointError
from contracts.job import RefusalReason


class JobIntake:
    """Takes envelopes one at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        client: DeviceClient,
        trust: Trust,
        clock: DeviceClock,
        remediation: Remediation,
        interpreters: tuple[str, ...],
    ) -> None:
        self._journal = journal
        self._client = client
        self._trust = trust
        self._clock = clock
        self._remediation = remediation
        self._interpreters = interpreters

    async def recover(self) -> int:
        """Settle the jobs that an earlier run left without an end; return how many.

        A job that cannot be read back, or does not verify, is settled with nothing run: one
        damaged row must not stand before all further jobs.
        """
        if self._journal.repair_memory():
            log("journal.repaired", decision="repaired")
        started = self._journal.list_started()
        for left in started:
            if isinstance(left, UnreadableJob):
                self._remediation.settle(left)
                continue
            try:
                verified = restore_started(left, self._trust)
            except RefusalError as error:
                self._remediation.settle(left.as_unreadable(error.detail))
                continue
            with bind_correlation(verified.job.correlation_id):
                await self._remediation.recover(left, verified)
        return len(started)

    async def take(self, envelope: bytes) -> None:
        """Handle one delivered envelope.

        Raises:
            ServerError: the log's consistency could not be asked for; the job stays untouched.
            JournalError: the job could not be written down, so it was not started.

        """
        claimed = peek_job(envelope)
        with bind_correlation(claimed.correlation_id if claimed else new_correlation_id()):
            digest = sha256_hex(envelope)
            if self._journal.is_known(digest) and not self._journal.is_acknowledged(digest):
                log("job.redelivered", decision="ignored", envelope_sha256=digest)
                return
            try:
                await self._run(envelope)
            except RefusalError as error:
                self._refuse(digest, error)

    async def _run(self, envelope: bytes) -> None:
        memory = self._journal.recall()
        verified = check_job(
            envelope,
            trust=self._trust,
            memory=memory,
            now=self._clock.now(),
            interpreters=self._interpreters,
        )
        if self._journal.has_job(verified.job.job_id):
            detail = "this job was already taken in another envelope"
            raise RefusalError(RefusalReason.REPLAYED, detail, verified.job)
        if (earlier := self._journal.find_run(verified.job)) is not None:
            detail = f"what was approved was already run, by {earlier}: an approval is for one run"
            raise RefusalError(RefusalReason.APPROVAL_USED, detail, verified.job)
        checkpoint = await self._prove_consistency(memory, verified)
        started_at = self._clock.now()
        self._journal.start_job(verified, envelope, checkpoint, started_at)
        log("job.accepted", decision="accepted", job_id=verified.job.job_id)
        await self._remediation.run(verified, started_at)

    async def _prove_consistency(self, memory: Memory, verified: VerifiedJob) -> str:
        try:
            sizes = consistency_range(memory, verified.checkpoint, self._trust)
        except CheckpointError as error:
            raise RefusalError(RefusalReason.INCONSISTENT_LOG, str(error), verified.job) from error
        proof = await self._client.fetch_consistency(*sizes) if sizes else []
        return check_consistency(memory, verified, self._trust, proof)

    def _refuse(self, digest: str, error: RefusalError) -> None:
        receipt = refuse(digest, error, device_id=self._trust.device_id, now=self._clock.now())
        is_new = self._journal.add_refusal(receipt)
        log(
            "job.refused",
            decision="refused",
            job_id=receipt.job_id,
            reason=error.reason,
            detail=error.detail[:300],
            reported=is_new,
        )


def restore_started(left: StartedJob, trust: Trust) -> VerifiedJob:
    """Read back and verify a journaled job.

    Raises:
        RefusalError: it is not the job that was taken, or its steps are not the job's.

    """
    verified = restore_job(left.envelope, left.envelope_sha256, trust)
    steps = {left.step, *(each.step for each in left.steps)} - {""}
    if verified.job.job_id != left.job_id or not steps <= set(verified.contents):
        raise RefusalError(RefusalReason.MALFORMED, "the journal's row is of another job")
    return verified
