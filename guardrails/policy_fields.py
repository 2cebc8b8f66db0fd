# SPDX-License-Identifier: Apache-2.0
"""The fields that questions have, read from their types, and values to try them with. Pure.

What `contracts.policy` does not name does not exist for a policy: a rule that looks at it is
undefined, and a denial that is undefined is none. So policies are held against this.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec.inspect as types

from contracts.policy import PolicyQuestion

_TEXTS: Final = ("x", "Ä")
_NUMBERS: Final = (0, 1, 1e6)


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth value"
    LIST = "list"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A place in a question.

    Attributes:
        values: the texts that an enumeration has; empty where any text may stand.
        lower, upper: the bounds of a number.
        is_whole: whether a number has no fraction.
        fields: of an object, by name.
        item: of a list.

    """

    kind: FieldKind
    values: tuple[str, ...] = ()
    lower: float = 0.0
    upper: float = 0.0
    is_whole: bool = False
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    item: "Field | None" = None


@cache
def read_question_fields(decision: str | None) -> Field:
    """Return the fields of a decision's question; of all of them together for None."""
    union = types.type_info(PolicyQuestion)
    assert isinstance(union, types.UnionType)  # noqa: S101 - for mypy
    structs = [each for each in union.types if isinstance(each, types.StructType)]
    kinds = {str(each.tag): _read_struct(each) for each in structs}
    return kinds[decision] if decision is not None else _merge(kinds.values())


@cache
def list_field_names() -> frozenset[str]:
    """Return the names that fields have anywhere in a question."""

    def find(place: Field) -> Iterator[str]:
        yield from place.fields
        for each in (*place.fields.values(), *([place.item] if place.item else [])):
            yield from find(each)

    return frozenset(find(read_question_fields(None)))


def list_paths(place: Field, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield the dotted path and the field of each value that is no object."""
    for name, each in place.fields.items():
        if each.kind is FieldKind.OBJECT:
            yield from list_paths(each, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", each


def list_values(
    place: Field, texts: Iterable[str] = (), numbers: Iterable[float] = ()
) -> list[Any]:
    """Return values that a field may have: its bounds, and those of `texts` and `numbers`."""
    match place.kind:
        case FieldKind.TRUTH:
            return [False, True]
        case FieldKind.TEXT:
            return list(place.values or dict.fromkeys((*_TEXTS, *texts)))
        case FieldKind.NUMBER:
            candidates = dict.fromkeys((place.lower, place.upper, *_NUMBERS, *numbers))
            fitting = [each for each in candidates if place.lower <= each <= place.upper]
            return (
                [int(each) for each in fitting if each == int(each)] if place.is_whole else fitting
            )
        case FieldKind.LIST:
            assert place.item is not None  # noqa: S101 - for mypy
            items = list_values(place.item, texts, numbers)
            return [[], items[:1], items[:3], *([each] for each in items[1:])]
        case FieldKind.OBJECT:
            names = {name: list_values(each, texts, numbers) for name, each in place.fields.items()}
            n_most = max(map(len, names.values()))
            return [{k: v[n % len(v)] for k, v in names.items()} for n in range(n_most)]


def _read_struct(struct: types.StructType) -> Field:
    fields = {each.encode_name: _read(each.type) for each in struct.fields}
    if struct.tag_field is not None:
        fields[struct.tag_field] = Field(kind=FieldKind.TEXT, values=(str(struct.tag),))
    return Field(kind=FieldKind.OBJECT, fields=fields)


def _read(kind: types.Type) -> Field:
    match kind:
        case types.StructType():
            return _read_struct(kind)
        case types.ListType():
            return Field(kind=FieldKind.LIST, item=_read(kind.item_type))
        case types.LiteralType():
            return Field(kind=FieldKind.TEXT, values=tuple(map(str, kind.values)))
        case types.BoolType():
            return Field(kind=FieldKind.TRUTH)
        case types.IntType() | types.FloatType():
            return Field(
                kind=FieldKind.NUMBER,
                lower=float(kind.ge or 0),
                upper=float(kind.le or 0),
                is_whole=isinstance(kind, types.IntType),
            )
        case types.StrType():
            return Field(kind=FieldKind.TEXT)
    raise TypeError(f"a question has a field of another kind: {kind}")


def _merge(places: Iterable[Field]) -> Field:
    """Return a place that has the fields and values of all."""
    found = list(places)
    if found[0].kind is not FieldKind.OBJECT:
        values = dict.fromkeys(value for each in found for value in each.values)
        return Field(kind=found[0].kind, values=tuple(values), item=found[0].item)
    by_name: dict[str, list[Field]] = {}
    for each in found:
        for name, inner in each.fields.items():
            by_name.setdefault(name, []).append(inner)
    merged = {name: _merge(inner) for name, inner in by_name.items()}
    return Field(kind=FieldKind.OBJECT, fields=merged)
