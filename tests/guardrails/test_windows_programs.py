# SPDX-License-Identifier: Apache-2.0
"""The tables of Windows programs: a look is a form of arguments that is declared in whole."""
# ruff: noqa: E501 - tables of cases

from pathlib import Path

import pytest

from guardrails.effects import EffectSeverity
from guardrails.script_analysis import analyse_script
from guardrails.windows_arguments import LookForm, read_forms, split_arguments
from guardrails.windows_files import is_wide, judge_file_program
from guardrails.windows_folders import is_own_folder
from guardrails.windows_programs import LAUNCHERS, PROGRAMS, find_program

_TABLE = Path(__file__).parent / "windows_program_arguments.txt"
_LINES = [
    line.split(" ", 2)
    for line in _TABLE.read_text("utf-8").splitlines()
    if line[:2] in ("- ", "+ ")
]
CASES = [
    (sign == "-", name, arguments[0] if arguments else "") for sign, name, *arguments in _LINES
]
FORMS = [(name, form) for name, program in PROGRAMS.items() for form, _ in program.forms]


@pytest.mark.parametrize(("looks", "name", "arguments"), CASES, ids=[" ".join(x) for x in _LINES])
def test_arguments_look_or_do_more(looks: bool, name: str, arguments: str) -> None:
    entry = find_program(name, arguments)
    assert entry is not None
    assert (entry.kind is None) is looks


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_only_looks_or_has_arguments_that_do_more(name: str) -> None:
    program = PROGRAMS[name]
    assert program.forms
    if program.worst.kind is None:
        assert [form for form, _ in program.forms] == list(read_forms(": ..."))
    else:
        names = {each for each, other in PROGRAMS.items() if other is program}
        assert any(not looks and each in names for looks, each, _ in CASES), "no case"
        assert all(form.verbs for form, _ in program.forms if form.takes_all)


@pytest.mark.parametrize(
    ("command", "severity"),
    [
        ("Get-GPOReport -All -ReportType Html", "none"),
        ("Get-GPOReport -All -Path C:\\x.html", "low"),
        ("Get-GPOReport @given", "low"),
        ("Get-MgReportMail -Period D7 -OutFile C:\\Windows\\System32\\x.dll", "high"),
        ("Find-Package a -ForceBootstrap", "medium"),
        ("Find-Package a", "none"),
        ("Search-Mailbox a -DeleteContent", "high"),
        ("Test-ClusterThing -Repair", "medium"),
        ("Get-NetRoute -DestinationPrefix 0.0.0.0/0", "none"),
        ("Get-Item C:\\x | Select-Object @{ n = 'a'; e = { $_.Name -replace 'a' } }", "none"),
        ("Get-AzStorageBlobContent -Blob a", "medium"),
        ("Get-Certificate -Template a", "medium"),
    ],
)
def test_a_cmdlet_that_reads_does_more_by_its_parameters(command: str, severity: str) -> None:
    analysis = analyse_script("powershell", command.encode())
    effects = [each for each in analysis.effects if each.technique is None]
    assert max((each.severity.rank for each in effects), default=0) == EffectSeverity(severity).rank


def test_no_launcher_has_a_row() -> None:
    assert PROGRAMS.keys().isdisjoint(LAUNCHERS)


def _show_least(form: LookForm) -> list[str]:
    """Return the shortest arguments of a form."""
    return [min(verb) for verb in form.verbs] + ["x"] * form.n_least


@pytest.mark.parametrize(
    ("name", "form"), FORMS, ids=[f"{name} {index}" for index, (name, _) in enumerate(FORMS)]
)
@pytest.mark.parametrize(
    "more", ["/zq", "-zq", "--zq=1", "\u2013zq", "%zq%", "%%z", "!zq!", "$zq", "@zq"]
)
def test_what_no_form_names_is_no_look(name: str, form: LookForm, more: str) -> None:
    least = _show_least(form)
    assert form.matches(least)
    if form.takes_all:
        return
    assert not form.matches([*least, more])
    if not form.before:
        assert not form.verbs or not form.matches([more, *least])


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('/a "b c" d', ["/a", "b\ue010c", "d"]),
        ('"a /o b"', ["a", "/o", "b"]),
        ('/"o" x', ["/o", "x"]),
        ("'a /o b'", ["a", "/o", "b"]),
        ("a,/o;b", ["a", "/o", "b"]),
        ("/`o ^/x", ["/o", "/x"]),
        ("%windir%\\x", ["c:\\windows\\x"]),
    ],
)
def test_words_hide_no_option(written: str, words: list[str]) -> None:
    assert split_arguments(written) == words


@pytest.mark.parametrize(
    "path",
    [
        "C:\\", "c:", "C:\\*", "C:\\*.*", "C:\\Users", "C:/Users/", '"C:\\Program Files"', "%SystemDrive%\\",
        "C:\\Windows\\System32", "$env:USERPROFILE", "$($env:SystemDrive)\\", "C:\\Temp\\..\\Users",
        "\\\\?\\C:\\Users\\*", "%windir%", "C:\\.\\Users", "D:\\", "$HOME",
    ],
)  # fmt: skip
def test_roots_are_wide(path: str) -> None:
    assert is_wide(f"x {path} y")


@pytest.mark.parametrize(
    "path",
    ["C:\\Users\\a\\b.txt", "C:\\Windows\\Temp\\x", "C:\\Program Files (x86)\\a", "x", "%TEMP%\\*"],
)
def test_what_lies_deeper_is_not_wide(path: str) -> None:
    assert not is_wide(path)


@pytest.mark.parametrize(
    "folder",
    ["C:\\Windows", '"C:\\Program Files\\a b"', "%windir%\\System32", "%~dp0", '"%~dp0"', "..", "\\", "$PSScriptRoot"],
)  # fmt: skip
def test_folders_of_the_system_are_its_own(folder: str) -> None:
    assert is_own_folder(folder)


@pytest.mark.parametrize(
    "folder",
    [
        "\\\\a\\b", "C:\\Temp", "%TEMP%", "C:\\Users\\Public", "D:", "D:\\", "C:\\Windows\\Temp", "x", "%x%", "$x",
        "C:\\Windows\\..\\Users", "%~dp0..\\x", "%~dp0\\%x%", "C:\\Windows\\%x%", "C:\\ProgramData\\a", "~",
        "C:\\Windows\\System32\\spool\\drivers\\color", "//a/b",
    ],
)  # fmt: skip
def test_folders_of_others_are_not(folder: str) -> None:
    assert not is_own_folder(folder)


def test_a_mirror_removes_at_its_destination_only() -> None:
    assert judge_file_program("robocopy", "C:\\Users D:\\a /mir")[-1] == ("deletes_files", "high")
    assert judge_file_program("robocopy", "C:\\a C:\\Users /MIR")[-1] == (
        "deletes_files",
        "critical",
    )
    assert judge_file_program("robocopy", "C:\\a C:\\Users /mir /l") == []
