# SPDX-License-Identifier: Apache-2.0
"""The running agent: four loops over one journal, ended together by SIGTERM or SIGINT.

observe (a report each interval) - deliver (reports and receipts, with backoff) - work (lease,
check and run jobs, one at a time) - maintain (clock offset, certificate renewal). A loop never
dies of an unreachable server; it waits longer.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from agent.client import DeviceClient
from agent.collector import Collector
from agent.configuration import Configuration, ConfigurationFile
from agent.device_clock import DeviceClock
from agent.errors import (
    AgentError,
    EnrolmentError,
    NotEnrolledError,
    RejectedError,
    ServerError,
)
from agent.executor import find_interpreters
from agent.identity import (
    RENEWED_FILE,
    Identity,
    check_certificate,
    create_request,
    drop_renewed,
    has_renewed,
    load_certificate,
    load_public_key,
    open_tls,
    renewal_is_due,
    save_renewed,
    take_up_renewed,
)
from agent.job_intake import JobIntake
from agent.journal import Journal
from agent.logs import bind_correlation, log, log_failure, new_correlation_id
from agent.remediation import Remediation
from agent.report_queue import QueuedReport, ReportQueue
from agent.verification import Trust

FIRST_BACKOFF_SECONDS = 1.0
MAINTENANCE_SECONDS = 300.0
EMPTY_POLL_SECONDS = 1.0  # pause after a server that does not hold the request open
SUPERVISION_SECONDS = 1.0
_UNDECODABLE = (400, 413, 415, 422)


class Daemon:
    """One enrolled device at work."""

    def __init__(
        self,
        *,
        state_dir: Path,
        identity: Identity,
        configuration: Configuration,
        interval_seconds: float | None = None,
        supervisor_pid: int | None = None,
    ) -> None:
        """State who this device is; it ends with its supervisor, if it has one."""
        self._supervisor_pid = supervisor_pid
        self._state_dir = state_dir
        self._identity = identity
        self._configuration = configuration
        self._interval_seconds = (
            interval_seconds or configuration.interval_seconds or identity.interval_seconds
        )
        self._clock = DeviceClock()
        self._journal = Journal(state_dir)
        self._queue = ReportQueue(
            self._journal,
            max_reports=configuration.queue_max_reports,
            max_bytes=configuration.queue_max_bytes,
        )
        self._configuration_file = ConfigurationFile(state_dir)
        self._collector = Collector(identity.device_id, configuration)
        self._observe_now = asyncio.Event()
        self._deliver_now = asyncio.Event()
        self._stop = asyncio.Event()
        self._n_errors = 0

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises:
            AgentError: the keys or the journal cannot be used.

        """
        self._install_signal_handlers()
        log("agent.started", interval_seconds=self._interval_seconds)
        try:
            self._journal.keep_reserve()
            async with DeviceClient(self._identity.server, open_tls(self._state_dir)) as client:
                await self._run_loops(client)
        finally:
            self._journal.close()
            log("agent.stopped")

    def _install_signal_handlers(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Windows has no loop handlers; there Ctrl-C ends asyncio.run itself.
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, self._stop.set)

    async def _run_loops(self, client: DeviceClient) -> None:
        """Run all loops until told to stop; a loop ends by itself only of a fault of ours."""
        intake = self._make_intake(client)
        loops = [
            asyncio.create_task(self._observe()),
            asyncio.create_task(self._repeat("deliver", lambda: self._deliver(client))),
            asyncio.create_task(self._repeat("work", lambda: self._work(client, intake))),
            asyncio.create_task(self._repeat("maintain", lambda: self._maintain(client))),
            asyncio.create_task(self._watch_supervisor()),
        ]
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([*loops, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel([*loops, stopped])
        for task in loops:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _watch_supervisor(self) -> None:
        """Stop with a supervisor that was killed, so that no second agent meets this one."""
        if self._supervisor_pid is None:
            await self._stop.wait()
        while not self._stop.is_set() and os.getppid() == self._supervisor_pid:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), SUPERVISION_SECONDS)
        self._stop.set()

    def _make_intake(self, client: DeviceClient) -> JobIntake:
        interpreters = find_interpreters()
        identity = self._identity
        return JobIntake(
            journal=self._journal,
            client=client,
            clock=self._clock,
            trust=Trust(
                device_id=identity.device_id,
                job_key=load_public_key(identity.job_public_key_pem),
                log_key=load_public_key(identity.log_public_key_pem),
                log_origin=identity.log_origin,
            ),
            remediation=Remediation(
                self._journal,
                self._state_dir,
                identity.device_id,
                interpreters,
                self._clock.now,
            ),
            interpreters=tuple(interpreters),
        )

    async def _repeat(self, name: str, turn: Callable[[], Awaitable[None]]) -> None:
        """Run turns for ever; after a failure wait, twice as long each time."""
        backoff_seconds = FIRST_BACKOFF_SECONDS
        while True:
            try:
                with bind_correlation(new_correlation_id()):
                    await turn()
                backoff_seconds = FIRST_BACKOFF_SECONDS
            except AgentError as error:
                self._n_errors += 1
                log_failure(f"agent.{name}_failed", error, retry_seconds=round(backoff_seconds, 1))
                await asyncio.sleep(backoff_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                backoff_seconds = min(
                    2 * backoff_seconds, self._configuration.longest_backoff_seconds
                )

    async def _observe(self) -> None:
        """Queue a report each interval, and at once after a job."""
        while True:
            self._observe_now.clear()
            n_errors, self._n_errors = self._n_errors, 0
            try:
                self._take_up_watches()
                report = await asyncio.to_thread(
                    self._collector.collect,
                    self._clock.now(),
                    clock_offset_seconds=self._clock.offset_seconds,
                    n_queued=len(self._queue),
                    n_errors=n_errors,
                )
                self._queue.add(report)
                self._deliver_now.set()
            except (AgentError, OSError, ValueError) as error:
                self._n_errors += 1
                log_failure("agent.observe_failed", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._observe_now.wait(), self._interval_seconds)

    def _take_up_watches(self) -> None:
        """Observe from now on what a changed configuration says."""
        try:
            configuration = self._configuration_file.read_if_changed()
        except AgentError as error:
            self._n_errors += 1
            log_failure("configuration.refused", error)
            return
        if configuration is not None:
            self._collector.take_up(configuration)
            log("configuration.taken_up")

    async def _deliver(self, client: DeviceClient) -> None:
        """Send what waits, receipts first, then sleep until there is more."""
        self._deliver_now.clear()
        for receipt_id, body in self._journal.list_unacknowledged():
            await self._deliver_receipt(client, receipt_id, body)
        while batch := self._queue.next_batch():
            await self._deliver_batch(client, batch)
        await self._deliver_now.wait()

    async def _deliver_receipt(self, client: DeviceClient, receipt_id: int, body: bytes) -> None:
        try:
            is_new = await client.send_receipt(body)
        except RejectedError as error:
            if error.status not in (*_UNDECODABLE, 404, 409):
                raise
            # The server will never take it: repeating would block the receipts behind it.
            log_failure("receipt.rejected", error, receipt_id=receipt_id)
        else:
            log("receipt.acknowledged", receipt_id=receipt_id, recorded=is_new)
        self._journal.acknowledge(receipt_id)

    async def _deliver_batch(self, client: DeviceClient, batch: Sequence[QueuedReport]) -> None:
        try:
            answer = await client.send_reports([report.body for report in batch])
        except RejectedError as error:
            if error.status not in _UNDECODABLE:
                raise
            await self._deliver_singly(client, batch, error)
            return
        rejected = [entry.report_id for entry in answer.rejected]
        for entry in answer.rejected:
            log("report.rejected", report_id=entry.report_id, reason=entry.reason)
        answered = {*answer.accepted, *answer.duplicates, *rejected}
        sent = {report.report_id for report in batch}
        if not answered & sent:
            raise ServerError("the server answered for none of the reports")
        self._queue.remove(answered & sent, n_rejected=len(set(rejected) & sent))

    async def _deliver_singly(
        self, client: DeviceClient, batch: Sequence[QueuedReport], error: RejectedError
    ) -> None:
        """Find the one report the server cannot read; the others must not suffer for it."""
        if len(batch) == 1:
            log_failure("report.unreadable", error, report_id=batch[0].report_id)
            self._queue.remove([batch[0].report_id], n_rejected=1)
            return
        for report in batch:
            await self._deliver_batch(client, [report])

    async def _work(self, client: DeviceClient, intake: JobIntake) -> None:
        """Settle old jobs, wait for new ones, carry them out."""
        if await intake.recover():
            self._job_ended()
        started = asyncio.get_running_loop().time()
        envelopes = await client.lease_jobs(wait_seconds=self._configuration.job_wait_seconds)
        for envelope in envelopes:
            try:
                await intake.take(envelope)
            finally:
                self._job_ended()
        if not envelopes and asyncio.get_running_loop().time() - started < EMPTY_POLL_SECONDS:
            await asyncio.sleep(EMPTY_POLL_SECONDS)

    def _job_ended(self) -> None:
        self._deliver_now.set()
        self._observe_now.set()

    async def _maintain(self, client: DeviceClient) -> None:
        """Learn the clock offset, renew the certificate when two thirds of its life are over."""
        await self._try_renewed(client)
        asked_at = datetime.now(UTC)
        server_time = await client.fetch_time()
        self._clock.learn(asked_at=asked_at, answered_at=datetime.now(UTC), server_time=server_time)
        self._journal.keep_reserve()
        await client.close_retired()
        if renewal_is_due(load_certificate(self._state_dir), self._clock.now()):
            await self._renew(client)
        await asyncio.sleep(MAINTENANCE_SECONDS)

    async def _renew(self, client: DeviceClient) -> None:
        """Get a new certificate for a new key; the present ones stay until it has worked."""
        key_pem, csr_pem = create_request(self._identity.device_id)
        certificate_pem = await client.renew_certificate(csr_pem)
        certificate = check_certificate(certificate_pem, key_pem, self._identity.device_id)
        if renewal_is_due(certificate, self._clock.now()):
            raise EnrolmentError("the renewed certificate is already due for renewal")
        save_renewed(self._state_dir, certificate_pem, key_pem)
        await self._try_renewed(client)

    async def _try_renewed(self, client: DeviceClient) -> None:
        """Take up a renewed certificate as soon as the server has accepted it.

        Also at a start: an agent may have died between the first use, with which the server ends
        the old certificate, and the exchange of the files.
        """
        if not has_renewed(self._state_dir):
            return
        try:
            tls = open_tls(self._state_dir, RENEWED_FILE)
        except NotEnrolledError as error:
            drop_renewed(self._state_dir)
            log_failure("certificate.damaged", error)
            return
        async with DeviceClient(self._identity.server, tls) as trial:
            accepted = await trial.prove_identity()
        if not accepted:
            drop_renewed(self._state_dir)
            log("certificate.not_accepted", decision="dropped")
            return
        take_up_renewed(self._state_dir)
        client.replace_tls(open_tls(self._state_dir))
        log("certificate.renewed")


async def _cancel(tasks: Sequence["asyncio.Task[object]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
