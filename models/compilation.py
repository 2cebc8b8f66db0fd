# SPDX-License-Identifier: Apache-2.0
"""Compiles loops over arrays, and keeps what was compiled on disk for the next process.

Numba keeps it beside the sources or in the user's cache, as files that it does not sync: after a
power cut they may be cut short. What cannot be kept is compiled by each process.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

_loops: list[Any] = []
_logger = logging.getLogger(__name__)


def compiled(loop: Callable[..., Any]) -> Any:
    """Return a function that is compiled when it is first called.

    A division by zero is infinite or not a number in it, as in NumPy.
    """
    try:
        function = njit(cache=True, error_model="numpy")(loop)
    except RuntimeError:  # neither sources nor home may be written to
        return njit(error_model="numpy")(loop)
    _loops.append(function)
    return function


def compile_by(call: Callable[[], None]) -> None:
    """Call what calls compiled loops; once more if what is kept of them cannot be read."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - files cut short fail in any way
        _logger.warning("compiled loops on disk cannot be read (%r): compiled anew", error)
        _discard_kept()
        call()


def _discard_kept() -> None:
    for loop in _loops:
        folder, module = Path(loop.stats.cache_path), loop.py_func.__module__.rsplit(".", 1)[-1]
        for kept in folder.glob(f"{module}.{loop.py_func.__qualname__}-*.nb[ci]"):
            kept.unlink(missing_ok=True)
