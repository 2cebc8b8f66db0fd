# SPDX-License-Identifier: Apache-2.0
"""Scripts at the command line: check a folder, import it, look at versions, decide on them.

Whoever may run commands on this machine may import. Who decides names an account, whose roles are
asked for like in the portal; nobody approves what they wrote or imported.
"""

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import (
    Actor,
    DecidedBy,
    console,
    fail,
    find_decider,
    name_actor,
    plain,
    print_table,
    with_ground,
)
from api.cli_script_figures import (
    describe,
    name_severity,
    print_decisions,
    print_remarks,
    print_report,
    print_verdict,
    print_version,
)

if TYPE_CHECKING:
    from api.script_report import ScriptReport

scripts_app = typer.Typer(
    no_args_is_help=True,
    help="Scripts: check and import a version, see what it does, approve, reject or retire it.",
)


def _find_folder(path: Path) -> Path:
    """Return a script's folder, of which a person may also name a file; refuse any other file."""
    from api.script_upload import FILE_NAMES  # noqa: PLC0415 - heavy

    whole = Path(os.path.abspath(path))  # noqa: PTH100 - a link's own name is the script's id
    if whole.is_dir():
        return whole
    if whole.name in FILE_NAMES:
        return whole.parent
    raise typer.BadParameter(
        f"{path} is no file of a script: give its folder, its manifest.yaml, or a step such as"
        " remediate.sh"
    )


def _find_folders(paths: list[Path]) -> list[Path]:
    return list(dict.fromkeys(map(_find_folder, paths)))


Folder = Annotated[
    Path,
    typer.Argument(
        exists=True,
        callback=_find_folder,
        help="A script's folder, named as its id; or its manifest or one of its steps.",
    ),
]
ScriptId = Annotated[str, typer.Argument(help="Which script; `scripts list` has them all.")]
Version = Annotated[str, typer.Argument(help="Which version of it, such as 1.2.0.")]
Digest = Annotated[
    str | None,
    typer.Option(
        help="The content digest that you looked at, as `scripts show` prints it: where the version"
        " has another, nothing is decided. By default what is stored now."
    ),
]
Reason = Annotated[str, typer.Option(help="Why; it is audited and stands in the evidence.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@scripts_app.command("check")
def scripts_check(
    folders: Annotated[
        list[Path],
        typer.Argument(
            exists=True,
            callback=_find_folders,
            metavar="SCRIPTS...",
            help="Folders of scripts; a manifest or step stands for the folder that it is in.",
        ),
    ],
    declare: Annotated[
        bool,
        typer.Option(
            "--declare",
            help="Write the effects that were found into the manifests, for you to read over.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what scripts do, what their manifests do not declare, and what ShellCheck remarks.

    Ends with whether each can be imported. Needs no installation. Exit code 1 if one cannot.
    """
    from retrieval.errors import ManifestError  # noqa: PLC0415 - heavy

    n_faults, described = 0, []
    for folder in folders:
        try:
            report = _examine_folder(folder, declare=declare)
        except ManifestError as error:
            n_faults += 1
            described.append({"script_id": folder.name, "fault": str(error)})
            if not as_json:
                print_verdict(folder.name, str(error))
            continue
        fault = _find_fault(report)
        n_faults += bool(fault)
        described.append(describe(report, fault))
        if not as_json:
            print_report(report, fault)
    if as_json:
        typer.echo(json.dumps(described, indent=2))
    elif len(folders) > 1:
        console.print(f"{len(folders) - n_faults} of {len(folders)} scripts can be imported")
    if n_faults:
        raise typer.Exit(1)


def _examine_folder(folder: Path, *, declare: bool) -> "ScriptReport":
    """Read and examine a folder, having written its declaration if asked to."""
    from api.script_report import examine, write_declaration  # noqa: PLC0415 - heavy
    from retrieval.manifest import read_entry  # noqa: PLC0415 - heavy

    if declare:
        before = examine(read_entry(folder), with_quality=False)
        write_declaration(folder, before.analysis["effects"])
    return examine(read_entry(folder))


@scripts_app.command("import")
def scripts_import(folder: Folder, actor: Actor = None) -> None:
    """Import a version, proposed: somebody else has to approve it before it is used."""
    from retrieval.manifest import read_entry  # noqa: PLC0415 - heavy

    who = name_actor(actor)

    async def act(ground: Any) -> Any:
        from api.script_catalogue import ScriptCatalogue  # noqa: PLC0415 - heavy

        return await ScriptCatalogue(ground).import_script(
            read_entry(folder), actor=who, correlation_id=ground.ids.new("cor")
        )

    imported = _with_scripts(act)
    report, manifest = imported.report, imported.report.entry.manifest
    print_remarks(report)
    if not imported.is_new:
        console.print(f"{plain(manifest.id)} {manifest.version} is in the catalogue already")
        return
    console.print(
        f"{plain(manifest.id)} {manifest.version} is proposed; its digest is"
        f" {report.entry.content_sha256}",
        soft_wrap=True,
    )


@scripts_app.command("list")
def scripts_list(as_json: AsJson = False) -> None:
    """List all versions of all scripts and where each stands."""

    async def act(ground: Any) -> Any:
        from retrieval.catalogue import list_catalogue  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            return await list_catalogue(connection)

    found = _with_scripts(act)
    headings = ("script", "version", "state", "author", "imported by", "worst effect")
    rows = [
        (
            one.script_id,
            one.version,
            one.status,
            one.author,
            one.imported_by,
            name_severity(one.analysis),
        )
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps([dict(zip(headings, row, strict=True)) for row in rows], indent=2))
        return
    print_table(headings, rows, whole=headings[:3])


@scripts_app.command("show")
def scripts_show(
    script_id: ScriptId,
    version: Annotated[
        str | None, typer.Argument(help="By default the one in force, else the newest.")
    ] = None,
    with_code: Annotated[
        bool, typer.Option("--code", help="Print the code, its effects beside it.")
    ] = False,
) -> None:
    """Show a version: digest, effects with lines, decisions; and whether it is as it was signed."""

    async def act(ground: Any) -> Any:
        from governance.errors import ScriptEntryError  # noqa: PLC0415 - heavy
        from governance.script_versions import (  # noqa: PLC0415 - heavy
            check_entry,
            find_in_force,
            find_version,
            list_decisions,
        )
        from retrieval.catalogue import list_catalogue  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            known = [
                one.version
                for one in await list_catalogue(connection)
                if one.script_id == script_id
            ]
            wanted = version or await find_in_force(connection, script_id) or next(iter(known), "")
            stored = await find_version(connection, script_id, wanted)
            decisions = await list_decisions(connection, script_id)
        try:
            check_entry(ground.sealer, stored)
        except ScriptEntryError as error:
            return stored, decisions, str(error)
        return stored, decisions, ""

    stored, decisions, trouble = _with_scripts(act)
    print_version(stored, with_code=with_code)
    print_decisions(decisions)
    if trouble:
        fail(f"not as it was signed, and not used: {trouble}")


@scripts_app.command("approve")
def scripts_approve(
    script_id: ScriptId,
    version: Version,
    decider: DecidedBy,
    digest: Annotated[
        str,
        typer.Option(
            help="The content digest that you looked at, as `scripts show` prints it: exactly that"
            " is approved."
        ),
    ],
    reason: Annotated[str, typer.Option(help="A remark, if there is one to make.")] = "",
    rollback: Annotated[
        bool,
        typer.Option("--rollback", help="Go back to a version that was in force; needs --reason."),
    ] = False,
) -> None:
    """Put a version in force, if you have neither written nor imported it."""
    _decide(script_id, version, "roll_back" if rollback else "approve", decider, reason, digest)


@scripts_app.command("reject")
def scripts_reject(
    script_id: ScriptId, version: Version, decider: DecidedBy, reason: Reason, digest: Digest = None
) -> None:
    """Reject a proposed version."""
    _decide(script_id, version, "reject", decider, reason, digest)


@scripts_app.command("retire")
def scripts_retire(
    script_id: ScriptId, version: Version, decider: DecidedBy, reason: Reason, digest: Digest = None
) -> None:
    """Take a version out of use at once: it is proposed no more, and not dispatched either."""
    _decide(script_id, version, "retire", decider, reason, digest)


@scripts_app.command("export")
def scripts_export(
    decision_id: Annotated[str, typer.Argument(help="Its id, as `scripts show` has it.")],
    path: Annotated[
        Path,
        typer.Argument(dir_okay=False, writable=True, help="Where to; `eucora verify` reads it."),
    ],
) -> None:
    """Write the evidence of a decision as a case file."""

    async def act(ground: Any) -> Any:
        from api.case_export import export_script_decision  # noqa: PLC0415 - heavy

        return await export_script_decision(ground, decision_id)

    path.write_bytes(_with_scripts(act))
    console.print(
        f"written: check it with eucora verify {plain(shlex.quote(str(path)))}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _decide(
    script_id: str, version: str, verdict: str, decider: str, reason: str, digest: str | None
) -> None:
    async def act(ground: Any) -> Any:
        from api.script_catalogue import ScriptCatalogue  # noqa: PLC0415 - heavy
        from governance.script_rules import ScriptRequest  # noqa: PLC0415 - heavy
        from governance.script_versions import ScriptVerdict, find_version  # noqa: PLC0415 - heavy

        async with ground.pool.connection() as connection:
            stored = await find_version(connection, script_id, version)
        who = await find_decider(ground, decider)
        request = ScriptRequest(
            script_id=script_id,
            version=version,
            content_sha256=digest or stored.content_sha256,
            decision=ScriptVerdict(verdict),
            actor=who.actor,
            roles=who.roles,
            authenticated_at=who.authenticated_at,
            correlation_id=ground.ids.new("cor"),
            reason=reason.strip(),
        )
        catalogue = ScriptCatalogue(ground)
        async with ground.pool.connection() as connection:
            await catalogue.decisions.check(connection, request)
        masked = await ground.mask_text(request.reason)
        return await catalogue.decide(replace(request, reason=masked))

    decision = _with_scripts(act)
    console.print(
        f"{plain(script_id)} {plain(version)}: {decision.decision.value.replace('_', ' ')}, by"
        f" {plain(decision.actor)}. Evidence: eucora scripts export {decision.decision_id} FILE",
        highlight=False,
        soft_wrap=True,
    )


def _with_scripts(act: Any) -> Any:
    from api.errors import ApiError  # noqa: PLC0415 - heavy
    from evidence.errors import EvidenceError  # noqa: PLC0415 - heavy
    from governance.errors import GovernanceError  # noqa: PLC0415 - heavy
    from retrieval.errors import RetrievalError  # noqa: PLC0415 - heavy

    try:
        return with_ground(act)
    except (ApiError, EvidenceError, GovernanceError, RetrievalError) as error:
        fail(str(error))


def _find_fault(report: "ScriptReport") -> str:
    """Return why the script cannot be imported; "" where it can."""
    from retrieval.errors import ManifestError  # noqa: PLC0415 - heavy

    try:
        report.check()
    except ManifestError as error:
        return str(error)
    return ""
