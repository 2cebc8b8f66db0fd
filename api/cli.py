# SPDX-License-Identifier: Apache-2.0
"""The command line: `eucora`. Exit codes: 0 done, 1 failed or refused, 2 used wrongly.

Commands are thin: they read settings, call one function and print what it says.
"""

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from api.cli_account import account_app
from api.cli_audit import audit_app
from api.cli_drift import drift_app
from api.cli_freeze import freeze_app
from api.cli_ground import (
    complaints,
    console,
    fail,
    plain,
    print_table,
    read_settings,
    with_ground,
)
from api.cli_help import set_help
from api.cli_incident import incident_app
from api.cli_models import models_app, train
from api.cli_policy import policy_app
from api.cli_privacy import privacy_app
from api.cli_scripts import scripts_app
from api.demonstration_faults import DemonstrationError, FaultKind
from api.kb_commands import kb_app
from kernel.errors import KernelError
from kernel.settings import effective
from telemetry.errors import SimulationError

if TYPE_CHECKING:
    from evidence.verification import VerificationReport

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="EUCORA keeps a fleet of devices healthy: it proposes fixes with evidence, people"
    " approve, agents run exactly what was approved.",
)
app.add_typer(kb_app, name="kb")
app.add_typer(audit_app, name="audit")
app.add_typer(incident_app, name="incident")
app.add_typer(account_app, name="account")
app.add_typer(freeze_app, name="freeze")
app.add_typer(models_app, name="models")
app.add_typer(drift_app, name="drift")
app.add_typer(scripts_app, name="scripts")
app.add_typer(policy_app, name="policy")
app.add_typer(privacy_app, name="privacy")
app.command()(train)
CaseFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A case file.")]
KeyFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]
UNPINNED = (
    "consistent in itself, but its keys were compared with none: whoever made the file may have"
    " made them too; give --evidence-key and --log-key"
)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers' too, in logs as well
    try:
        app()
    except (KernelError, psycopg.OperationalError, OSError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def up() -> None:
    """Start everything on this machine: database, server, worker, this machine's agent."""
    from api.supervisor import StartError, run_everything  # noqa: PLC0415 - heavy

    try:
        asyncio.run(run_everything(read_settings(), console))
    except StartError as error:
        fail(str(error))


@app.command()
def prepare(
    account: Annotated[
        bool, typer.Option(help="Also make the account admin where there is none.")
    ] = True,
) -> None:
    """Migrate the schema, load new knowledge, train missing models; `up` does this by itself."""
    from api.child_process import (  # noqa: PLC0415 - only here
        SUPERVISOR_VARIABLE,
        end_with_supervisor,
    )
    from api.first_account import make_first_account  # noqa: PLC0415 - heavy
    from api.name_preparation import conclude_unfinished  # noqa: PLC0415 - heavy
    from api.preparation import prepare as prepare_content  # noqa: PLC0415 - heavy
    from guardrails.errors import NameModelError  # noqa: PLC0415 - only here
    from models.errors import ModelError  # noqa: PLC0415 - heavy
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    async def act(ground: Any) -> str | None:
        await prepare_content(ground, console)
        return await make_first_account(ground) if account else None

    end_with_supervisor()
    try:
        password = with_ground(act, may_install=True)
    except (ModelError, RetrievalError, NameModelError) as error:
        fail(str(error))
        return
    except KeyboardInterrupt:
        if SUPERVISOR_VARIABLE not in os.environ:  # else `up` says it
            said = f"eucora: stopped; {conclude_unfinished(read_settings().data_dir)}"
            complaints.print(said, highlight=False, soft_wrap=True)
        raise
    if password:
        console.print(f"  log in   admin / {password}   (shown only now)", highlight=False)


@app.command()
def serve() -> None:
    """Run the API and the portal alone (needs a prepared database)."""
    gc.disable()  # what is loaded stays: once all is, run_process looks for garbage again
    from api.serving import run_server  # noqa: PLC0415 - heavy

    asyncio.run(run_server(read_settings()))


@app.command()
def worker() -> None:
    """Run one worker; any number may run against one database."""
    gc.disable()  # as above
    from api.serving import run_background  # noqa: PLC0415 - heavy

    asyncio.run(run_background(read_settings()))


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

    asyncio.run(prepare_database(read_settings()))
    console.print("the schema is up to date")


@app.command()
def config() -> None:
    """Print the effective settings, secrets masked."""
    settings = effective(read_settings())
    print_table(
        ("variable", "value"),
        [(f"EUCORA_{name.upper()}", value) for name, value in settings.items()],
        whole=("variable",),
    )


@app.command()
def simulate(
    devices: Annotated[int, typer.Option(min=1, max=2000, help="How many devices.")] = 40,
    hours: Annotated[int, typer.Option(min=1, max=48, help="How much history.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Makes the fleet repeatable.")] = 1,
    fault_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the devices with a fault of their own.")
    ] = 0.3,
    pattern: Annotated[
        list[str] | None,
        typer.Option(help="Only this failure pattern, such as disk_full; may be given repeatedly."),
    ] = None,
    bad_patch: Annotated[
        bool, typer.Option("--bad-patch", help="A patch that breaks something on many devices.")
    ] = False,
    lifelike: Annotated[
        bool,
        typer.Option(
            "--lifelike",
            help="Devices sleep, lose connections, report late or twice, and are replaced.",
        ),
    ] = False,
) -> None:
    """Add a fleet of simulated devices with some faults, so that the portal has something to show.

    It says which faults it has planted where. Simulated devices are marked as such and run nothing.
    Each seed gives one fleet, whose names begin with sim-SEED-; a second one of it is refused.
    """
    from api.running_server import NoAnswerError, find_server  # noqa: PLC0415 - heavy
    from api.simulation import (  # noqa: PLC0415 - heavy
        Simulation,
        read_patterns,
        simulate_fleet,
    )

    try:
        patterns = read_patterns(pattern or [])
    except SimulationError as error:
        raise typer.BadParameter(str(error), param_hint="--pattern") from error
    simulation = Simulation(
        n_devices=devices,
        n_hours=hours,
        seed=seed,
        fault_share=fault_share,
        patterns=patterns,
        bad_patch=bad_patch,
        lifelike=lifelike,
    )
    try:
        with_ground(lambda ground: simulate_fleet(ground, simulation, console))
        find_server(read_settings())
    except SimulationError as error:
        fail(str(error))
    except NoAnswerError as error:
        message = f"The reports are stored, but nothing is judged before `eucora up` runs: {error}"
        console.print(plain(message), highlight=False, soft_wrap=True)


@app.command()
def demo(
    fault: Annotated[
        FaultKind,
        typer.Option(
            help="cpu: a process burns a core. disk: a small file system is full."
            " service: a service has died. The last two need root."
        ),
    ] = FaultKind.CPU,
    seconds: Annotated[int, typer.Option(min=30, max=1800, help="It ends after this.")] = 600,
) -> None:
    """Make this machine harmlessly sick, and walk you along the road to the fix.

    Needs `eucora up` in another terminal, and you to approve the fix in the portal. Whatever ends
    it, it cleans up after itself. Exit code 1 if the fix was not verified.
    """
    from api.demonstration import Demonstration  # noqa: PLC0415 - heavy
    from telemetry.incidents import IncidentStatus  # noqa: PLC0415 - heavy

    demonstration = Demonstration(read_settings(), kind=fault, seconds=seconds, console=console)
    try:
        demonstration.check_possible()
        status = with_ground(demonstration.run)
    except DemonstrationError as error:
        fail(str(error))
    except asyncio.CancelledError:
        complaints.print("eucora: ended by a signal")
        sys.exit(143)
    sys.exit(0 if status is IncidentStatus.RESOLVED else 1)


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
    _print_report(report, as_json=as_json)
    if extract is not None:
        try:
            extract_case(content, extract)
        except EvidenceError as error:
            fail(str(error))
    if not report.passed:
        raise typer.Exit(1)


def _print_report(report: "VerificationReport", *, as_json: bool) -> None:
    if not report.passed:
        conclusion, colour = "NOT verified", "red"
    elif report.pinned:
        conclusion, colour = "verified", "green"
    else:
        conclusion, colour = UNPINNED, "yellow"
    if as_json:
        checks = [
            {"name": check.name, "passed": check.passed, "detail": check.detail}
            for check in report.checks
        ]
        facts = {"passed": report.passed, "pinned": report.pinned, "conclusion": conclusion}
        print(json.dumps({**facts, "checks": checks}))
        return
    for check in report.checks:
        mark = "[green]ok[/green]    " if check.passed else "[red]FAILED[/red]"
        line = f"{mark} {check.name}: {plain(check.detail)}"
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"[{colour}]{conclusion}[/{colour}]", highlight=False, soft_wrap=True)


set_help(app)

if __name__ == "__main__":
    main()
