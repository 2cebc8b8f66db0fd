# SPDX-License-Identifier: Apache-2.0
"""Whether a dotted name of a Python script leads to something that is known to be harmless."""

# ruff: noqa: E501, SIM905 - tables

import sys
from typing import Final

from guardrails.python_methods import CLASS_METHODS
from guardrails.python_modules import (
    EXCEPTIONS,
    HARMLESS_DUNDERS,
    HARMLESS_MODULES,
    INNER_MODULES,
    SOME_OF,
)

MODULES: Final = HARMLESS_MODULES | SOME_OF.keys()
# What a module does when it is run as a program: with arguments that the script may have set.
_PROGRAMS: Final = frozenset(("main", "_main", "test"))

# What modules have by the name of another module, but for their own: a type, a function.
_NO_MODULES: Final = frozenset(("datetime.time", "unicodedata.decimal", "collections.abc"))

# What frames, functions and generators hold: names and code of others, without underscores around.
_INSIDE: Final = frozenset(
    "f_globals f_locals f_builtins f_trace f_code gi_code cr_code ag_code co_code co_consts func_globals func_code"
    " func_closure func_defaults func_dict im_func im_self im_class".split()
)
# Behind `__class__` and `f_code`, these only name.
NAMING: Final = frozenset(
    ("__name__", "__qualname__", "co_name", "co_filename", "co_firstlineno", "co_qualname")
)


def reaches_inside(name: str) -> bool:
    """Say whether an attribute of this name leads to the insides of Python."""
    is_inner = name.startswith("__") and name.endswith("__") and name not in HARMLESS_DUNDERS
    return is_inner or name in _INSIDE


def is_known(dotted: str) -> bool:
    """Say whether what a dotted name means is known, and harmless by itself."""
    module = _module_of(dotted)
    rest = dotted[len(module) + 1 :].split(".") if module else []
    if not rest or rest[-1] in _PROGRAMS or any(map(dotted.startswith, EXCEPTIONS)):
        return False
    if any(part[:1].isupper() for part in rest[:-1]) and _acts_on_any(rest[-1]):
        return False
    if module in SOME_OF and rest[0] in SOME_OF[module]:
        return not _reaches_inside(rest[1:], module)
    if _names_module(rest[0], module):
        return False
    return module in HARMLESS_MODULES and not _reaches_inside(rest, module)


def _names_module(part: str, module: str) -> bool:
    """Say whether what a module has under this name is another module of the standard library."""
    own = module.rpartition(".")[2]
    is_module = part in sys.stdlib_module_names and part != own
    return is_module and f"{module}.{part}" not in _NO_MODULES


def _acts_on_any(name: str) -> bool:
    """Say whether a class's own function takes whatever is given it for one of its objects."""
    return name[:1].islower() and name not in CLASS_METHODS


def _module_of(dotted: str) -> str:
    """Return the longest known module that a dotted name begins with."""
    while dotted:
        if dotted in MODULES:
            return dotted
        dotted = dotted.rpartition(".")[0]
    return ""


def _reaches_inside(parts: list[str], module: str) -> bool:
    """Say whether a name leads from a module to another one, or to what is private."""
    own = module.rpartition(".")[2]
    return any(
        (part in INNER_MODULES and part != own)
        or (part.startswith("_") and part not in HARMLESS_DUNDERS)
        for part in parts
    )
