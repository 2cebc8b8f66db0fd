# SPDX-License-Identifier: Apache-2.0
"""The one place that loads regopy, always after torch.

Both carry their own copy of std::regex, whose static members are GNU_UNIQUE symbols: the dynamic
linker keeps one for the whole process, that of whichever library came first. With regopy 1.5.2
first, loading torch 2.13.0 aborts ("double free or corruption"); with torch first, both work.
"""

import importlib
import importlib.util

if importlib.util.find_spec("torch") is not None:
    importlib.import_module("torch")

from regopy import Bundle, Interpreter, LogLevel, RegoError

__all__ = ["Bundle", "Interpreter", "LogLevel", "RegoError"]
