# SPDX-License-Identifier: Apache-2.0
"""Commands of bash and zsh by what they print: numbers, nothing, or the numbers they are given."""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Sequence
from typing import Final

_NOTHING: Final = frozenset("read shift return exit sleep true false : test [ [[ kill continue break wait unset".split())  # fmt: skip
_QUIET: Final = re.compile(r"[ef]?grep\s+(?:-\w+\s+)*-\w*q|set\s+[-+]")
_WORD: Final = r"(?:\"[^\"]*\"|'[^']*'|(?!-)[^\s\"'*?\[$`]+)"
_NUMBER: Final = r"(?:-?\d+|\"?\$\{?\w+\}?\"?)"
# What prints whole numbers, perhaps with signs between them as in a date, or nothing.
_NUMBERS: Final = re.compile(
    "|".join((
        r"wc(?:\s+-[lcmwL]+)?",
        r"nproc(?:\s+--all)?",
        r"cut\s+-d\s?(?:\.|' '|\" \")\s+-f\s?1\s+/proc/(?:uptime|loadavg)",
        r"cat\s+(?:/proc/sys/(?:kernel/pid_max|kernel/threads-max|fs/file-max|vm/\w+|net/\S+_max)|/sys/class/(?:power_supply/\w+/(?:capacity|charge_\w+|energy_\w+)|thermal/thermal_zone\d+/temp|net/\w+/(?:mtu|speed|carrier)|backlight/\w+/\w*brightness))",
        r"id\s+-[ug](?:\s+(?!-)\S+)?",
        r"getconf\s+[A-Z_]+",
        rf"seq(?:\s+-w)?\s+-?\d+(?:\s+{_NUMBER}){{0,2}}",
        r"tput\s+(?:cols|lines)",
        r"date\s(?:[^+]*\s)?\+(?:%[sNYmdHMSjuwV]|[-:])+(?:\s[^+]*)?",
        r"date\s(?:[^+]*\s)?\"\+(?:%[sNYmdHMSjuwV]|[-:])+\"(?:\s[^+]*)?",
        r"stat\s+(?:-L\s+)?(?:-c|--format)[\s=]?(?:%[sYXZWgudiahbB]|'%[sYXZWgudiahbB]'|\"%[sYXZWgudiahbB]\")\s.*",
        r"stat\s+(?:-L\s+)?-f\s*(?:%(?:[zmacugdi]|O?Lp)|'%(?:[zmacugdi]|O?Lp)'|\"%(?:[zmacugdi]|O?Lp)\")\s.*",
        rf"grep\s+(?:-[a-bd-qs-zA-GI-QS-Z]*\s+)*-[a-qs-zA-GI-QS-Z]*c[a-qs-zA-GI-QS-Z]*\s+(?:-e\s+|--\s+)?{_WORD}(?:\s+(?:--\s+)?{_WORD})?",
        r"tr\s+-(?:dc|cd)\s+[\"']?(?:0-9|\[:digit:\])(?:\\n)?[\"']?",
        r"ps\s+-o\s+(?:etimes?|nice|ni|ppid|pid|pgid|uid|rss|vsz|pcpu|pmem|nlwp|thcount)=(?:\s+(?:-p|--pid)\s*\S+)?",
        r"sysctl\s+-n\s+(?:hw\.(?:memsize|ncpu|logicalcpu|physicalcpu|pagesize)|vm\.\w+|kern\.maxproc)",
        r"df\s(?:.*\s)?--output=(?:i?pcent|i?avail|i?used|size)(?:\s+(?!--output)\S+)*",
        r"pgrep\s+-[a-z]*c[a-z]*\s.*",
    )),
    re.DOTALL,
)  # fmt: skip
_AWK: Final = re.compile(r"[gmn]?awk\s+(?:-F\s*\S+\s+|-v\s+\w+=\S+\s+)*'([^']*)'(.*)", re.DOTALL)
_AWK_PRINTS: Final = re.compile(r"\bprintf?\b\s*([^;}\n|>]*)")
_OPERAND: Final = r"(?:int)?\(*\$?\w+(?:\.\d+)?\)*"
# awk prints a count, an expression, or a number by its format.
_AWK_NUMBER: Final = re.compile(
    rf"NR|NF|\"?[-+]?\d+\"?|int\([^()\"]*\)|length(?:\([^()\"]*\))?|\(*{_OPERAND}(?:\s*[-+*/%]\s*{_OPERAND})+"
    r"|\"%[-\d.]*[dfu](?:\\n)?\"\s*,.*"
)
_AWK_SETS: Final = re.compile(r"\b(?:in|getline|g?sub|split|match|gensub)\b")
_KERNEL_ROW: Final = re.compile(
    r"\s*/\^?(?:Vm|Mem|Swap|Cached|Buffers)\w*:?/\s*\{\s*print\s+\$2\s*;?\s*(?:exit)?\s*\}\s*"
)
_KERNEL_FILE: Final = re.compile(r"\s+\"?/proc/[\w${}/]+\"?(?:\s.*)?")
# Tables of numbers, and the columns that no name can stand in.
_TABLES: Final = (
    (re.compile(r"df\b"), re.compile(r"\$[2-5]")),
    (re.compile(r"(?:du|wc)\b"), re.compile(r"\$1")),
    (re.compile(r"(?:free|vmstat)\b"), re.compile(r"\$\d{1,2}")),
    (re.compile(r"grep\s+\S+\s+/proc/meminfo"), re.compile(r"\$2")),
)
_ROW_FILTER: Final = re.compile(r"(?:head|tail|grep|sort|sed\s+-n)\b")
_COPIES: Final = re.compile(
    r"(?:head|tail)(?:\s+(?:-n\s*[-+]?\d+|-\d+|-c\s*\d+))*|sort(?:\s+-[nrug]+|\s+-k\s*[\d,nr.]+)*|uniq|tac|cat|xargs"
    r"|cut(?:\s+-d\s*(?:\S|'.'|\".\")|\s+-[fc]\s*[\d,-]+)+|tr\s+-[ds]\s+(?:'[^']*'|\"[^\"$`]*\"|[^\s$`]+)"
    r"|sed\s+(?:-e\s+)?(['\"])s/[^/&\\$`]+//g?\1"
)
_OF_PROCESS: Final = re.compile(r"<\s*\"?/proc/[\w${}]+/stat\"?(?:\s|;|$)")
_AFTER_NAME: Final = re.compile(r"\"?\$\{(\w+)##\*\\?\) \}\"?")


def prints_nothing(name: str, text: str) -> bool:
    """Say whether a command leaves its standard output empty."""
    return name in _NOTHING or _QUIET.match(text) is not None


def prints_numbers(name: str, text: str) -> bool:
    """Say whether a command prints numbers, and nothing else."""
    if name in ("awk", "gawk", "mawk", "nawk"):
        return _awk_prints_numbers(text)
    return _NUMBERS.fullmatch(text) is not None


def copies_numbers(text: str) -> bool:
    """Say whether a filter passes on what it reads, or a part of it, and nothing else."""
    return _COPIES.fullmatch(text) is not None


def picks_numbers(text: str, before: Sequence[str]) -> bool:
    """Say whether a filter picks a column of numbers of a table.

    Args:
        text: of the filter.
        before: of the commands of the pipeline before it.

    """
    tables = [each for each in before if not _ROW_FILTER.match(each) or "/proc/meminfo" in each]
    if len(tables) != 1:
        return False
    if re.match(r"du\s", tables[0]) and re.fullmatch(r"cut\s+-f\s*1", text):
        return True
    match = _AWK.fullmatch(text)
    if match is None or match[2].strip() or not _has_actions(match[1]):
        return False
    printed = [each.strip() for each in _AWK_PRINTS.findall(match[1])]
    return bool(printed) and any(
        table.match(tables[0]) and all(column.fullmatch(each) for each in printed)
        for table, column in _TABLES
    )


def cuts_process_name(value: str) -> str:
    """Return the variable that `${line##*) }` cuts up to a process's name; empty for other values."""
    match = _AFTER_NAME.fullmatch(value)
    return match[1] if match else ""


def reads_process_state(statement: str) -> bool:
    """Say whether a statement reads /proc/PID/stat: after the name, a letter and numbers."""
    return _OF_PROCESS.search(statement) is not None


def _awk_prints_numbers(text: str) -> bool:
    match = _AWK.fullmatch(text)
    if match is None:
        return False
    program, rest = match[1], match[2]
    if _KERNEL_ROW.fullmatch(program):
        return _KERNEL_FILE.fullmatch(rest) is not None
    printed = [each.strip() for each in _AWK_PRINTS.findall(program)]
    return _has_actions(program) and all(
        _AWK_NUMBER.fullmatch(each) or _is_sum(each, program) for each in printed
    )


def _has_actions(program: str) -> bool:
    """Say whether every pattern of an awk program has an action: without one, it prints the line."""
    bare = program
    while (shorter := re.sub(r"\{[^{}]*\}", "\0", bare)) != bare:
        bare = shorter
    return re.fullmatch(r"(?:\s*[^\0;\n{}]*\0)+[\s;]*", bare) is not None


def _is_sum(name: str, program: str) -> bool:
    """Say whether a program of awk sets a variable by numbers only."""
    if not re.fullmatch(r"[A-Za-z_]\w*", name) or _AWK_SETS.search(program):
        return False
    found = re.findall(rf"\b{name}\s*(\+\+|--|[-+*/]=|=(?!=))\s*([^;}}\n]*)", program)
    return bool(found) and all(
        sign != "=" or re.fullmatch(r"[-+]?\d+\s*", given) for sign, given in found
    )
