# SPDX-License-Identifier: Apache-2.0
"""Scripts to measure script analysis on: reading them, pairing by length, hiding one in another."""

import ast
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.labelled_files import read_texts, require_file
from guardrails.syntax_trees import parse

BENIGN_STEM: Final = "scripts_benign"
DANGEROUS_STEM: Final = "scripts_dangerous"
# The languages of the files and the interpreters that the product knows them by.
INTERPRETERS: Final = {
    "powershell": "powershell",
    "shell": "bash",
    "cmd": "cmd",
    "python": "python",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleScript:
    """One script of a file.

    Attributes:
        name: its id in the file.
        interpreter: as guardrails.script_analysis names it.
        text: the script.
        technique: ATT&CK's id; empty for a script of administration.
        group: scripts of one group are kin: a technique, or one script of administration.

    """

    name: str
    interpreter: str
    text: str
    technique: str
    group: str


def read_scripts(folder: Path, stem: str, *, dangerous: bool) -> list[SampleScript]:
    """Return the scripts of `stem`.jsonl, or .jsonl.gz, in a folder.

    Raises:
        UnusableFileError: the file is missing, not readable, or lacks a field.

    """
    fields = ("id", "lang", "text", *(("technique",) if dangerous else ()))
    scripts = []
    for row in read_texts(require_file(folder, stem), *fields):
        technique = row.get("technique", "")
        scripts.append(
            SampleScript(
                name=row["id"],
                interpreter=INTERPRETERS.get(row["lang"], row["lang"]),
                text=row["text"],
                technique=technique,
                group=technique.partition(".")[0] if dangerous else f"benign {row['id']}",
            )
        )
    return scripts


def pair_by_length(
    benign: Sequence[SampleScript], dangerous: Sequence[SampleScript], *, most: float = 1.5
) -> list[tuple[int, int]]:
    """Return pairs (benign, dangerous) of positions; lengths differ by a factor of at most `most`.

    Greedy from the shortest; each script is in one pair at most.
    """
    free = sorted(range(len(benign)), key=lambda each: len(benign[each].text))
    pairs = []
    for position in sorted(range(len(dangerous)), key=lambda each: -len(dangerous[each].text)):
        length = max(1, len(dangerous[position].text))
        best = min(free, key=lambda each: abs(len(benign[each].text) - length), default=None)
        if best is None:
            break
        other = max(1, len(benign[best].text))
        if max(length, other) <= most * min(length, other):
            pairs.append((best, position))
            free.remove(best)
    return pairs


def hide(attack: SampleScript, host: SampleScript, draw: random.Random) -> str:
    """Return the host's text with the attack's at a random place between top-level statements."""
    lines = host.text.replace("\r\n", "\n").split("\n")
    place = draw.choice(list_places(host.interpreter, "\n".join(lines)))
    return "\n".join([*lines[:place], attack.text.rstrip("\n"), *lines[place:]])


def list_places(interpreter: str, text: str) -> list[int]:
    """Return the line numbers (0-based) before which a statement may stand; the end is one."""
    n_lines = text.count("\n") + 1
    if interpreter in ("powershell", "bash"):
        starts = _list_tree_places(interpreter, text)
    elif interpreter == "python":
        starts = _list_python_places(text)
    else:
        starts = _list_cmd_places(text)
    return [*sorted(start for start in set(starts) if 0 < start < n_lines), n_lines]


def _list_tree_places(interpreter: str, text: str) -> list[int]:
    root = parse(interpreter, text.encode("utf-8", "replace"))
    parents = [child for child in root.children if child.type == "statement_list"] or [root]
    nodes = [node for parent in parents for node in parent.children if node.is_named]
    if any(child.type == "param_block" for child in root.children):
        start = max(child.end_point[0] for child in root.children if child.type == "param_block")
        nodes = [node for node in nodes if node.start_point[0] > start]
    ends = {node.end_point[0] for node in nodes if node.type != "comment"}
    return [
        node.start_point[0]
        for node in nodes
        if node.start_point[1] == 0 and (node.start_point[0] not in ends or len(ends) == 1)
    ]


def _list_python_places(text: str) -> list[int]:
    try:
        return [node.lineno - 1 for node in ast.parse(text).body]
    except (SyntaxError, ValueError):
        return []


def _list_cmd_places(text: str) -> list[int]:
    places, depth, continued = [], 0, False
    for number, line in enumerate(text.split("\n")):
        if depth == 0 and not continued:
            places.append(number)
        plain = re.sub(r"\"[^\"]*\"|\^.", "", line)
        depth = max(0, depth + plain.count("(") - plain.count(")"))
        continued = line.rstrip().endswith("^")
    return places
