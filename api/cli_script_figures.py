# SPDX-License-Identifier: Apache-2.0
"""How commands print scripts: effects with their lines, remarks, versions and decisions."""

from typing import TYPE_CHECKING, Any

from api.cli_ground import console, plain, print_table

if TYPE_CHECKING:
    from api.script_report import ScriptReport


def describe(report: "ScriptReport", fault: str) -> dict[str, Any]:
    """Return a report as JSON values."""
    return {
        "script_id": report.entry.manifest.id,
        "content_sha256": report.entry.content_sha256,
        "analysis": dict(report.analysis),
        "quality": report.quality.as_json(),
        "warnings": list(report.warnings),
        "fault": fault,
    }


def print_report(report: "ScriptReport", fault: str) -> None:
    """Print what a script does, what its manifest has to declare, and if it can be imported."""
    from api.script_report import format_declaration  # noqa: PLC0415 - heavy

    manifest = report.entry.manifest
    console.print(f"[bold]{plain(manifest.id)}[/bold] {plain(manifest.version)}")
    print_effects(report.analysis)
    print_remarks(report)
    if report.comparison.undeclared:
        console.print("what the manifest would have to declare (--declare writes it):")
        console.print(plain(format_declaration(report.analysis["effects"])), highlight=False)
    print_verdict(manifest.id, fault, n_warnings=len(report.warnings))


def print_verdict(script_id: str, fault: str, *, n_warnings: int = 0) -> None:
    """Print whether a script can be imported, and why not, as the last word on it."""
    name = plain(script_id)
    if fault:
        why = plain(fault.removeprefix(f"{script_id}:").strip())
        line = f"[red]{name} cannot be imported:[/red] {why}"
    else:
        warned = {0: "", 1: ", with one warning"}.get(n_warnings, f", with {n_warnings} warnings")
        line = f"[green]{name} can be imported[/green]{warned}"
    console.print(line, highlight=False, soft_wrap=True)


def print_remarks(report: "ScriptReport") -> None:
    """Print warnings and the linter's remarks."""
    for warning in report.warnings:
        console.print(f"[yellow]warning:[/yellow] {plain(warning)}", soft_wrap=True)
    if report.quality.unchecked:
        console.print(f"quality: {plain(report.quality.unchecked)}", soft_wrap=True)
    for one in report.quality.findings:
        text = f"{one.step}, line {one.line}: {one.level} {one.code}: {one.message}"
        console.print(f"quality: {plain(text)}", highlight=False, soft_wrap=True)


def print_effects(analysis: Any) -> None:
    """Print an analysis' effects, a line each."""
    headings = ("step", "line", "effect", "severity", "technique", "command")
    rows = [
        (
            str(one.get("step", "")),
            str(one["line"]),
            str(one["kind"]),
            str(one["severity"]),
            str(one.get("technique") or ""),
            str(one["detail"]),
        )
        for one in analysis.get("effects", ())
    ]
    if rows:
        print_table(headings, rows, whole=headings[:5])
    else:
        console.print("no effects found")


def print_version(stored: Any, *, with_code: bool) -> None:
    """Print a stored version and, if asked for, its code."""
    from api.script_view import describe_conditions, view_steps  # noqa: PLC0415 - heavy

    manifest = stored.manifest
    effect = manifest.get("expected_effect", {})
    before = describe_conditions(manifest.get("preconditions", ()))
    facts = {
        "script": f"{stored.script_id} {stored.version} ({stored.status})",
        "author": stored.author,
        "imported": f"{stored.imported_at:%Y-%m-%d %H:%M %Z} by {stored.imported_by or 'unknown'}",
        "digest": stored.content_sha256,
        "worst effect": name_severity(stored.analysis),
        "preconditions": "; ".join(before) or "none",
        "expected effect": f"{'; '.join(describe_conditions(effect.get('all', ())))}"
        f" within {effect.get('within_seconds')} s",
        "timeout": f"{manifest.get('timeout_seconds')} s a step",
    }
    print_table(("what", "value"), list(facts.items()), whole=("what", "value"))
    print_effects(stored.analysis)
    if not with_code:
        return
    for step in view_steps(stored.contents, stored.analysis.get("effects", ())):
        console.print(f"[bold]{step.name}[/bold]")
        for line in step.lines:
            said = ", ".join(f"{one['kind']} ({one['severity']})" for one in line.effects)
            mark = f"  <- {said}" if said else ""
            text = plain(f"{line.number:4} {line.text}{mark}")
            console.print(text, highlight=False, soft_wrap=True)


def print_decisions(decisions: Any) -> None:
    """Print what was decided, the newest first."""
    headings = ("decision", "version", "what", "by", "when", "reason")
    rows = [
        (
            one.decision_id,
            one.version,
            one.decision.value.replace("_", " "),
            one.actor,
            f"{one.created_at:%Y-%m-%d %H:%M %Z}",
            one.reason,
        )
        for one in decisions
    ]
    print_table(headings, rows, whole=headings[:5])


def name_severity(analysis: Any) -> str:
    """Return the worst effect in a word."""
    if analysis.get("judgeable") is not True:
        return "cannot be judged"
    return str(analysis.get("severity", "unknown"))
