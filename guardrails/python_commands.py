# SPDX-License-Identifier: Apache-2.0
"""Effects of a Python script, from the standard library's syntax tree; nothing is run.

Calls are named by what was imported (`from os import system as s` is seen through). Constant
strings are folded; commands of shells in constants are handed on; exec, eval, compile, computed
imports and computed commands are doubts.
"""
# ruff: noqa: E501, SIM905 - tables

import ast
import base64
import binascii
import itertools
import shlex
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.script_reading import Deadline, NestedCode, Reading

_K, _S = EffectKind, EffectSeverity
_MAX_FOLDED: Final = 65_536
_MAX_DEPTH: Final = 40
_MAX_NODES: Final = 400_000
_MAX_CHARACTERS: Final = 400_000  # the parser cannot be stopped, and takes 4 us a character
_NODES_BETWEEN_CHECKS: Final = 1024
_CALLS: Final = {
    name: entry
    for names, entry in (
        ("os.remove os.unlink os.rmdir os.removedirs pathlib.Path.unlink", (_K.DELETES_FILES, _S.MEDIUM)),
        ("shutil.rmtree", (_K.DELETES_FILES, _S.HIGH)),
        ("os.rename os.replace shutil.move shutil.copy shutil.copy2 shutil.copyfile shutil.copytree", (_K.WRITES_SYSTEM_FILES, _S.LOW)),
        ("os.chmod os.chown os.lchown shutil.chown", (_K.CHANGES_PERMISSIONS, _S.MEDIUM)),
        ("os.kill os.killpg", (_K.ENDS_PROCESSES, _S.MEDIUM)),
        ("winreg.SetValue winreg.SetValueEx winreg.DeleteKey winreg.DeleteValue winreg.CreateKey winreg.CreateKeyEx", (_K.CHANGES_REGISTRY, _S.MEDIUM)),
        ("urllib.request.urlopen urllib.request.urlretrieve requests.get httpx.get urllib.urlretrieve", (_K.DOWNLOADS, _S.MEDIUM)),
        ("requests.post requests.put httpx.post httpx.put ftplib.FTP smtplib.SMTP paramiko.SSHClient", (_K.SENDS_DATA, _S.HIGH)),
        ("socket.socket socket.create_server socketserver.TCPServer http.server.HTTPServer", (_K.OPENS_NETWORK, _S.HIGH)),
        ("ctypes.CDLL ctypes.WinDLL ctypes.cdll.LoadLibrary ctypes.windll.kernel32.VirtualAlloc", (_K.INJECTS_CODE, _S.HIGH)),
        ("os.setuid os.setgid os.seteuid", (_K.ELEVATES, _S.HIGH)),
        ("pty.spawn", (_K.OPENS_NETWORK, _S.HIGH)),
        ("keyring.get_password win32crypt.CryptUnprotectData spwd.getspnam", (_K.READS_CREDENTIALS, _S.HIGH)),
        ("pynput.keyboard.Listener keyboard.hook pyautogui.screenshot PIL.ImageGrab.grab mss.mss", (_K.CAPTURES_DATA, _S.HIGH)),
    )
    for name in names.split()
}  # fmt: skip
_DYNAMIC: Final = frozenset(
    "exec eval compile __import__ importlib.import_module runpy.run_path runpy.run_module"
    " builtins.exec builtins.eval marshal.loads pickle.loads types.FunctionType".split()
)
_SHELL_CALLS: Final = frozenset(
    "os.system os.popen subprocess.run subprocess.call subprocess.check_call subprocess.Popen"
    " subprocess.check_output subprocess.getoutput subprocess.getstatusoutput os.execv os.execl"
    " os.execvp os.spawnl os.spawnv commands.getoutput asyncio.create_subprocess_shell"
    " asyncio.create_subprocess_exec".split()
)


def read_python(text: str, deadline: Deadline) -> tuple[Reading, bool]:
    """Return (what a Python script does, whether it parses).

    Raises:
        DeadlineError: it takes too long.

    """
    reading = Reading()
    if len(text) > _MAX_CHARACTERS:
        return reading, False
    try:
        with warnings.catch_warnings():  # on doubtful literals, which are no concern of ours
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return reading, False
    names: dict[str, str] = {}
    constants: dict[str, Any] = {}
    deadline.check()
    stable = _list_stable(tree, deadline)
    for count, node in enumerate(_walk(tree, deadline)):
        if count > _MAX_NODES:
            return reading, False
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= _list_imports(node)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id in stable:
                constants[target.id] = _fold(node.value, constants)
        elif isinstance(node, ast.Call):
            _judge_call(node, names, constants, reading)
    return reading, True


def _walk(tree: ast.AST, deadline: Deadline) -> Iterator[ast.AST]:
    """Yield the nodes in the order of the text, without recursion."""
    waiting = [tree]
    for count in itertools.count():
        if not waiting:
            return
        if not count % _NODES_BETWEEN_CHECKS:
            deadline.check()
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _list_stable(tree: ast.AST, deadline: Deadline) -> set[str]:
    """Return the names that are set at one place only."""
    counts: Counter[str] = Counter()
    for node in _walk(tree, deadline):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            counts[node.id] += 1
        elif isinstance(node, ast.arg):
            counts[node.arg] += 1
    return {name for name, count in counts.items() if count == 1}


def _list_imports(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {each.asname: each.name for each in node.names if each.asname}
    return {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}


def _name_of(node: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name of what is called, by what was imported; empty if computed."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(names.get(node.id, node.id))
    return ".".join(reversed(parts))


def _judge_call(
    node: ast.Call, names: dict[str, str], constants: dict[str, Any], reading: Reading
) -> None:
    name = _name_of(node.func, names)
    shown = f"{name or 'a computed function'}(...)"
    line = node.lineno
    if isinstance(node.func, ast.Call) and _name_of(node.func.func, names) == "getattr":
        reading.run_dynamic(line, shown, "calls a function whose name is computed")
    if name in _DYNAMIC:
        code = _fold(node.args[0], constants) if node.args else None
        if isinstance(code, str) and name in ("exec", "eval"):
            reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, shown)
            reading.nested.append(NestedCode(interpreter="python", code=code, line=line))
        else:
            reading.run_dynamic(line, shown, "runs or loads code that is computed")
    elif name in _SHELL_CALLS:
        _judge_shell(node, name, constants, reading)
    elif entry := _CALLS.get(name):
        reading.add(entry[0], entry[1], line, shown)
    elif name == "open" and len(node.args) > 1:
        mode = _fold(node.args[1], constants)
        if not isinstance(mode, str) or set(mode) & set("wax+"):
            reading.add(_K.WRITES_SYSTEM_FILES, _S.LOW, line, shown)


def _judge_shell(node: ast.Call, name: str, constants: dict[str, Any], reading: Reading) -> None:
    command = _fold(node.args[0], constants) if node.args else None
    line = node.lineno
    if isinstance(command, list):
        first = command[0] if command else None
        if isinstance(first, str) and None not in command:
            command = shlex.join(str(each) for each in command)
        elif isinstance(first, str):
            reading.add(_K.RUNS_DYNAMIC_CODE, _S.LOW, line, f"{name}({first!r}, ...)")
            command = shlex.join([first])
    if isinstance(command, str):
        interpreter = "cmd" if "\\" in command or ".exe" in command.lower() else "bash"
        reading.nested.append(NestedCode(interpreter=interpreter, code=command, line=line))
    else:
        reading.run_dynamic(line, f"{name}(...)", "the command is computed while it runs")


def _fold(node: ast.expr, constants: dict[str, Any], depth: int = 0) -> Any:
    """Return the constant value (str, bytes, int, list) of an expression, or None."""
    value: Any = None
    if depth > _MAX_DEPTH:
        return None
    if isinstance(node, ast.Constant):
        value = node.value if isinstance(node.value, (str, bytes, int)) else None
    elif isinstance(node, ast.Name):
        value = constants.get(node.id)
    elif isinstance(node, (ast.List, ast.Tuple)):
        value = [_fold(each, constants, depth + 1) for each in node.elts[:4096]]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = _fold(node.left, constants, depth + 1)
        right = _fold(node.right, constants, depth + 1)
        if type(left) is type(right) and isinstance(left, (str, bytes, list)):
            joined: Any = left + right
            value = joined if len(joined) <= _MAX_FOLDED else None
    elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
        value = _fold_call(node, constants, depth)
    return value


def _fold_call(node: ast.Call, constants: dict[str, Any], depth: int) -> Any:
    given = [_fold(each, constants, depth + 1) for each in node.args[:8]]
    first = given[0] if given else None
    if isinstance(node.func, ast.Name):
        return _fold_character(first) if node.func.id == "chr" else None
    assert isinstance(node.func, ast.Attribute)  # noqa: S101 - the caller looked
    name, owner = node.func.attr, _fold(node.func.value, constants, depth + 1)
    try:
        if name == "b64decode" and isinstance(first, (str, bytes)):
            return base64.b64decode(first)
        if name == "decode" and isinstance(owner, bytes):
            return owner.decode()
        if name == "join" and isinstance(owner, str) and isinstance(first, list):
            return owner.join(first)[:_MAX_FOLDED]
    except (binascii.Error, ValueError, TypeError):
        return None  # no base64, no UTF-8, or a list with unknown parts
    return None


def _fold_character(code: object) -> str | None:
    return chr(code) if isinstance(code, int) and 0 <= code < 0xD800 else None
