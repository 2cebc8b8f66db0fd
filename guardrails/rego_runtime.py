# SPDX-License-Identifier: Apache-2.0
"""The one place that loads regopy, always after torch's library; compiling and evaluating with it.

Both carry their own copy of std::regex, whose static members are GNU_UNIQUE symbols: the dynamic
linker keeps one for the whole process, that of whichever library came first. With regopy 1.5.2
first, loading torch 2.13.0 aborts ("double free or corruption"); with torch first, both work. Its
shared library is enough for that; the Python package, two seconds of a start, may come later.

Evaluation speaks to the library's C functions directly and keeps the interpreter lock: regopy's
own functions release and take it some eighty times for one input, and each time another thread may
have it for milliseconds. A built-in function that fails, such as `lower` of a number or a division
by zero, is an error of the whole evaluation. Texts end at the library's first NUL and numbers have
six decimals.
"""

import ctypes
import importlib
import importlib.util
import json
import re
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

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
from regopy.rego_shared import rego as _opened  # noqa: E402 - only now

__all__ = ["EvaluationError", "PreparedQuery", "RegoError", "compile_modules", "has_builtin"]

MAX_INTEGER = 2**53
_ERROR_MESSAGE = re.compile(rb"\(error\s+\(errormsg \d+:([^\n]{1,500})\)")
_library = ctypes.PyDLL(_opened._name)  # noqa: SLF001 - the same library, under the lock


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_library, name)
    function.restype, function.argtypes = result, list(arguments)
    return function


_pointer, _code = ctypes.c_void_p, ctypes.c_uint32
_new_input = _declare("regoNewInput", _pointer)
_free_input = _declare("regoFreeInput", None, _pointer)
_add_text = _declare("regoInputString", _code, _pointer, ctypes.c_char_p)
_add_float = _declare("regoInputFloat", _code, _pointer, ctypes.c_double)
_add_int = _declare("regoInputInt", _code, _pointer, ctypes.c_int64)
_add_bool = _declare("regoInputBoolean", _code, _pointer, ctypes.c_bool)
_add_null = _declare("regoInputNull", _code, _pointer)
_add_item = _declare("regoInputObjectItem", _code, _pointer)
_add_object = _declare("regoInputObject", _code, _pointer, ctypes.c_uint32)
_add_array = _declare("regoInputArray", _code, _pointer, ctypes.c_uint32)
_set_input = _declare("regoSetInput", _code, _pointer, _pointer)
_query = _declare("regoBundleQuery", _pointer, _pointer, _pointer)
_is_fine = _declare("regoOutputOk", ctypes.c_bool, _pointer)
_measure = _declare("regoOutputJSONSize", ctypes.c_uint32, _pointer)
_write = _declare("regoOutputJSON", _code, _pointer, ctypes.c_char_p, ctypes.c_uint32)
_free_output = _declare("regoFreeOutput", None, _pointer)


class EvaluationError(ValueError):
    """The library gave no answer, or the input is none that it can hold."""


def has_builtin(name: str) -> bool:
    """Tell whether regopy implements a built-in function."""
    return bool(_new_interpreter().is_builtin(name))


def _new_interpreter() -> Interpreter:
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE
    interpreter.strict_built_in_errors = True  # else undefined: no denial
    return interpreter


def compile_modules(modules: Mapping[str, str], query: str) -> "PreparedQuery":
    """Return a query compiled with modules given as {file name: Rego}.

    Raises:
        RegoError: they do not compile.

    """
    interpreter = _new_interpreter()
    for name, text in modules.items():
        interpreter.add_module(name, text)
    bundle = interpreter.build(query)
    if not bundle.ok():
        raise RegoError("no bundle")
    return PreparedQuery(bundle)


class PreparedQuery:
    """A compiled query. Safe to call from several threads: evaluations take turns."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._interpreter = _new_interpreter()
        self._lock = threading.Lock()

    def evaluate(self, value: dict[str, Any]) -> Mapping[str, Any]:
        """Return the query's variables for an input; empty where one is undefined.

        Raises:
            EvaluationError: the library answered with an error, or in no JSON.

        """
        handle = _new_input()
        try:
            _check(_fill(handle, value))
            with self._lock:
                text = self._run(handle)
        finally:
            _free_input(handle)
        if text == b"undefined":
            return {}
        if found := _ERROR_MESSAGE.match(text):
            raise EvaluationError(found[1].decode(errors="replace"))
        try:
            answer = json.loads(text)
            (answer,) = answer if isinstance(answer, list) else (answer,)
            bindings = answer.get("bindings", {})
        except (AttributeError, ValueError) as error:  # the text <error>, several answers
            raise EvaluationError("not one answer in JSON") from error
        return bindings if isinstance(bindings, Mapping) else {}

    def _run(self, handle: int) -> bytes:
        interpreter = self._interpreter._impl  # noqa: SLF001 - see the module's docstring
        _check(_set_input(interpreter, handle))
        output = _query(interpreter, self._bundle._impl)  # noqa: SLF001
        if not output:
            raise EvaluationError("no answer")
        try:
            if not _is_fine(output):
                raise EvaluationError("an error of the policy")
            size = _measure(output)
            buffer = ctypes.create_string_buffer(size)
            _check(_write(output, buffer, size))
            return buffer.value
        finally:
            _free_output(output)


def _check(code: int) -> None:
    if code:
        raise EvaluationError("the input cannot be handed over")


@lru_cache(maxsize=512)
def _encode_key(key: str) -> bytes:
    return _encode(key)


def _encode(text: str) -> bytes:
    content = text.encode()
    if b"\0" in content:
        raise EvaluationError("a text with a NUL character")
    return content


def _fill(handle: int, value: object) -> int:
    """Put a JSON value on the input's stack; return 0, or the library's codes or-ed together."""
    add = _ADD.get(type(value))
    if add is not None:
        return add(handle, value)
    if value is None:
        return int(_add_null(handle))
    raise EvaluationError(f"no input for a policy: {type(value).__name__}")


def _fill_text(handle: int, value: str) -> int:
    return int(_add_text(handle, _encode(value)))


def _fill_object(handle: int, value: dict[str, Any]) -> int:
    code = 0
    for key, item in value.items():
        code |= _add_text(handle, _encode_key(key)) | _fill(handle, item) | _add_item(handle)
    return code | int(_add_object(handle, len(value)))


def _fill_array(handle: int, value: list[Any]) -> int:
    code = 0
    for item in value:
        code |= _fill(handle, item)
    return code | int(_add_array(handle, len(value)))


def _fill_int(handle: int, value: int) -> int:
    if abs(value) > MAX_INTEGER:
        raise EvaluationError("a number beyond what is exact")
    return int(_add_int(handle, value))


_ADD: dict[type, Callable[[int, Any], int]] = {
    str: _fill_text,
    bool: _add_bool,
    float: _add_float,
    int: _fill_int,
    dict: _fill_object,
    list: _fill_array,
}
