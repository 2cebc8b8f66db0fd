# SPDX-License-Identifier: Apache-2.0
"""What filters ask for, as words beside the vectors: `platform:linux`, `trust:internal`.

A document that names no platform, product or group is for all of them (`platform:*`). A filter is
a conjunction of alternatives; whoever may see only some groups passes them, and `None` stands for
a caller that may see everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilter:
    """Which documents may be found; what is empty or None is not asked for."""

    platform: str | None = None
    kind: str | None = None
    products: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = None  # those of the reader; None: sees all

    def alternatives(self) -> dict[str, list[str] | None]:
        """Return by dimension the facets of which a passage must have one; None: any will do."""
        return {
            "platforms": _or_any("platform", [self.platform] if self.platform else []),
            "kinds": [f"kind:{self.kind}"] if self.kind else None,
            "products": _or_any("product", self.products),
            "languages": [f"language:{one.lower()}" for one in self.languages] or None,
            "trusts": [f"trust:{one}" for one in self.trusts] or None,
            "groups": None
            if self.groups is None
            else [f"group:{one}" for one in (*self.groups, ANY)],
        }


def _or_any(dimension: str, values: Sequence[str]) -> list[str] | None:
    if not values:
        return None
    return [f"{dimension}:{one.lower()}" for one in (*values, ANY)]


def list_facets(
    *,
    kind: str,
    trust: str,
    language: str,
    platforms: Iterable[str],
    products: Iterable[str],
    groups: Iterable[str],
) -> list[str]:
    """Return the facets of a document's passages, sorted."""
    several = {"platform": platforms, "product": products}
    facets = {f"kind:{kind}", f"trust:{trust}", f"language:{language.lower()}"}
    for dimension, values in several.items():
        facets |= {f"{dimension}:{one.lower()}" for one in values} or {f"{dimension}:{ANY}"}
    facets |= {f"group:{one}" for one in groups} or {f"group:{ANY}"}
    return sorted(facets)


def facets_of(row: Mapping[str, Any]) -> list[str]:
    """Return the facets of a document's passages from its row."""
    return list_facets(
        kind=row["kind"],
        trust=row["trust"],
        language=row["language"],
        platforms=row["platforms"],
        products=row["products"],
        groups=row["access_groups"],
    )
