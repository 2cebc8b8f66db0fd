# SPDX-License-Identifier: Apache-2.0
"""The one place that loads regopy, always after torch's library.

Both carry their own copy of std::regex, whose static members are GNU_UNIQUE symbols: the dynamic
linker keeps one for the whole process, that of whichever library came first. With regopy 1.5.2
first, loading torch 2.13.0 aborts ("double free or corruption"); with torch first, both work. Its
shared library is enough for that; the Python package, two seconds of a start, may come later.
"""

import ctypes
import importlib
import importlib.util
from pathlib import Path

_TORCH_LIBRARY = "libtorch_cpu.so"


def _load_torch_library() -> None:
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return
    library = Path(found.origin).with_name("lib") / _TORCH_LIBRARY
    if library.is_file():
        ctypes.CDLL(str(library))
    else:  # another layout, another system
        importlib.import_module("torch")


_load_torch_library()

from regopy import Bundle, Interpreter, LogLevel, RegoError  # noqa: E402 - only now

__all__ = ["Bundle", "Interpreter", "LogLevel", "RegoError"]
