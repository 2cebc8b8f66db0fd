# SPDX-License-Identifier: Apache-2.0
"""Paths of the C2SP tlog-tiles layout (https://c2sp.org/tlog-tiles). Pure.

`<level>/<N>[.p/<W>]` names a hash tile and `entries/<N>[.p/<W>]` an entry bundle; N is written
in groups of three digits, all but the last with an `x` before them; W is 1 to 255.
"""

import re
from dataclasses import dataclass

from evidence.errors import TilePathError
from evidence.tree import TILE_WIDTH

MAX_LEVEL = 7  # 256^8 leaves; a tree is never that large
_PATH = re.compile(
    r"(?P<level>[0-7]|entries)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePath:
    """One tile: its level (None for the entries themselves), index, and width of 1 to 256."""

    level: int | None
    index: int
    width: int = TILE_WIDTH


def parse_tile_path(path: str) -> TilePath:
    """Read a tile path, relative to `tile/`.

    Raises:
        TilePathError: the path is not one that `format_tile_path` writes.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        message = "not a tile path"
        raise TilePathError(message)
    width = match["width"]
    tile = TilePath(
        level=None if match["level"] == "entries" else int(match["level"]),
        index=int(match["index"].replace("x", "").replace("/", "")),
        width=TILE_WIDTH if width is None else int(width),
    )
    if not 1 <= tile.width <= TILE_WIDTH or format_tile_path(tile) != path:
        message = "not the one spelling of a tile path"
        raise TilePathError(message)
    return tile


def format_tile_path(tile: TilePath) -> str:
    """Return the path of a tile, relative to `tile/`."""
    digits = str(tile.index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[position : position + 3] for position in range(0, len(digits), 3)]
    number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    level = "entries" if tile.level is None else str(tile.level)
    suffix = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"{level}/{number}{suffix}"
