# SPDX-License-Identifier: Apache-2.0
"""Our lists of names, places and sentence patterns, read from the folder `name_texts`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TEXTS_DIR: Final = Path(__file__).parent / "name_texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameLists:
    """What texts with names are made of.

    Attributes:
        people: {culture: {"given" | "family" | "starts" | "ends" | ...: words}}.
        towns: {culture: {"starts" | "ends": pieces of towns, "street": words}}.
        forms: {culture: whether "street" words stand "before", "after", "joined"}.
        places: {"countries" | "cities" | "regions" | "states": names}.
        organisations: {"forms" | "kinds" | "words" | "starts" | "ends" | "titles": pieces}.
        technical: {slot: words of the trade}.
        patterns: {file: sentence patterns}.
        prose: lines of ordinary technical text without names.

    """

    people: Mapping[str, Mapping[str, Sequence[str]]]
    towns: Mapping[str, Mapping[str, Sequence[str]]]
    forms: Mapping[str, str]
    places: Mapping[str, Sequence[str]]
    organisations: Mapping[str, Sequence[str]]
    technical: Mapping[str, Sequence[str]]
    patterns: Mapping[str, Sequence[str]]
    prose: Sequence[str]


def read_name_lists(folder: Path = TEXTS_DIR) -> NameLists:
    """Read our lists."""
    places = _read_sections(folder / "places.txt")
    towns = {name: values for name, values in places.items() if name}
    return NameLists(
        people={
            culture: {key: value.split() for key, value in values.items()}
            for culture, values in _read_sections(folder / "people.txt").items()
            if culture
        },
        towns={
            culture: {
                "starts": values["starts"].split(),
                "ends": values["ends"].split(),
                "street": values["street"].split("|"),
            }
            for culture, values in towns.items()
        },
        forms={culture: values["form"] for culture, values in towns.items()},
        places={
            key: value.split() if key == "states" else value.split("|")
            for key, value in places[""].items()
        },
        organisations={
            key: value.split() if key in {"words", "starts", "ends"} else value.split("|")
            for key, value in _read_sections(folder / "organisations.txt")[""].items()
        },
        technical={
            key: value.split("|")
            for key, value in _read_sections(folder / "technical_words.txt")[""].items()
        },
        patterns={
            name: _read_lines(folder / f"{name}.txt")
            for name in ("helpdesk", "notes", "general", "negatives")
        },
        prose=_read_lines(folder / "prose.txt"),
    )


def _read_lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("# ")]


def _read_sections(path: Path) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {"": {}}
    section = ""
    for line in _read_lines(path):
        if line.startswith("["):
            section = line.strip("[]")
            sections[section] = {}
        else:
            key, _, value = line.partition(": ")
            sections[section][key] = value.strip()
    return sections
