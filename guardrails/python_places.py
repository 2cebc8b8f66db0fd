# SPDX-License-Identifier: Apache-2.0
"""Where the files lie that a Python script writes, and the functions that open or change them.

A row names the argument that is the file, and the mode that tells reading from writing. A path is
followed through names that are bound once, `os.path.join`, `pathlib` and formatted text; one whose
beginning is computed may be any file.
"""
# ruff: noqa: E501 - tables

import ast
from dataclasses import dataclass
from typing import Any, Final

from guardrails.python_folding import fold
from guardrails.python_names import ScriptNames, called_name, walk
from guardrails.script_reading import Deadline
from guardrails.unix_paths import COMPUTED

_MAX_DEPTH: Final = 12
_MAX_FOLDERS: Final = 40
_TEMPORARY: Final = "/tmp/x"  # noqa: S108 - stands for any name there
READING: Final = "r"
GOES_TO_FOLDER: Final = frozenset(("os.chdir", "contextlib.chdir"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCall:
    """How a function is told which file it opens or changes.

    Attributes:
        position: of the argument that is the file; -1 where only a keyword names it.
        keywords: that may name it.
        mode: position of the mode; -1 when it always writes.
        mode_keywords: that may name the mode.
        reads: modes that only read begin with one of these letters.
        is_optional: without the argument it writes to an ordinary place.
        loses: position of an argument that is taken away; -1 for none.

    """

    position: int = 0
    keywords: tuple[str, ...] = ("file", "filename", "path", "name", "fileobj")
    mode: int = -1
    mode_keywords: tuple[str, ...] = ("mode", "flag")
    reads: str = READING
    is_optional: bool = False
    loses: int = -1


def _temporary(position: int) -> FileCall:
    """Return the row of a function that makes a new name: in a folder of its own unless told."""
    return FileCall(position=position, keywords=("dir",), is_optional=True)


_OPENS: Final = FileCall(mode=1)
_MAKES: Final = FileCall()
_SECOND: Final = FileCall(position=1, keywords=("dst", "target", "dest", "extract_dir"))
FILE_CALLS: Final[dict[str, FileCall]] = {
    name: call
    for names, call in (
        (
            ("io.open io.FileIO codecs.open gzip.open gzip.GzipFile bz2.open bz2.BZ2File lzma.open lzma.LZMAFile"
            " tarfile.open tarfile.TarFile zipfile.ZipFile wave.open rich.progress.open os.fdopen"),
            _OPENS,
        ),
        ("tempfile.NamedTemporaryFile tempfile.TemporaryFile", _temporary(6)),
        ("tempfile.SpooledTemporaryFile", _temporary(7)),
        ("tempfile.mkstemp tempfile.mkdtemp tempfile.TemporaryDirectory tempfile.mktemp", _temporary(2)),
        ("logging.basicConfig", FileCall(position=-1, keywords=("filename",), is_optional=True)),
        (
            ("logging.FileHandler logging.handlers.RotatingFileHandler logging.handlers.TimedRotatingFileHandler"
            " logging.handlers.WatchedFileHandler sqlite3.connect os.mkdir os.makedirs os.mkfifo os.utime os.mknod"
            " readline.write_history_file readline.append_history_file dotenv.set_key dotenv.unset_key shutil.make_archive"),
            _MAKES,
        ),
        ("os.truncate", FileCall(loses=0)),
        ("os.symlink os.link shutil.copy shutil.copy2 shutil.copyfile shutil.copytree plistlib.writePlist shutil.copystat shutil.copymode", _SECOND),
        ("os.rename os.renames os.replace shutil.move", FileCall(position=1, keywords=("dst",), loses=0)),
        ("fileinput.input fileinput.FileInput", FileCall(keywords=("files",), mode=1, mode_keywords=("inplace",), reads="")),
        ("argparse.FileType", FileCall(position=-1, keywords=(), mode=0)),
        ("sqlite3.Connection", _MAKES),
        ("http.cookiejar.MozillaCookieJar http.cookiejar.LWPCookieJar", _MAKES),
    )
    for name in names.split()
}  # fmt: skip
# Methods that write the file which their first argument names, whatever the object.
WRITING_METHODS: Final = frozenset(
    "save save_text save_html save_svg write tofile to_csv to_excel to_json savefig dump backup export_text".split()  # noqa: SIM905
)

# What functions return, by their names: a new name, one from the current folder, the home.
_PRINTED: Final = {
    **dict.fromkeys(("mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory", "gettempdir"), _TEMPORARY),
    **dict.fromkeys(("getcwd", "cwd", "basename", "uuid4", "strftime"), "x"),
    "home": "~",
}  # fmt: skip
_OF_ARGUMENT: Final = frozenset(
    ("expanduser", "abspath", "realpath", "dirname", "str", "fspath", "normpath")
)
_OF_OWNER: Final = frozenset(
    ("expanduser", "resolve", "absolute", "with_suffix", "with_name", "format", "with_stem")
)


class Places:
    """Answers where an expression of one script leads."""

    def __init__(self, tree: ast.AST, names: ScriptNames, deadline: Deadline) -> None:
        self._names = names
        self._values: dict[str, ast.expr] = {}
        self._folders: list[ast.expr] = []
        for node in walk(tree, deadline):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._bind(node.targets[0], node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr)
        elif isinstance(node, ast.Call) and node.args and self._goes_to_folder(node):
            self._folders.append(node.args[0])

    def _goes_to_folder(self, node: ast.Call) -> bool:
        meant = self._names.imported.get(called_name(node), ())
        return called_name(node) == "chdir" or not GOES_TO_FOLDER.isdisjoint(meant)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name) and self._names.is_stable(target.id):
            self._values[target.id] = value

    def list_folders(self, constants: dict[str, Any]) -> list[str | None]:
        """Return the folders that the script goes to; None for one that is computed."""
        if len(self._folders) > _MAX_FOLDERS:
            return [None]
        return [self._find(folder, constants, 0) for folder in self._folders]

    def find(self, node: ast.expr | None, constants: dict[str, Any]) -> list[str] | None:
        """Return the paths that an expression may stand for; None when its beginning is computed."""
        if isinstance(node, (ast.List, ast.Tuple)):
            found = [self._find(each, constants, 0) for each in node.elts]
        else:
            found = [self._find(node, constants, 0)]
        places: list[str] = []
        for place in found:
            if place is None or place.startswith((COMPUTED, f"/{COMPUTED}")):
                return None
            places.append(place)
            if place[:1] not in ("/", "~"):
                folders = self.list_folders(constants)
                if None in folders:
                    return None
                places += [f"{folder}/{place}" for folder in folders]
        return places

    def _find(self, node: ast.expr | None, constants: dict[str, Any], depth: int) -> str | None:
        value = fold(node, constants)
        if isinstance(value, (str, bytes)):
            return value if isinstance(value, str) else value.decode("utf-8", "replace")
        found: str | None = None
        if node is None or depth > _MAX_DEPTH:
            return None
        if isinstance(node, ast.Name):
            held = self._values.get(node.id)
            found = "x" if node.id == "__file__" else None
            found = self._find(held, constants, depth + 1) if held is not None else found
        elif isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Call)):
            found = self._join(node, constants, depth + 1)
        elif isinstance(node, ast.Attribute) and node.attr == "name":
            found = "x"
        elif isinstance(node, ast.Subscript) or (
            isinstance(node, ast.Attribute) and node.attr == "parent"
        ):  # `mkstemp()[1]`
            found = self._find(node.value, constants, depth + 1)
        return found

    def _join(
        self, node: ast.JoinedStr | ast.BinOp | ast.Call, constants: dict[str, Any], depth: int
    ) -> str | None:
        if isinstance(node, ast.JoinedStr):
            parts = [
                each.value if isinstance(each, ast.FormattedValue) else each for each in node.values
            ]
            return self._concatenate(parts, "", constants, depth)
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Mod):
                text = fold(node.left, constants)
                return text.replace("%", f"{COMPUTED}%") if isinstance(text, str) else None
            joint = "/" if isinstance(node.op, ast.Div) else ""
            return self._concatenate([node.left, node.right], joint, constants, depth)
        return self._call(node, constants, depth)

    def _concatenate(
        self, parts: list[ast.expr], joint: str, constants: dict[str, Any], depth: int
    ) -> str | None:
        found: list[str] = []
        for part in parts:
            place = self._find(part, constants, depth)
            if place is None and not found:
                return None
            if joint and place is not None and place[:1] in ("/", "~"):
                found = []  # an absolute part begins anew
            found.append(COMPUTED if place is None else place)
        return joint.join(found)

    def _call(self, node: ast.Call, constants: dict[str, Any], depth: int) -> str | None:
        name = called_name(node)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if name in _PRINTED:
            return _PRINTED[name]
        if name in ("join", "Path", "PurePath", "PosixPath") and node.args:
            return self._concatenate(list(node.args), "/", constants, depth)
        if name == "joinpath" and owner is not None:
            return self._concatenate([owner, *node.args], "/", constants, depth)
        if name in _OF_ARGUMENT and node.args:
            return self._find(node.args[0], constants, depth)
        return self._find(owner, constants, depth) if name in _OF_OWNER else None


def read_argument(node: ast.Call, position: int, keywords: tuple[str, ...]) -> ast.expr | None:
    """Return an argument of a call by its position or its name; None when it is not given."""
    named = [each.value for each in node.keywords if each.arg in keywords]
    if named:
        return named[0]
    return node.args[position] if 0 <= position < len(node.args) else None
