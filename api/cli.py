# SPDX-License-Identifier: Apache-2.0
"""The command line: `eucora`. Exit codes: 0 done, 1 failed or refused, 2 used wrongly.

Commands are thin: they read settings, call one function and print what it says.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from kernel.errors import KernelError, SettingsError
from kernel.settings import Settings, effective

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="EUCORA keeps a fleet of devices healthy: it proposes fixes with evidence, people"
    " approve, agents run exactly what was approved.",
)
kb_app = typer.Typer(no_args_is_help=True, help="The knowledge base: load and search it.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit log: export and check it.")
incident_app = typer.Typer(no_args_is_help=True, help="Incidents: list, show, open.")
account_app = typer.Typer(no_args_is_help=True, help="Accounts and tokens.")
app.add_typer(kb_app, name="kb")
app.add_typer(audit_app, name="audit")
app.add_typer(incident_app, name="incident")
app.add_typer(account_app, name="account")
console = Console()
complaints = Console(stderr=True)
CaseFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A case file.")]
KeyFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        app()
    except (KernelError, psycopg.OperationalError, OSError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    complaints.print(f"[red]eucora:[/red] {message}", highlight=False)
    sys.exit(1)


def _settings() -> Settings:
    try:
        return Settings()
    except SettingsError as error:
        complaints.print(f"eucora: {error}")
        raise typer.Exit(2) from error
    except ValidationError as error:
        for fault in error.errors():
            name = "EUCORA_" + "_".join(str(part) for part in fault["loc"]).upper()
            complaints.print(f"eucora: {name}: {fault['msg']}", highlight=False)
        raise typer.Exit(2) from error


@app.command()
def up() -> None:
    """Start everything on this machine: database, server, worker, this machine's agent."""
    from api.supervisor import StartError, run_everything  # noqa: PLC0415 - heavy
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    console.print("loading", end="\r")
    try:
        asyncio.run(run_everything(_settings(), console))
    except (StartError, RetrievalError) as error:
        _fail(str(error))


@app.command()
def serve() -> None:
    """Run the API and the portal alone (needs a prepared database)."""
    from api.serving import run_server  # noqa: PLC0415 - heavy

    asyncio.run(run_server(_settings()))


@app.command()
def worker() -> None:
    """Run one worker; any number may run against one database."""
    from api.serving import run_background  # noqa: PLC0415 - heavy

    asyncio.run(run_background(_settings()))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def agent(context: typer.Context) -> None:
    """Run the endpoint agent: enrol, run, status, verify (see eucora agent --help)."""
    os.execv(sys.executable, [sys.executable, "-m", "agent", *context.args])  # noqa: S606


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from api.serving import prepare_database  # noqa: PLC0415 - heavy

    asyncio.run(prepare_database(_settings()))
    console.print("the schema is up to date")


@app.command()
def config() -> None:
    """Print the effective settings, secrets masked."""
    table = Table("setting", "value", "variable")
    for name, value in effective(_settings()).items():
        table.add_row(name, value, f"EUCORA_{name.upper()}")
    console.print(table)


def _with_ground(act: Callable[[Any], Awaitable[Any]]) -> Any:
    """Run a function on an open ground; starts the embedded server if need be."""
    from api.bootstrap import (  # noqa: PLC0415 - heavy
        migrate_database,
        open_database,
        open_ground,
    )

    async def run() -> Any:
        settings = _settings()
        async with open_database(settings) as addresses:
            await migrate_database(addresses)
            async with open_ground(settings, addresses) as ground:
                return await act(ground)

    return asyncio.run(run())


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="health, tickets or recommender")],
    seed: Annotated[int, typer.Option(help="Makes the training repeatable.")] = 0,
) -> None:
    """Train a model and register it in MLflow; the champion stays until somebody promotes."""
    from models.errors import ModelError  # noqa: PLC0415 - heavy
    from models.training import train as train_model  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> Any:
        from api.bootstrap import open_registry  # noqa: PLC0415 - heavy

        return await asyncio.to_thread(
            train_model,
            name,
            registry=open_registry(ground),
            knowledge_dir=ground.settings.knowledge_dir,
            seed=seed,
            progress=console.print,
        )

    try:
        trained = _with_ground(act)
    except ModelError as error:
        _fail(str(error))
        return
    console.print(f"{trained.name} version {trained.version} is registered")
    for metric, value in trained.metrics.items():
        console.print(f"  {metric}: {value:.4f}")


@app.command()
def simulate(
    devices: Annotated[int, typer.Option(min=1, max=2000, help="How many devices.")] = 40,
    hours: Annotated[int, typer.Option(min=1, max=48, help="How much history.")] = 3,
    seed: Annotated[int, typer.Option(help="Makes the fleet repeatable.")] = 1,
) -> None:
    """Add a fleet of simulated devices with some faults, so that the portal has something to show.

    Simulated devices are marked as such and run nothing.
    """
    from api.simulation import simulate_fleet  # noqa: PLC0415 - heavy

    _with_ground(
        lambda ground: simulate_fleet(
            ground, n_devices=devices, n_hours=hours, seed=seed, console=console
        )
    )


@app.command()
def demo(
    fault: Annotated[
        str, typer.Option(help="cpu: a process burns a core; it ends by itself.")
    ] = "cpu",
    seconds: Annotated[int, typer.Option(min=30, max=1800, help="It ends after this.")] = 600,
) -> None:
    """Make this machine harmlessly sick, and walk you along the road to the fix."""
    from api.demonstration import DemonstrationError, run_demonstration  # noqa: PLC0415 - heavy

    try:
        _with_ground(
            lambda ground: run_demonstration(ground, fault=fault, seconds=seconds, console=console)
        )
    except DemonstrationError as error:
        _fail(str(error))


@app.command()
def verify(
    case: CaseFile,
    evidence_key: KeyFile = None,
    log_key: KeyFile = None,
    extract: Annotated[
        Path | None, typer.Option(help="Also write the parts here, for openssl and others.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a case file offline: signatures, digests, order, inclusion in the log.

    Without --evidence-key and --log-key (PEM files that you got from a place you trust) only the
    file's own consistency is proven. Exit code 1 if any check fails.
    """
    from evidence.errors import EvidenceError  # noqa: PLC0415 - heavy
    from evidence.verification import (  # noqa: PLC0415 - heavy
        TrustedKeys,
        extract_case,
        verify_case,
    )

    if (evidence_key is None) != (log_key is None):
        complaints.print("eucora: give both --evidence-key and --log-key, or neither")
        raise typer.Exit(2)
    trusted = None
    if evidence_key is not None and log_key is not None:
        trusted = TrustedKeys(
            evidence_public_key_pem=evidence_key.read_text(),
            log_public_key_pem=log_key.read_text(),
        )
    content = case.read_bytes()
    report = verify_case(content, trusted)
    if as_json:
        checks = [
            {"name": check.name, "passed": check.passed, "detail": check.detail}
            for check in report.checks
        ]
        print(json.dumps({"passed": report.passed, "pinned": report.pinned, "checks": checks}))
    else:
        for check in report.checks:
            mark = "[green]ok[/green]    " if check.passed else "[red]FAILED[/red]"
            console.print(f"{mark} {check.name}: {check.detail}", highlight=False)
        console.print("[green]verified[/green]" if report.passed else "[red]NOT verified[/red]")
    if extract is not None:
        try:
            extract_case(content, extract)
        except EvidenceError as error:
            _fail(str(error))
    if not report.passed:
        raise typer.Exit(1)


@kb_app.command("search")
def kb_search(
    query: Annotated[str, typer.Argument(help="What a person would write.")],
    platform: Annotated[str | None, typer.Option(help="windows, macos or linux")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Search articles and scripts; shows the signals of each hit."""

    async def act(ground: Any) -> Any:
        from retrieval.embedding import SentenceEmbedder  # noqa: PLC0415 - heavy
        from retrieval.search import Retriever  # noqa: PLC0415 - heavy

        retriever = Retriever(SentenceEmbedder())
        async with ground.pool.connection() as connection:
            return await retriever.search(connection, query, platform=platform, limit=limit)

    table = Table("passage", "title", "score", "dense", "BM25")
    for passage in _with_ground(act):
        table.add_row(
            passage.chunk_id,
            passage.title,
            f"{passage.score:.2f}",
            f"{passage.dense_score:.3f}",
            f"{passage.keyword_score:.2f}",
        )
    console.print(table)


@kb_app.command("load")
def kb_load() -> None:
    """Load articles and scripts from the knowledge folder; unchanged ones cost nothing."""
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> tuple[int, int]:
        from api.bootstrap import load_knowledge  # noqa: PLC0415 - heavy

        return await load_knowledge(ground, progress=lambda *_: None)

    try:
        n_documents, n_scripts = _with_ground(act)
    except RetrievalError as error:
        _fail(str(error))
        return
    console.print(f"{n_documents} documents and {n_scripts} scripts are new or changed")


@audit_app.command("list")
def audit_list(
    correlation_id: Annotated[str | None, typer.Option(help="Of one request.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List audit events, newest first."""

    async def act(ground: Any) -> Any:
        from evidence.audit import list_events  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await list_events(connection, correlation_id=correlation_id, limit=limit)

    table = Table("when", "who", "what", "on")
    for event in _with_ground(act):
        table.add_row(
            event.occurred_at.isoformat(timespec="seconds"),
            event.actor,
            event.action,
            f"{event.subject_kind} {event.subject_id}",
        )
    console.print(table)


@audit_app.command("check")
def audit_check() -> None:
    """Recompute the whole log and compare it with what was signed. Exit code 1 if it differs."""

    async def act(ground: Any) -> Any:
        from evidence.audit_entry import LOG_ORIGIN  # noqa: PLC0415 - heavy
        from evidence.log_integrity import check_log  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await check_log(connection, log_key=ground.log.public_key(), origin=LOG_ORIGIN)

    from evidence.errors import EvidenceError  # noqa: PLC0415 - heavy

    try:
        found = _with_ground(act)
    except EvidenceError as error:
        _fail(str(error))
        return
    console.print(f"the log is intact: {found}", highlight=False)


@incident_app.command("list")
def incident_list(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30,
) -> None:
    """List incidents, newest first."""

    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            return await ground.incidents.list(connection, limit=limit)

    table = Table("incident", "severity", "status", "class", "title")
    for incident in _with_ground(act):
        table.add_row(
            incident.incident_id,
            incident.severity.value,
            incident.status.value,
            incident.failure_class.value,
            incident.title,
        )
    console.print(table)


@incident_app.command("show")
def incident_show(incident_id: str) -> None:
    """Show an incident's time line. Exit code 1 if there is none."""

    async def act(ground: Any) -> Any:
        async with ground.pool.connection() as connection:
            incident = await ground.incidents.find(connection, incident_id)
            return incident, await ground.incidents.timeline(connection, incident_id)

    incident, timeline = _with_ground(act)
    if incident is None:
        _fail(f"there is no incident {incident_id}")
        return
    console.print(f"{incident.title} ({incident.severity.value}, {incident.status.value})")
    console.print(incident.description, highlight=False)
    for step in timeline:
        moment = step.occurred_at.isoformat(timespec="seconds")
        console.print(f"  {moment} {step.to_status.value}: {step.reason} ({step.actor})")


@account_app.command("reset")
def account_reset(username: str) -> None:
    """Give an account a new random password and end its sessions."""
    from api.errors import ApiError  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> str:
        import secrets  # noqa: PLC0415 - beside its only use

        password = secrets.token_urlsafe(15)
        async with ground.pool.connection() as connection:
            await ground.accounts.set_password(
                connection,
                username=username,
                password=password,
                actor="system:cli",
                correlation_id=ground.ids.new("cor"),
            )
        return password

    try:
        console.print(f"new password of {username}: {_with_ground(act)}", highlight=False)
    except ApiError as error:
        _fail(str(error))


@account_app.command("service-token")
def account_service_token(
    name: str,
    scope: Annotated[list[str], typer.Option(help="telemetry, incidents or read; may be repeated")],
) -> None:
    """Make a bearer token for a service; an older one of that name stops working."""
    allowed = {"telemetry", "incidents", "read"}
    if not set(scope) <= allowed:
        complaints.print(f"eucora: scopes are {', '.join(sorted(allowed))}")
        raise typer.Exit(2)

    async def act(ground: Any) -> str:
        async with ground.pool.connection() as connection:
            token: str = await ground.accounts.create_service_token(
                connection,
                name=name,
                scopes=frozenset(scope),
                actor="system:cli",
                correlation_id=ground.ids.new("cor"),
            )
            return token

    print(_with_ground(act))


@account_app.command("enrolment-token")
def account_enrolment_token() -> None:
    """Make a one-time token with which a device may enrol within the hour."""

    async def act(ground: Any) -> str:
        async with ground.pool.connection() as connection:
            token: str = await ground.accounts.create_enrolment_token(
                connection, actor="system:cli", correlation_id=ground.ids.new("cor")
            )
            return token

    print(_with_ground(act))


if __name__ == "__main__":
    main()
