# SPDX-License-Identifier: Apache-2.0
"""`eucora-agent`: enrol, run, status, verify.

Exit codes: 0 success; 1 the agent or a check failed; 2 wrong usage; 3 not enrolled;
4 another agent is running on this state directory.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent import __version__
from agent.configuration import Configuration, load_configuration
from agent.daemon import Daemon
from agent.enrolment import enrol
from agent.errors import (
    AgentError,
    AlreadyRunningError,
    JournalError,
    NotEnrolledError,
    RefusalError,
)
from agent.executor import find_interpreters
from agent.identity import Identity, load_certificate, load_identity, load_public_key, open_tls
from agent.job_intake import restore_started
from agent.journal import Journal, UnreadableJob
from agent.logs import configure_logging
from agent.state_lock import hold_state
from agent.verification import Memory, Trust, check_job
from contracts.checkpoint import CheckpointError, verify_checkpoint

TOKEN_VARIABLE = "EUCORA_ENROLMENT_TOKEN"  # noqa: S105 - the variable's name, not a secret

SUPERVISOR_VARIABLE = "EUCORA_SUPERVISOR"  # the process id of `eucora up`


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the process's exit code."""
    options = _parse(arguments)
    commands = {"enrol": _enrol, "run": _run, "status": _status, "verify": _verify}
    try:
        return commands[options.command](options)
    except KeyboardInterrupt:
        return 0
    except AgentError as error:
        print(f"eucora-agent: {error}", file=sys.stderr)
        if isinstance(error, NotEnrolledError):
            return 3
        return 4 if isinstance(error, AlreadyRunningError) else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="eucora-agent",
        description="Keeps this device healthy: reports how it fares, runs what people approved.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    enrolment = commands.add_parser("enrol", help="make this device known to a server")
    enrolment.add_argument("--server", required=True, help="https://HOST:PORT of the device API")
    enrolment.add_argument(
        "--token", default=os.environ.get(TOKEN_VARIABLE), help=f"or ${TOKEN_VARIABLE}"
    )
    enrolment.add_argument("--ca", required=True, type=Path, help="the server's authority (PEM)")
    running = commands.add_parser("run", help="work until SIGTERM")
    running.add_argument("--interval", type=_interval, help="seconds between reports")
    running.add_argument("--log-level", help="DEBUG, INFO, WARNING or ERROR")
    status = commands.add_parser("status", help="show what waits and what was done, as JSON")
    verify = commands.add_parser("verify", help="check a job envelope, or this agent's own state")
    verify.add_argument("envelope", nargs="?", type=Path, help="file with a DSSE job envelope")
    for command in (enrolment, running, status, verify):
        command.add_argument("--state", required=True, type=Path, help="state directory")
    options = parser.parse_args(arguments)
    if options.command == "enrol" and not options.token:
        parser.error(f"enrol needs --token or ${TOKEN_VARIABLE}")
    return options


def _interval(text: str) -> float:
    seconds = float(text)
    if not 0.2 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("must lie between 0.2 and 86400")
    return seconds


def _enrol(options: argparse.Namespace) -> int:
    identity = asyncio.run(
        enrol(
            server=options.server,
            token=options.token,
            authority=options.ca,
            state_dir=options.state,
        )
    )
    print(json.dumps({"device_id": identity.device_id, "server": identity.server}))
    return 0


def _run(options: argparse.Namespace) -> int:
    identity = load_identity(options.state)
    configuration = load_configuration(options.state)
    configure_logging(identity.device_id, options.log_level or configuration.log_level)
    with hold_state(options.state):
        asyncio.run(_work(options, identity, configuration))
    return 0


async def _work(
    options: argparse.Namespace, identity: Identity, configuration: Configuration
) -> None:
    daemon = Daemon(
        state_dir=options.state,
        identity=identity,
        configuration=configuration,
        interval_seconds=options.interval,
        supervisor_pid=int(os.environ.get(SUPERVISOR_VARIABLE, "0")) or None,
    )
    await daemon.run()


def _status(options: argparse.Namespace) -> int:
    identity = load_identity(options.state)
    certificate = load_certificate(options.state)
    journal = Journal(options.state)
    try:
        memory = journal.recall()
        (reports,) = journal.find_rows("SELECT count(*) AS n FROM reports")
        status = {
            "device_id": identity.device_id,
            "server": identity.server,
            "certificate_ends": certificate.not_valid_after_utc.isoformat(),
            "queued_reports": reports["n"],
            "dropped_reports": journal.counter("dropped_reports"),
            "rejected_reports": journal.counter("rejected_reports"),
            "waiting_receipts": len(journal.list_unacknowledged()),
            "unfinished_jobs": len(journal.list_started()),
            "last_sequence": memory.last_sequence,
            "log_checkpoint": memory.checkpoint,
        }
    finally:
        journal.close()
    print(json.dumps(status, indent=2))
    return 0


def _verify(options: argparse.Namespace) -> int:
    """Check an envelope as if it were new here, or that keys and journal can be used."""
    identity = load_identity(options.state)
    trust = Trust(
        device_id=identity.device_id,
        job_key=load_public_key(identity.job_public_key_pem),
        log_key=load_public_key(identity.log_public_key_pem),
        log_origin=identity.log_origin,
    )
    open_tls(options.state)
    journal = Journal(options.state)
    try:
        if damage := _find_damage(journal, trust):
            document = {"verified": False, "reason": "journal_damaged", "damage": damage}
            print(json.dumps(document))
            return 1
        memory = journal.recall()
    finally:
        journal.close()
    if options.envelope is None:
        print(json.dumps({"verified": True, "device_id": identity.device_id}))
        return 0
    return _verify_envelope(options.envelope, trust, memory)


def _find_damage(journal: Journal, trust: Trust) -> list[str]:
    """Return what of the journal cannot be used, a sentence each."""
    (integrity,) = journal.find_rows("PRAGMA integrity_check")
    damage = [] if integrity[0] == "ok" else [f"the file: {integrity[0]}"]
    try:
        note = journal.recall().checkpoint
        if note is not None:
            verify_checkpoint(note, key=trust.log_key, origin=trust.log_origin)
    except (JournalError, CheckpointError) as error:
        damage.append(f"the memory: {error}")
    for left in journal.list_started():
        if isinstance(left, UnreadableJob):
            damage.append(f"job {left.job_id}: {left.damage}")
            continue
        try:
            restore_started(left, trust)
        except RefusalError as error:
            damage.append(f"job {left.job_id}: {error.detail}")
    return damage


def _verify_envelope(path: Path, trust: Trust, memory: Memory) -> int:
    try:
        verified = check_job(
            path.read_bytes(),
            trust=trust,
            memory=Memory(last_sequence=0, checkpoint=memory.checkpoint),
            now=datetime.now(UTC),
            interpreters=tuple(find_interpreters()),
        )
    except OSError as error:
        raise AgentError(f"the envelope cannot be read: {error}") from error
    except RefusalError as error:
        print(json.dumps({"verified": False, "reason": error.reason, "detail": error.detail}))
        return 1
    print(json.dumps({"verified": True, "job_id": verified.job.job_id}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
