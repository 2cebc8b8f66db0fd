# SPDX-License-Identifier: Apache-2.0
"""One road under attack: stops between any two steps, so that processes can be killed there.

A gap is made a state and not a moment: whoever would do the next step is frozen (SIGSTOP), or
waits for a lock that the test holds. Who keeps a gap open that way dies last in it. Whatever is
killed is started again by its supervisor.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from api.demonstration_faults import BurningCore
from kernel.postmaster import FileLock
from tests.stack.burning import burning_alone
from tests.stack.installation import Installation, wait_until
from tests.stack.journal import list_jobs, list_receipts
from tests.stack.portal import Portal

PATIENCE_SECONDS = 180
FAULT_SECONDS = 900
REST_SECONDS = 1.0
MAX_FREEZES = 20
APPROVER, PASSWORD = "chaos-approver", "long enough for a test"
# The agent tries again soon after an outage; nothing else of it is changed.
AGENT_CONFIGURATION = "longest_backoff_seconds = 1\n"
GAPS = (
    "stored, not scored",
    "opened, not reasoned about",
    "sealed, not approved",
    "approved, no job made",
    "job made, not leased",
    "leased, not begun",
    "executed, not reported",
    "reported, not verified",
)
HOLD_LEASES = "SELECT pg_advisory_lock(hashtextextended('jobs:' || %(id)s, 0))"
HOLD_PROPOSALS = "LOCK TABLE proposals IN EXCLUSIVE MODE"
HOLD_STATEMENTS = "LOCK TABLE evidence_bundles IN EXCLUSIVE MODE"
# What is audited of an incident, its proposal and its job, each exactly once.
AUDITED_ONCE = {
    "incident.opened", "incident.proposed", "incident.approved", "incident.remediating",
    "incident.verifying", "incident.resolved",
    "proposal.sealed", "proposal.created", "proposal.approved", "approval.sealed",
    "job.created", "execution.sealed", "job.reported", "verification.sealed", "job.verified",
}  # fmt: skip


class RoadUnderAttack:
    """A burning core on its way to a verified fix."""

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        *,
        name: str,
        attack: Callable[[str, Sequence[str]], None],
    ) -> None:
        """Prepare the road.

        Args:
            installation: running, with an account APPROVER.
            folder: where the burning program gets its name.
            name: of that program; unique among all that runs here.
            attack: what is done in each gap; told its name and who may die now, in this order.

        """
        self.installation = installation
        self.fault = BurningCore(folder, name=name, seconds=FAULT_SECONDS)
        self._attack = attack
        self._frozen: dict[str, psutil.Process] = {}
        self._incident_id = self._proposal_id = ""

    def travel(self) -> None:
        """Go from the fault to the verified fix, through an attack in every gap."""
        with burning_alone():
            try:
                self._detect()
                self._reason()
                self._decide()
                self._execute()
                self._verify()
            finally:
                for role in tuple(self._frozen):
                    self._thaw(role)
                self.fault.end()

    def _detect(self) -> None:
        self._freeze("worker")
        self.fault.begin()
        self._prefer_the_fault()
        self._await(self._is_reported, "reports of the fault")
        assert self._find_incident() is None
        self._attack("stored, not scored", ("postgres", "agent", "serve", "worker"))

    def _reason(self) -> None:
        with self._holding(HOLD_PROPOSALS):
            self._thaw("worker")
            self._incident_id = self._await(self._find_incident, "an incident")
            self._freeze("worker", at_rest=False)
            assert self._find_proposal() is None
            victims = ("agent", "serve", "postgres", "worker")
            self._attack("opened, not reasoned about", victims)
        self._thaw("worker")
        self._proposal_id = self._await(self._find_proposal, "a proposal")
        self._fault_process.suspend()  # nobody looks at it until it is to be fixed
        self._attack("sealed, not approved", ("postgres", "agent", "worker", "serve"))

    def _decide(self) -> None:
        wait_until(self.installation.answers, PATIENCE_SECONDS, "a ready page")
        self._freeze("worker")
        with Portal(self.installation.url) as portal:
            portal.log_in(APPROVER, PASSWORD)
            answer = portal.approve(self._proposal_id, reason="under attack")
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text[:2000]
        self._attack("approved, no job made", ("postgres", "agent", "serve"))
        wait_until(self.installation.answers, PATIENCE_SECONDS, "a ready page")
        self._freeze("serve")  # the job that the next worker makes is not to be leased
        assert self._find_job() is None
        self._attack("approved, no job made", ("worker",))

    def _execute(self) -> None:
        self._thaw("worker")
        job = self._await(self._find_job, "a job")
        assert job["status"] == "queued"
        self._attack("job made, not leased", ("postgres", "agent", "worker"))
        with self._holding(HOLD_LEASES, id=job["device_id"]) as holder:
            assert self._job_status() == "queued"
            self._attack("job made, not leased", ("serve",))
            self._thaw("serve")
            self._await(lambda: self._is_waited_for(holder), "a device that asks for jobs")
            self._freeze("agent", at_rest=False)  # it holds no locks of the database
        self._await(lambda: self._job_status() == "leased", "a lease")
        assert not self._has_begun()
        self._attack("leased, not begun", ("postgres", "worker", "serve"))
        self._fault_process.resume()
        # Fresh reports will wait when the receipt comes: the verdict would come with it.
        self._freeze("worker")
        with self._holding(HOLD_STATEMENTS) as holder:
            # Here, since its successor may execute at once, and is not to report yet.
            self._attack("leased, not begun", ("agent",))
            self._thaw("agent")
            self._await(self._list_receipts, "a receipt in the journal")
            assert self._job_status() == "leased"
            self._attack("executed, not reported", ("agent", "worker", "serve"))
            self._freeze("worker", besides=holder)
            self._attack("executed, not reported", ("postgres",))  # the lock ends with it

    def _verify(self) -> None:
        self._await(lambda: self._job_status() == "reported", "the receipt's arrival")
        assert self._find_job()["verified_at"] is None
        self._attack("reported, not verified", ("postgres", "agent", "serve", "worker"))
        self._thaw("worker")
        self._await(self._is_over, "the road's end")

    def _freeze(self, role: str, *, at_rest: bool = True, besides: int = 0) -> None:
        """Stop a process unless it is stopped; `at_rest`: not while it holds locks others need.

        A process that is stopped while it starts the database again would hold that up for ever.
        `besides` is the process id of the test's own transaction; others may wait for its locks.
        """
        if (frozen := self._frozen.get(role)) and frozen.is_running():
            return
        for attempt in range(MAX_FREEZES):
            process = self._await(lambda: self.installation.find_process(role), f"process {role}")
            process.send_signal(signal.SIGSTOP)
            self._frozen[role] = process
            stuck = self._list_stuck_transactions(besides) if at_rest else set()
            if not stuck and self._may_start_database():
                return
            self._thaw(role)
            self._await(lambda s=stuck: not s & self._list_open_transactions(besides), "their end")
            time.sleep(attempt * REST_SECONDS / 4)  # to catch up with what has come meanwhile
        raise AssertionError(f"{role} is never at rest: {stuck or 'it starts the database'}")

    def _may_start_database(self) -> bool:
        """Say whether nobody holds the lock under which the database is started."""
        lock = FileLock(self.installation.data_dir / "postgres.start.lock")
        is_free = lock.try_acquire(shared=False)
        lock.release()
        return is_free

    def _list_stuck_transactions(self, besides: int) -> set[tuple[int, datetime]]:
        """Return the transactions that stay open for a while."""
        stuck = self._list_open_transactions(besides)
        deadline = time.monotonic() + REST_SECONDS
        while stuck and time.monotonic() < deadline:
            time.sleep(REST_SECONDS / 10)
            stuck &= self._list_open_transactions(besides)
        return stuck

    def _list_open_transactions(self, besides: int) -> set[tuple[int, datetime]]:
        """Return what is open, also what still computes: its answer may meet a stopped process."""
        rows = self.installation.query(
            "SELECT pid, xact_start FROM pg_stat_activity"
            " WHERE datname = 'eucora' AND backend_type = 'client backend'"
            " AND state <> 'idle' AND xact_start IS NOT NULL"
            " AND pid NOT IN (%(besides)s, pg_backend_pid())"
            " AND (%(besides)s = 0 OR wait_event_type IS DISTINCT FROM 'Lock')",
            besides=besides,
        )
        return {(row["pid"], row["xact_start"]) for row in rows}

    def _thaw(self, role: str) -> None:
        with suppress(psutil.NoSuchProcess):  # killed meanwhile: its successor runs
            self._frozen.pop(role).send_signal(signal.SIGCONT)

    @contextmanager
    def _holding(self, statement: str, **values: Any) -> Iterator[int]:
        """Hold a lock, at most as long as the database lives; yield the holder's process id."""
        with self.installation.connect() as connection:
            connection.autocommit = False
            connection.execute(statement, values)
            try:
                yield connection.info.backend_pid
            finally:
                with suppress(psycopg.OperationalError):
                    connection.execute("SELECT pg_advisory_unlock_all()")
                    connection.rollback()

    def _await(self, condition: Callable[[], Any], what: str) -> Any:
        def ask() -> Any:
            try:
                return condition()
            except psycopg.OperationalError:
                return None  # the database is coming back

        return wait_until(ask, PATIENCE_SECONDS, what)

    def _prefer_the_fault(self) -> None:
        """Whatever else keeps the cores busy, let it be this process that burns one."""
        with suppress(PermissionError):  # needs root
            os.sched_setscheduler(self._fault_process.pid, os.SCHED_RR, os.sched_param(1))

    @property
    def _fault_process(self) -> psutil.Process:
        (burning,) = [child for child in psutil.Process().children() if self._is_fault(child)]
        return burning

    def _is_fault(self, process: psutil.Process) -> bool:
        try:
            return any(self.fault.entity in word for word in process.cmdline()[:1])
        except psutil.NoSuchProcess:  # ended, as a zombie too
            return False

    def _is_reported(self) -> bool:
        """Enough reports for the rule: three, over ten seconds."""
        (row,) = self.installation.query(
            "SELECT coalesce(extract(epoch FROM max(observed_at) - min(observed_at)), 0) AS s"
            " FROM telemetry_reports WHERE (metrics ->> %(name)s)::float > 60",
            name=f"process_cpu_percent:{self.fault.entity}",
        )
        return bool(row["s"] > 11)

    def _is_waited_for(self, holder: int) -> bool:
        return bool(
            self.installation.query(
                "SELECT 1 FROM pg_stat_activity WHERE %(holder)s = ANY(pg_blocking_pids(pid))",
                holder=holder,
            )
        )

    def _find_incident(self) -> str | None:
        rows = self.installation.query(
            "SELECT incident_id FROM incidents WHERE episode_key = %(key)s",
            key=f"runaway_process:{self.fault.entity}",
        )
        return rows[0]["incident_id"] if rows else None

    def _find_proposal(self) -> str | None:
        rows = self.installation.query(
            "SELECT proposal_id FROM proposals WHERE incident_id = %(id)s", id=self._incident_id
        )
        return rows[0]["proposal_id"] if rows else None

    def _find_job(self) -> Any:
        rows = self.installation.query(
            "SELECT * FROM jobs WHERE proposal_id = %(id)s", id=self._proposal_id
        )
        return rows[0] if rows else None

    def _job_status(self) -> str | None:
        job = self._find_job()
        return job["status"] if job else None

    def _list_receipts(self) -> list[dict[str, Any]]:
        return list_receipts(self.installation.data_dir)

    def _has_begun(self) -> bool:
        begun = [row["job_id"] for row in list_jobs(self.installation.data_dir)]
        return self._find_job()["job_id"] in begun

    def _is_over(self) -> bool:
        (row,) = self.installation.query(
            "SELECT status FROM incidents WHERE incident_id = %(id)s", id=self._incident_id
        )
        return row["status"] in ("resolved", "escalated", "closed")

    def assert_exactly_one_effect(self) -> None:
        """Everything happened once, was audited once, and can be verified."""
        assert not self.fault.is_present()
        (incident,) = self.installation.query(
            "SELECT * FROM incidents WHERE episode_key = %(key)s",
            key=f"runaway_process:{self.fault.entity}",
        )
        assert incident["status"] == "resolved"
        (proposal,) = self.installation.query(
            "SELECT * FROM proposals WHERE incident_id = %(id)s", id=self._incident_id
        )
        assert proposal["status"] == "succeeded"
        (job,) = self.installation.query(
            "SELECT * FROM jobs WHERE proposal_id = %(id)s", id=self._proposal_id
        )
        self._assert_executed_once(job)
        statements = self.installation.query(
            "SELECT kind FROM evidence_bundles WHERE proposal_id = %(id)s ORDER BY kind",
            id=self._proposal_id,
        )
        assert [row["kind"] for row in statements] == [
            "approval", "execution", "proposal", "verification",
        ]  # fmt: skip
        labels = self.installation.query(
            "SELECT kind FROM labels WHERE proposal_id = %(id)s ORDER BY kind",
            id=self._proposal_id,
        )
        assert [row["kind"] for row in labels] == ["decision", "outcome"]
        self._assert_audited_once(job["job_id"])

    def _assert_executed_once(self, job: dict[str, Any]) -> None:
        begun = list_jobs(self.installation.data_dir)
        assert [row["state"] for row in begun if row["job_id"] == job["job_id"]] == ["finished"]
        assert job["receipt"]["outcome"] == "succeeded"
        steps = [step["step"] for step in job["receipt"]["steps"]]
        assert steps == ["detect", "remediate", "verify"]
        receipts = [
            row for row in self._list_receipts()
            if row["envelope_sha256"] == job["receipt"]["envelope_sha256"]
        ]  # fmt: skip
        assert [row["outcome"] for row in receipts] == ["succeeded"]

    def _assert_audited_once(self, job_id: str) -> None:
        rows = self.installation.query(
            "SELECT action FROM audit_events WHERE subject_id = ANY(%(ids)s)",
            ids=[self._incident_id, self._proposal_id, job_id],
        )
        counted = Counter(row["action"] for row in rows)
        assert {action: counted[action] for action in AUDITED_ONCE} == dict.fromkeys(
            AUDITED_ONCE, 1
        ), counted
        # A device that lost what it was handed gets it again; a detection goes on meanwhile, and
        # names of this machine in what it reports are kept where the case can reveal them.
        more = {"incident.merged", "job.leased", "vault.stored"}
        assert counted.keys() - AUDITED_ONCE <= more, counted

    def assert_verifies(self, folder: Path) -> None:
        """The case is whole and signed, checked by the command that auditors use."""
        case = folder / "case.json"
        with Portal(self.installation.url) as portal:
            portal.log_in("admin", self.installation.admin_password)
            case.write_bytes(portal.get(f"/proposals/{self._proposal_id}/case.json").content)
        answer = self.installation.command("verify", str(case))
        assert answer.returncode == 0, answer.stdout + answer.stderr
