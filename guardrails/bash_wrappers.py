# SPDX-License-Identifier: Apache-2.0
"""Programs that run another one: what they run, read from their arguments.

Each wrapper has the options that it takes with a value, those without, and how many words stand
before the command. An option that is not in its row may take the next word or not: then nobody can
tell which word is the command, and that is a doubt.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from guardrails.bash_words import Word


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How one wrapper's arguments are read.

    Attributes:
        valued: options that take a value of their own.
        plain: letters of options without one; long options without one follow in `long`.
        skipped: words between the options and the command.
        code: options whose value is code for a shell.
        looks: options that make it a mere look.
        joins: the words behind are joined, and a shell reads them.
        assigns: `NAME=value` before the command sets a variable.
        bare: what runs when no command follows: empty for nothing, else the reason of a doubt.

    """

    valued: frozenset[str] = frozenset()
    plain: str = ""
    long: frozenset[str] = frozenset()
    skipped: int = 0
    code: frozenset[str] = frozenset()
    looks: frozenset[str] = frozenset()
    joins: bool = False
    assigns: bool = False
    bare: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrapped:
    """What a wrapper runs: words of a command, code for a shell, or a doubt."""

    words: Sequence[Word] = ()
    code: Word | None = None
    assignments: Sequence[Word] = ()
    doubt: str = ""


def _row(
    valued: str = "",
    plain: str = "",
    long: str = "",
    code: str = "",
    looks: str = "",
    **rest: object,
) -> Wrapper:
    return Wrapper(
        frozenset(valued.split()), plain, frozenset(long.split()),
        code=frozenset(code.split()), looks=frozenset(looks.split()), **rest,  # type: ignore[arg-type]
    )  # fmt: skip


_STDIN: Final = "runs a shell that reads what the text does not show"
WRAPPERS: Final[dict[str, Wrapper]] = {
    "sudo": _row("-C -D -g -h -p -R -r -t -T -U -u --user --group --prompt --chdir --host --chroot --close-from --role --type --other-user --command-timeout", "AbEHKknPSBis", "--askpass --background --preserve-env --set-home --login --remove-timestamp --reset-timestamp --non-interactive --preserve-groups --stdin --shell", looks="-v -l -V -K -k -nv -ln -nl --list --validate --version", assigns=True, bare=_STDIN),
    "doas": _row("-u -C", "nsL", bare=_STDIN),
    "pkexec": _row("--user", "", "--disable-internal-agent --keep-cwd", bare=_STDIN),
    "su": _row("-s --shell -g --group -G --supp-group -w --whitelist-environment -T", "lmpfP", "- --login --preserve-environment --fast --pty", code="-c --command --session-command", bare=_STDIN, skipped=1),
    "runuser": _row("-u --user -s --shell -g --group -G --supp-group -w", "lmpfP", "- --login --preserve-environment --fast --pty", code="-c --command --session-command", bare=_STDIN),
    "env": _row("-u -C --unset --chdir", "i0v-", "- --ignore-environment --null --debug", code="-S --split-string", assigns=True),
    "nohup": _row(),
    "nice": _row("-n --adjustment", "0123456789"),
    "ionice": _row("-c -n -p -P -u --class --classdata", "t", "--ignore"),
    "chrt": _row("-T -P -D", "abdfioromRv", "--all-tasks --batch --deadline --fifo --idle --other --rr --reset-on-fork", skipped=1, looks="-p -m --pid --max"),
    "taskset": _row("", "ac", "--all-tasks --cpu-list", skipped=1, looks="-p -cp -pc -ap -apc -acp -pac --pid"),
    "taskpolicy": _row("-c -d -g -t -l", "bsBaz", looks="-p"),
    "numactl": _row("-i -N -C -m -l --interleave --cpunodebind --physcpubind --membind", "", "--localalloc", looks="-s -H --show --hardware"),
    "timeout": _row("-s -k --signal --kill-after", "fpv", "--preserve-status --foreground --verbose", skipped=1),
    "gtimeout": _row("-s -k --signal --kill-after", "fpv", "--preserve-status --foreground --verbose", skipped=1),
    "xargs": _row("-n -I -P -L -d -s -a -E -J -R -S --max-args --max-procs --max-lines --delimiter --replace --arg-file --max-chars", "0rtxpolie", "--null --no-run-if-empty --verbose --exit --open-tty --show-limits"),
    "command": _row("", "p", looks="-v -V -pv -pV"),
    "builtin": _row(),
    "exec": _row("-a", "cl"),
    "time": _row("-f -o --format --output", "pvaq", "--portability --verbose --append --quiet"),
    "stdbuf": _row("-o -e -i --output --error --input"),
    "setsid": _row("", "cfw", "--ctty --fork --wait"),
    "noglob": _row(),
    "nocorrect": _row(),
    "coproc": _row(),
    "-": _row(),
    "caffeinate": _row("-t -w", "dimsu"),
    "systemd-inhibit": _row("--what --who --why --mode", "", "--no-pager", looks="--list"),
    "systemd-cat": _row("-t -p --identifier --priority"),
    "dbus-run-session": _row("--config-file"),
    "fakeroot": _row("-i -s", "u"),
    "busybox": _row(looks="--list --help --list-full"),
    "toybox": _row(),
    "flock": _row("-w -E --timeout --wait --conflict-exit-code", "eFnosuxv", "--exclusive --nonblock --nb --close --shared --unlock --verbose --no-fork", skipped=1, code="-c --command"),
    "lockf": _row("-t", "knsw", skipped=1),
    "watch": _row("-n --interval -q --equexit", "bcdegptwxr", "--beep --color --differences --errexit --chgexit --no-title --precise --exec --no-wrap", joins=True),
    "chroot": _row("--userspec --groups -u -g -G", "", "--skip-chdir", skipped=1, bare=_STDIN),
    "unshare": _row("-R -w -S -G --root --wd --setuid --setgid --propagation", "mUuinpfrCTc", "--mount --uts --ipc --net --pid --user --cgroup --time --fork --map-root-user --mount-proc --kill-child", bare=_STDIN),
    "nsenter": _row("-t -S -G -r -w --target --setuid --setgid", "amuinpUCTFZ", "--all --mount --uts --ipc --net --pid --user --cgroup --no-fork", bare=_STDIN),
    "strace": _row("-o -e -p -s -u -a -S -P -I -E -O", "fFvxyTtqcCdhrikn", looks="-V"),
    "ltrace": _row("-o -e -p -s -u -a -n", "fiStTCcr"),
    "script": _row("-t -O -I -B -m --log-out --log-in", "aefqr", "--append --return --flush --quiet --force", code="-c --command", skipped=1, bare=_STDIN),
    "ssh": _row("-p -l -i -c -m -b -B -E -e -L -R -D -W -w -J -o -Q -S -I -O", "46AaCfGgKkMNnqsTtVvXxYy", joins=True, skipped=1, bare=_STDIN),
    "systemd-run": _row("-p -u -M -H -E -t --unit --property --description --slice --uid --gid --nice --setenv --working-directory --on-active --on-boot --on-calendar --on-startup --on-unit-active --service-type --timer-property", "dGPqtrS", "--user --scope --wait --collect --pipe --pty --quiet --remain-after-exit --no-block --no-ask-password --same-dir --send-sighup --system --shell"),
    "repeat": _row(skipped=1),
    "eatmydata": _row(),
    "chronic": _row("", "ev"),
    "unbuffer": _row("", "p"),
    "arch": _row("-d -e", "ch", "-x86_64 -arm64 -arm64e -i386 -64 -32"),
    "linux32": _row(),
    "linux64": _row(),
    "setarch": _row("", "RLXZ", skipped=1),
    "sg": _row(code="-c", skipped=1, bare=_STDIN),
    "torsocks": _row(),
    "proxychains": _row("-f", "q"),
    "trickle": _row("-u -d -t -l -w", "sv"),
    "cpulimit": _row("-l -p -e -c", "zbfq", "--"),
    "prlimit": _row("-p --pid", "", looks=""),
    "daemonize": _row("-E -a -c -e -l -o -p -u", "v"),
    "start-stop-daemon": _row("-x -n -p -u -c -g -s -a -R -N -d -r", "SKTbmotqv", bare="runs a program that the text does not name"),
}  # fmt: skip
ELEVATING: Final = frozenset(("sudo", "doas", "su", "runuser", "pkexec", "sg"))
# What they show of a process with one number they set with two.
_ATTRIBUTES: Final = frozenset(("chrt", "taskset", "taskpolicy"))
_MOST_SHOWN: Final = 2  # arguments with which they only show them
_INIT_SCRIPT: Final = re.compile(r"/etc/(?:rc\.d/)?init\.d/([\w@-][\w.@-]*)")
_ASSIGNS: Final = re.compile(r"[A-Za-z_]\w*=")
_POSITIONAL: Final = frozenset(("su", "script", "flock", "sg"))


def sets_attributes(name: str, arguments: Sequence[str]) -> bool:
    """Say whether a command changes the cores or the scheduling of another process."""
    return (
        name in _ATTRIBUTES
        and len(arguments) > _MOST_SHOWN
        and not WRAPPERS[name].looks.isdisjoint(arguments)
    )


def unwrap(name: str, words: Sequence[Word]) -> Unwrapped:
    """Return what a wrapper runs; `words` are its arguments."""
    wrapper = WRAPPERS[name]
    rest = list(words)
    assignments: list[Word] = []
    skipped = wrapper.skipped
    while rest:
        value = rest[0].value
        if value == "--":
            rest = rest[1:]
            break
        if value is not None and wrapper.assigns and _ASSIGNS.match(value):
            assignments.append(rest[0])
            rest = rest[1:]
        elif value is not None and _is_option(wrapper, value):
            found = _read_option(name, wrapper, rest)
            if isinstance(found, Unwrapped):
                return found
            rest = rest[found:]
        elif not skipped:
            break
        elif (found_early := _read_skipped(name, wrapper, rest)) is not None:
            return found_early
        else:
            rest, skipped = rest[1:], skipped - 1
    rest = rest[skipped:]
    if not rest:
        return Unwrapped(doubt=wrapper.bare, assignments=assignments)
    if wrapper.joins:
        return Unwrapped(code=_join(rest), assignments=assignments)
    return Unwrapped(words=rest, assignments=assignments)


def _read_skipped(name: str, wrapper: Wrapper, rest: Sequence[Word]) -> Unwrapped | None:
    """Return what is known by a word before the command; None when it is simply skipped."""
    if rest[0].value is None:
        if rest[0].raw.startswith(('"', "'")):
            return None
        # may be none or several words
        return Unwrapped(doubt=f"what {name} runs is computed while it runs")
    return _read_positional(name, wrapper, rest) if name in _POSITIONAL else None


def _is_option(wrapper: Wrapper, value: str) -> bool:
    return value.startswith("-") and (value != "-" or "-" in wrapper.long)


def _read_positional(name: str, wrapper: Wrapper, rest: Sequence[Word]) -> Unwrapped:
    """Read `su USER -c CODE`, `flock FILE -c CODE`, `script FILE COMMAND`, `sg GROUP CODE`."""
    after = list(rest[1:])
    for position, word in enumerate(after):
        if word.value in wrapper.code:
            return _code_of(after[position + 1 : position + 2])
        if name == "flock":
            break
    if name == "flock" or (name == "script" and after):
        return Unwrapped(words=after)
    if name == "sg" and after:
        return Unwrapped(code=after[0])
    return Unwrapped(doubt=_STDIN if not after else f"what {name} runs cannot be read")


def _code_of(words: Sequence[Word]) -> Unwrapped:
    return Unwrapped(code=words[0]) if words else Unwrapped(doubt="a command is missing")


def _read_option(name: str, wrapper: Wrapper, rest: Sequence[Word]) -> Unwrapped | int:
    """Return how many words an option takes, or what is known by it."""
    value = rest[0].value or ""
    if value in wrapper.looks or value in ("--help", "--version"):
        return Unwrapped()
    if value in wrapper.code:
        return _code_of(rest[1:2])
    if value in wrapper.valued:
        if len(rest) > 1 and rest[1].value is None and not rest[1].raw.startswith('"'):
            return Unwrapped(doubt=f"what {name} runs is computed while it runs")
        return 2
    if value.startswith("--"):
        return _read_long_option(name, wrapper, value)
    return _read_letters(name, wrapper, rest)


def _read_long_option(name: str, wrapper: Wrapper, value: str) -> Unwrapped | int:
    option, glued, given = value.partition("=")
    if glued and option in wrapper.code:
        return Unwrapped(code=Word(value, given))
    if option in wrapper.long or (glued and option in wrapper.valued):
        return 1
    return Unwrapped(doubt=f"the option {value[:40]} of {name} is not known")


def _read_letters(name: str, wrapper: Wrapper, rest: Sequence[Word]) -> Unwrapped | int:
    """Read `-abc`, where the last may take the next word, or the first all that follows it."""
    value = rest[0].value or ""
    first, letters = value[:2], value[1:]
    if first in wrapper.code:
        return Unwrapped(code=Word(value, value[2:]))
    if value in wrapper.long or first in wrapper.valued:
        return 1
    known = len(letters) - len(letters.lstrip(wrapper.plain)) if wrapper.plain else 0
    if known == len(letters) and letters:
        return 1
    if known == len(letters) - 1:
        last = f"-{letters[-1]}"
        if last in wrapper.valued:
            return 2
        if last in wrapper.code:
            return _code_of(rest[1:2])
    return Unwrapped(doubt=f"the option {value[:40]} of {name} is not known")


def _join(words: Sequence[Word]) -> Word:
    values = [word.value for word in words]
    known = [value for value in values if value is not None]
    raw = " ".join(word.raw for word in words)
    return Word(raw, " ".join(known) if len(known) == len(values) else None)


def add_input(name: str, arguments: Sequence[Word]) -> list[Word]:
    """Return the arguments of xargs with what it appends, and with what it replaces unknown."""
    if name != "xargs":
        return list(arguments)
    values = [word.value for word in arguments]
    marks = {
        (values[position + 1] or "") if value in ("-I", "-J") and position + 1 < len(values) else
        value.partition("=")[2] or value[2:] or "{}"
        for position, value in enumerate(values)
        if value is not None and re.match(r"-[IJi]|--replace", value)
    }  # fmt: skip
    if not marks:
        return [*arguments, Word("...", None)]
    changed: list[Word] = []
    for position, word in enumerate(arguments):
        is_mark = position > 0 and values[position - 1] in ("-I", "-J")
        hit = word.value is not None and any(mark and mark in word.value for mark in marks)
        is_option = word.value is not None and re.match(r"-[IJi]|--replace", word.value)
        changed.append(Word(word.raw, None) if hit and not is_mark and not is_option else word)
    return changed


def read_init_script(words: Sequence[Word]) -> Sequence[Word]:
    """Return `service NAME ...` for the system's script `/etc/init.d/NAME ...`."""
    match = _INIT_SCRIPT.fullmatch(words[0].value or "")
    if match is None or words[0].is_pattern:
        return words
    return [Word("service", "service"), Word(match[1], match[1]), *words[1:]]
