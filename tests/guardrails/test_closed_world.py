# SPDX-License-Identifier: Apache-2.0
"""The closed world of bash, zsh and Python: evasions are never harmless, ordinary work is judged.

The tables hold one script a line. An evasion has to be a doubt, or an effect of medium severity.
"""

# ruff: noqa: E501, Q003, SIM905 - tables of cases

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails.effects import EffectSeverity
from guardrails.script_analysis import analyse_script
from guardrails.script_reading import Deadline

_HERE = Path(__file__).parent
_ZSH = [
    "ls =(pwn)",
    "ls *(e:'pwn':)",
    "ls **/*(.e['pwn'])",
    "print ${(e)x}",
    "print ${(P)x}",
    "print ${(%)x}",
    "alias -g G='| pwn'\nls G",
    "alias -s txt=pwn\nf.txt",
    "zmodload zsh/system",
    "autoload -U pwn\npwn",
    "path=(/tmp $path)\nls",
    "fpath=(/tmp $fpath)",
    "functions[ls]=pwn\nls",
    "aliases[ls]=pwn\nls",
    "commands[ls]=/tmp/pwn\nls",
    "precmd_functions=(pwn)",
    "hash ls=/tmp/pwn\nls",
    "noglob pwn",
    "nocorrect pwn",
    "- pwn",
    "repeat 3 pwn",
    "emulate sh -c pwn",
    "setopt promptsubst",
    "print -z pwn",
    "sched +1 pwn",
    "eval pwn",
    "$pwn",
    "=pwn",
    "() { pwn; }",
    "pwn",
    "for x (a b) pwn",
    "coproc pwn",
    "zsh -c pwn",
    "trap pwn EXIT",
    "TRAPEXIT() { pwn; }",
    "source f",
    "zle -N pwn",
    "bindkey -s x pwn",
    "add-zsh-hook precmd pwn",
    "ls *(N);pwn",
    "ls *(N) `pwn`",
    "x*(N) pwn",
    "rm -rf /srv/*(N)",
    "rm -rf /*(N)",
    "ls *(Ne:'pwn':)",
    "ls *(+pwn)",
    "ls *(N+pwn)",
    "ls *.txt(N:s/a/b/)",
    "for f in *.sh(N); do $f; done",
    "echo x > /etc/cron.d/*(N)",
    "[[ -n *(N) ]] && pwn",
    # What zsh evaluates: an index without braces, numbers of formats and tests, its integers.
    "read s; echo $a[s]",
    "read s; echo $argv[1,s]",
    'read s; echo "$x[s]"',
    "read s; [ -t $s ]",
    "read s; [[ -t s ]]",
    "read s; test -t $s",
    "read s; printf '%d' s",
    'read s; printf "%*s" $s 3',
    "read s; builtin printf '%d' s",
    "read s; print -f '%d' s",
    "read s; read -t $s x",
    "read s; read -ts x",
    "read s; repeat s ls",
    "read s; builtin return s",
    "read s; COLUMNS=$s",
    "read s; SHLVL=s",
    "read COLUMNS",
    "for LINES in s; do ls; done",
    ": ${COLUMNS:=s}",
    "ls >! /etc/x",
    "ls >>! /etc/x",
    "ls >&! /etc/x",
    # Products are no qualifiers of a pattern.
    "ls *(N); read s; echo $((2*(s) -1))",
    "ls *(N); read s; echo $[2*(s) -1]",
    "ls *(N); read s; (( y = 2*(s) -1 ))",
    "ls *(N); read s; echo $a[2*(s) -1]",
    "ls *(N); read s; echo ${a:2*(s) -1}",
    "ls *(N); read s; [[ 2*(s) -eq 1 ]]",
    "ls *(N); read s; [[ '2*(s) ' -eq 1 ]]",
    "ls *(N); for ((i=2*(s) -1; i<3; i++)); do ls; done",
]
_ORDINARY_ZSH = [
    "ls *(N)",
    "for f in /var/log/*.log(N.); do echo $f; done",
    "files=(/tmp/x/*(.Nom[1,3])); print -l $files",
    "for f in **/*.txt(.N:t); do echo $f; done",
    "ls -l /Users/*(/N)",
    "stat -f %z /tmp/**/*(.DLm+10mh-2)",
    "echo 'all *(N) of them'; ls *(N)",
    "if ls *(N); then echo $argv[1]; fi",
    "typeset -A m; m[a]=1; echo $m[a]",
    "n=3; a=(x y z); echo $a[n] $a[$n] $a[-1] $a[1,2]",
    "printf '%s is full\\n' $HOST; n=3; printf '%d\\n' $n",
    "read -t 5 x; [[ -t 1 ]] && echo $x",
]


def _read(name):
    escapes = {"\\\\": "\0", "\\n": "\n", "\\r": "\r", "\\x0b": "\x0b", "\\xa0": "\xa0", "\0": "\\"}
    for line in (_HERE / name).read_text().splitlines():
        if line and not line.startswith("##"):
            text = line
            for escape, meant in escapes.items():
                text = text.replace(escape, meant)
            yield text


def _is_harmless(interpreter, text):
    analysis = analyse_script(interpreter, text.encode())
    return analysis.judgeable and analysis.severity.rank < EffectSeverity.MEDIUM.rank


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [("bash", text) for text in _read("bash_evasions.txt")]
    + [("zsh", text) for text in _ZSH]
    + [("python", text) for text in _read("python_evasions.txt")],
)
def test_evasions_are_not_judged_harmless(interpreter, text):
    assert not _is_harmless(interpreter, text)
    indented = "\n".join(f"    {line}" for line in text.split("\n"))
    if interpreter == "python":
        assert not _is_harmless("python", f"def f():\n{indented}\n\nf()\n")


@pytest.mark.parametrize("frame", ["true\n{}\ntrue", "if true; then\n{}\nfi", "f() {{\n{}\n}}\nf"])
def test_evasions_are_not_judged_harmless_inside(frame):
    texts = _read("bash_evasions.txt")
    assert [text for text in texts if _is_harmless("bash", frame.format(text))] == []


@pytest.mark.parametrize("text", ["(($1 > 2))", "echo $((${1} + 1))", "[[ $2 -gt 3 ]]"])
def test_the_arguments_of_a_script_are_text_from_outside(text):
    assert not _is_harmless("bash", text)
    assert _is_harmless("bash", f"f() {{ {text}; }}\nf 3 4")  # the script's own numbers
    assert not _is_harmless("bash", f'f() {{ {text}; }}\nf "$1" "$2"')


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [("bash", text) for text in _read("bash_ordinary.txt")]
    + [("zsh", text) for text in _ORDINARY_ZSH]
    + [("python", text) for text in _read("python_ordinary.txt")],
)
def test_ordinary_administration_is_judged(interpreter, text):
    analysis = analyse_script(interpreter, text.encode())
    assert analysis.judgeable, analysis.doubts


_PIECES = st.sampled_from(
    "pwn|pwn|ls|x=ls|x=pwn|$x|'|\"|\\|\n|; |&&|(|)|{ |; }|$(|`|<<E\n|\nE\n| #|$((|))|[[ | ]]|echo |eval "
    "|case a in a) |;; esac|f() |f |$'|\\x70wn|if |; then |; fi|for x in |; do |; done|${x:-|}|a[|]|=1|! |& "
    "|<<<|env |command |p|wn|tr|\\\n|unset x;|export |x+=|read x|${x}|\"$(|)\"|trap | EXIT|<<'E'\n|${x@P}|\r|exec ".split("|")
)  # fmt: skip
_FRAMES = st.sampled_from(
    ["{}", "f() {{ {}; }}\nf", "echo \"{}\"", "echo $({})", "cat <<E\n{}\nE\n", "[[ {} ]]", "x={}\n$x", "ls;{};ls"]
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder whose `bin` holds `pwn`, which leaves a mark, and a few harmless programs."""
    found = tmp_path_factory.mktemp("shell")
    (found / "bin").mkdir()
    for name in ("ls", "cat", "tr", "env"):
        (found / "bin" / name).symlink_to(shutil.which(name))
    program = found / "bin" / "pwn"
    program.write_text(f"#!/bin/bash\n: > '{found}/mark'\n")
    program.chmod(0o755)
    return found


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_PIECES, min_size=1, max_size=9).map("".join), _FRAMES)
def test_what_is_judged_harmless_does_not_run_the_unknown(folder, body, frame):
    """Bash itself says what a text runs: nothing that was judged harmless may run `pwn`."""
    text = frame.format(body)
    if not _is_harmless("bash", text):
        return
    subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-c", text],
        env={"PATH": f"{folder}/bin", "HOME": str(folder)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert not (folder / "mark").exists(), text


@settings(max_examples=100, deadline=None)
@given(st.lists(_PIECES, max_size=4).map("".join), st.integers(1, 3000))
def test_repetition_keeps_the_deadline(piece, times):
    seconds = 0.3
    before = os.times()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("guardrails.script_analysis.Deadline", lambda: Deadline(seconds))
        for interpreter in ("bash", "zsh", "python"):
            analyse_script(interpreter, (piece * times).encode())
    after = os.times()
    assert after.user - before.user < 3 * (seconds + 1.5)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('clean() { find /home -type f "$@"; }\nclean -delete', "deletes_files"),
        ('c=(-type f); c+=(-delete); find /home "${c[@]}"', "deletes_files"),
        ("how=-delete; how+=' -print'; find /home $how", "deletes_files"),
        ('f() { journalctl "$@"; }\nf --vacuum-size=1', "changes_services"),
    ],
)
def test_options_that_reach_a_program_through_a_list_count(text, kind):
    found = analyse_script("bash", text.encode())
    assert kind in {effect.kind.value for effect in found.effects} or not found.judgeable


def test_options_of_others_do_not_count():
    found = analyse_script("bash", b'f() { find /tmp "$@"; }\nf -print\nrm -f -- /tmp/x')
    assert [effect.line for effect in found.effects] == [3]


@pytest.mark.parametrize("text", ["taskset -p 0x1 123", 'taskset -apc 0 "$1"', "chrt -p 99 123"])
def test_other_processes_get_other_cores_as_they_get_other_priorities(text):
    found = analyse_script("bash", text.encode())
    assert "ends_processes" in [effect.kind.value for effect in found.effects] or found.reasons
