# SPDX-License-Identifier: Apache-2.0
"""Effects and doubts of the commands in a parsed bash or zsh script: a closed world.

Every command is resolved to a function of the script (whose body is analysed), a builtin or a
program that the tables know, or a wrapper, which is looked through. What is none of these is an
unknown program, and what names it, or the code it runs, is computed: both are doubts.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from guardrails.bash_builtins import check_builtin, names_set_by
from guardrails.bash_code import InterpreterCall, is_interpreter, read_interpreter
from guardrails.bash_effects import (
    expand,
    judge_arguments,
    judge_outputs,
    judge_paths,
    judge_redirect,
    judge_table,
    list_only_values,
)
from guardrails.bash_forwarding import ForwardedArguments, list_loose_options
from guardrails.bash_functions import FunctionTable
from guardrails.bash_lookups import judge_lookups
from guardrails.bash_places import Places
from guardrails.bash_redirections import list_arguments, list_inputs, read_heredoc
from guardrails.bash_variables import doubt_assignment, doubt_assignment_word, doubt_variable
from guardrails.bash_words import Constant, Word, list_constants, read_constant, read_words
from guardrails.bash_wrappers import ELEVATING, WRAPPERS, add_input, read_init_script, unwrap
from guardrails.command_words import make_effect, text_of
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.python_module_runs import ModuleRun
from guardrails.script_reading import Deadline, NestedCode, Reading
from guardrails.stream_editors import doubt_awk, doubt_sed
from guardrails.unix_programs import (
    KNOWN_PROGRAMS,
    PLAIN_LOOKS,
    RUNS_CODE,
    RUNS_CODE_LONG,
    SHELL_BUILTINS,
    SYSTEM_FOLDERS,
    may_run_code,
)
from guardrails.zsh_evaluation import doubt_evaluation

_MAX_WRAPPERS: Final = 12
_COMMANDS_BETWEEN_CHECKS: Final = 64
# What sets variables beside assignments: loops, ${x:=...}; commands are asked by their words.
_SET_OTHERWISE: Final = re.compile(r"\b(?:for|select)\s+(\w+)\b|\$\{(\w+):?=")
_RESERVED: Final = frozenset("if then else elif fi while until for do done case esac in select function { } [[ ]]".split())  # fmt: skip
_AWKS: Final = frozenset(("awk", "gawk", "mawk", "nawk", "original-awk"))
_SEDS: Final = frozenset(("sed", "gsed"))
_RUNS: Final = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_WRITES: Final = frozenset(("-fprint", "-fprintf", "-fprint0", "-fls"))
_FIND_RUNS: Final = re.compile(r"(?:^| )-(?:exec|execdir|ok|okdir|fls|fprint\w*)(?: |$)")
# `"$@"`, `${options[@]}`, and what is split into words: `$options`.
_HOLDS_WORDS: Final = re.compile(r"^\$|\$(?:[@*]|\{[@*]|\{\w+\[[@*]\])")
_KEEPS_FUNCTIONS: Final = frozenset(("time", "noglob", "nocorrect", "coproc", "repeat"))
_ACTS: Final = KNOWN_PROGRAMS - PLAIN_LOOKS - SHELL_BUILTINS
# Files of the system that hold settings, and no commands.
_SETTINGS: Final = (["/etc/os-release"], ["/usr/lib/os-release"], ["/etc/lsb-release"])
_SCRIPT_FILE: Final = re.compile(r"\.(?:sh|bash|zsh|py|pl|rb|js|php|tcl|lua|awk|command)$")


class BashReader:
    """Reads the commands of one script, or of code inside it."""

    def __init__(
        self,
        nodes: Mapping[str, Sequence[Any]],
        text: str,
        deadline: Deadline,
        *,
        dialect: str = "bash",
        functions: Iterable[str] = (),
    ) -> None:
        self.reading = Reading()
        self._nodes = nodes
        self._text = text
        self._deadline = deadline
        self._dialect = dialect
        self._functions = FunctionTable(nodes, functions)
        self._only_values = list_only_values(nodes.get("assignment", ()))
        self._places = Places(nodes)
        self._constants: dict[str, Constant] = {}
        self._loose_options = ""
        self._declared: dict[int, tuple[str, str]] = {}
        self._forwarded = ForwardedArguments(
            nodes, text, self._functions, lambda node: self._words_of(node, self._constants)
        )

    def read(self) -> Reading:
        """Return what the commands do, and what keeps them from being judged.

        Raises:
            DeadlineError: it takes too long.

        """
        self._constants = self._find_constants()
        self._loose_options = list_loose_options(self._nodes, self._functions)
        for count, node in enumerate(self._nodes.get("command", ())):
            if not count % _COMMANDS_BETWEEN_CHECKS:
                self._deadline.check()
            self._read_command(node)
        for node in self._nodes.get("redirect", ()):
            self.reading.effects += judge_redirect(node, self._places)
        for node in self._nodes.get("assignment", ()):
            self._deadline.check()
            self._read_assignment(node)
        for kind in ("declaration", "unset"):
            for node in self._nodes.get(kind, ()):
                head, *rest = self._words_of(node, self._constants)
                self._doubt(node, check_builtin(head.value or "", rest, self._dialect) or "")
        return self.reading

    def _find_constants(self) -> dict[str, Constant]:
        """Return the constants; two rounds, for a constant may name the command that sets one.

        Raises:
            DeadlineError: it takes too long.

        """
        assignments = self._nodes.get("assignment", ())
        unstable = {
            name
            for match in _SET_OTHERWISE.finditer(self._text)
            for name in (match[1] or match[2],)
        }
        for name in sorted(unstable):
            if doubt := doubt_variable(name, "", None, exported=True, dialect=self._dialect):
                self.reading.doubt(1, doubt)
        found = list_constants(assignments, unstable)
        for kind in ("command", "declaration", "unset"):
            for count, node in enumerate(self._nodes.get(kind, ())):
                if not count % _COMMANDS_BETWEEN_CHECKS:
                    self._deadline.check()
                names = names_set_by(self._words_of(node, found))
                if names is None:
                    return {}
                unstable |= names
        return list_constants(assignments, unstable)

    def _list_held(self, arguments: Sequence[Word]) -> list[str]:
        """Return the options that a command may get from a list or a variable of several words."""
        if any(_HOLDS_WORDS.search(word.raw) for word in arguments if word.value is None):
            return self._loose_options.split()
        return []

    def _words_of(self, node: Any, constants: Mapping[str, Constant]) -> list[Word]:
        splits = self._dialect != "zsh" and "IFS" not in self._text
        words = read_words(list_arguments(node), constants, splits=splits)
        if node.type in ("declaration_command", "unset_command"):
            keyword = text_of(node.children[0])
            return [Word(keyword, keyword), *words]
        return words

    def _read_command(self, node: Any) -> None:
        words = self._words_of(node, self._constants)
        for child in node.children:
            if child.type == "variable_assignment":
                self._doubt(node, self._doubt_assignment(child, exported=True))
        for call, given in self._forwarded.find(node, words) or [(node, words)]:
            if given:
                self._judge(call, given)

    def _read_assignment(self, node: Any) -> None:
        parent = node.parent
        if parent is not None and parent.type == "command":
            return  # read with its command
        exported = "set -a" in self._text or "allexport" in self._text
        if parent is not None and parent.type == "declaration_command":
            first, flags = self._read_declaration(parent)
            exported = exported or first == "export" or bool(re.search(r"(?:^|\s)-\w*x", flags))
            if re.search(r"(?:^|\s)[-+]\w*[nieulTFE]", flags):
                self._doubt(node, "a declaration gives a variable a meaning of its own")
        self._doubt(node, self._doubt_assignment(node, exported=exported))

    def _read_declaration(self, node: Any) -> tuple[str, str]:
        """Return the word that declares, and its other words; read once for all assignments."""
        if node.id not in self._declared:
            words = [text_of(child) for child in node.children if child.type == "word"]
            self._declared[node.id] = text_of(node.children[0]), " ".join(words)
        return self._declared[node.id]

    def _doubt_assignment(self, node: Any, *, exported: bool) -> str:
        return doubt_assignment(node, self._constants, exported=exported, dialect=self._dialect)

    def _judge(self, node: Any, words: Sequence[Word], *, finds_functions: bool = True) -> None:
        """Judge one command, and what it runs when it is a wrapper.

        Args:
            node: of the command.
            words: of the command.
            finds_functions: the shell itself runs it; another program would not know functions.

        """
        for _ in range(_MAX_WRAPPERS):
            words = read_init_script(words)
            name = self._resolve(node, words[0])
            if name is None:
                return
            arguments = list(words[1:])
            shown = [expand(word.raw, self._only_values) for word in arguments]
            is_function = finds_functions and (words[0].value or "") in self._functions
            if is_function and not self._judge_function(node, name):
                return
            finds_functions = finds_functions and name in _KEEPS_FUNCTIONS
            if name in ELEVATING:
                self._add(node, EffectKind.ELEVATES, EffectSeverity.LOW)
            self.reading.effects += judge_arguments(node, name, shown)
            self.reading.effects += judge_outputs(node, name, arguments, self._places)
            self.reading.effects += judge_lookups(node, name, arguments, self._places)
            if name not in ELEVATING:
                self.reading.effects += judge_table(node, name, shown + self._list_held(arguments))
            self._doubt_options(node, name, arguments)
            if name not in WRAPPERS:
                self._judge_plain(node, name, arguments)
                return
            inner = unwrap(name, add_input(name, arguments))
            self._doubt(node, inner.doubt)
            for word in inner.assignments:
                self._doubt(node, doubt_assignment_word(word, exported=True))
            if inner.code is not None:
                self._run_code(node, "bash", inner.code.value, name)
            if not inner.words:
                return
            words = inner.words
        self._doubt(node, "wrappers inside wrappers, too deep to follow")

    def _resolve(self, node: Any, head: Word) -> str | None:
        """Return the bare name of the command; None when that is computed, or empty."""
        if head.value is None or head.is_pattern:
            self._add(node, EffectKind.RUNS_DYNAMIC_CODE, EffectSeverity.HIGH)
            self._doubt(node, "the command is computed while it runs")
            return None
        name = head.value
        if "/" not in name:
            return name
        folder, _, base = name.rpartition("/")
        if not SYSTEM_FOLDERS.fullmatch(folder) or ".." in folder:
            if _SCRIPT_FILE.search(base):
                self._doubt(node, "runs a script that is not in the text")
            self._doubt(node, f"{name[:60]} lies outside the system's folders")
        return base

    def _judge_function(self, node: Any, name: str) -> bool:
        """Say whether a command of a function's name has to be judged as a program too."""
        if self._functions.is_certain(name, node):
            return False
        if name in _ACTS or name in WRAPPERS or is_interpreter(name):
            self._doubt(node, f"a function has the name of the command {name}")
            return True
        if name not in KNOWN_PROGRAMS:
            self._doubt(node, f"the function {name[:40]} may not be defined yet")
        return False

    def _judge_plain(self, node: Any, name: str, arguments: list[Word]) -> None:
        if is_interpreter(name):
            self._judge_interpreter(node, name, arguments)
        elif name == "eval":
            value = arguments[0].value if len(arguments) == 1 else None
            self._run_code(node, self._dialect, value, name, inherits=True)
        elif name == "trap":
            self._judge_trap(node, arguments)
        elif name in ("source", "."):
            self._judge_source(node, arguments)
        elif name == "find":
            self._judge_find(node, arguments)
        else:
            self._judge_by_table(node, name, arguments)

    def _judge_source(self, node: Any, arguments: list[Word]) -> None:
        if [each.value for each in arguments] not in _SETTINGS:  # they set names of their own
            self._add(node, EffectKind.RUNS_DYNAMIC_CODE, EffectSeverity.MEDIUM)
            self._doubt(node, "runs a script that is not in the text")

    def _judge_by_table(self, node: Any, name: str, arguments: list[Word]) -> None:
        if name in _AWKS:
            self._doubt(node, doubt_awk(arguments))
        elif name in _SEDS:
            self._doubt(node, doubt_sed(arguments))
        elif name in _RESERVED:
            self._doubt(node, "does not parse")
        elif evaluated := doubt_evaluation(name, arguments, text_of(node), self._dialect):
            self._doubt(node, evaluated)
        elif (doubt := check_builtin(name, arguments, self._dialect)) is not None:
            self._doubt(node, doubt)
        elif name not in KNOWN_PROGRAMS and not name.startswith(("mkfs.", "fsck.")):
            self._doubt(node, f"{name[:40]} is no known program")

    def _doubt_options(self, node: Any, name: str, arguments: Sequence[Word]) -> None:
        if name in ("service", "rc-service"):
            texts = self._places.list_texts(arguments[0].raw, node) if arguments else ()
            if any("/" in text for text in texts):
                self._doubt(node, "runs a script that is not in the text")
        if name not in RUNS_CODE:
            return
        line = " ".join(word.value if word.value is not None else word.raw for word in arguments)
        computed = any(word.value is None for word in arguments)
        given = [expand(each, self._only_values) for each in line.split(" ")]
        begins = {each.partition("=")[0] for each in given if each[:2] == "--" and len(each) > 2}
        is_short = any(
            option.startswith(each) for each in begins for option in RUNS_CODE_LONG[name]
        )
        held = computed and may_run_code(name, self._loose_options)
        if is_short or held or may_run_code(name, " ".join(given)):
            self._doubt(node, f"arguments of {name} may run other code")
        elif any(word.value is None and not word.raw.startswith('"') for word in arguments[:1]):
            self._doubt(node, f"arguments of {name} are computed while it runs")

    def _judge_interpreter(self, node: Any, name: str, arguments: Sequence[Word]) -> None:
        call = read_interpreter(name, arguments)
        if call.doubt:
            self._add(node, EffectKind.RUNS_DYNAMIC_CODE, EffectSeverity.MEDIUM)
            self._doubt(node, call.doubt)
        elif call.module is not None:
            self._judge_module(node, call.module)
        elif call.code is not None:
            self._run_code(node, call.interpreter, call.code, name)
        elif call.reads_input:
            self._judge_input(node, name, call)

    def _judge_module(self, node: Any, module: ModuleRun) -> None:
        if module.kind is not None:
            self._add(node, module.kind, EffectSeverity.MEDIUM)
        if module.target:
            self.reading.effects += judge_paths(node, self._places.find(module.target, node))

    def _judge_input(self, node: Any, name: str, call: InterpreterCall) -> None:
        """Judge an interpreter that reads code: a here-document or a here-string shows it."""
        inputs = list_inputs(node)
        if len(inputs) == 1 and inputs[0].type == "herestring_redirect":
            value = read_constant(inputs[0].children[-1], self._constants)
            self._run_code(node, call.interpreter, value, name)
            return
        if len(inputs) == 1 and inputs[0].type == "heredoc_redirect":
            code, line = read_heredoc(inputs[0])
            if code is not None:
                self._nest(call.interpreter, code, line)
            else:
                self.reading.doubt(line, f"a here-document for {name} cannot be read")
            return
        severity = EffectSeverity.CRITICAL if self._reads_downloads(node) else EffectSeverity.HIGH
        self._add(node, EffectKind.RUNS_DYNAMIC_CODE, severity)
        self._doubt(node, "runs text that another command writes")

    def _reads_downloads(self, node: Any) -> bool:
        while node is not None and node.type != "pipeline":
            node = node.parent
        if node is None:
            return False
        return bool(re.search(r"\b(?:curl|wget|base64|openssl|xxd|nc)\b", text_of(node)))

    def _judge_trap(self, node: Any, arguments: Sequence[Word]) -> None:
        rest = [word for word in arguments if word.value != "--"]
        if len(rest) < 2 or rest[0].value in ("-", "", "-p", "-l"):
            if rest and rest[0].value is None:
                self._doubt(node, "runs text that is computed while it runs")
            return
        self._run_code(node, self._dialect, rest[0].value, "trap", inherits=True)

    def _judge_find(self, node: Any, arguments: Sequence[Word]) -> None:
        position = 0
        while position < len(arguments):
            value = arguments[position].value
            position += 1
            if value is None and _FIND_RUNS.search(self._loose_options):
                self._doubt(node, "what find runs is computed while it runs")
            if value in _WRITES:
                self._doubt(node, "find writes files")
            if value not in _RUNS:
                continue
            inner: list[Word] = []
            while position < len(arguments) and arguments[position].value not in (";", "+"):
                word = arguments[position]
                held = word.value if word.value is None or "{}" not in word.value else None
                inner.append(Word(word.raw, held, word.is_pattern))
                position += 1
            if inner:
                self._judge(node, inner, finds_functions=False)

    def _run_code(
        self, node: Any, interpreter: str, code: str | None, name: str, *, inherits: bool = False
    ) -> None:
        if code is None:
            self._add(node, EffectKind.RUNS_DYNAMIC_CODE, EffectSeverity.HIGH)
            reason = (
                "runs text that is computed while it runs"
                if name in ("eval", "trap")
                else f"code for {name} cannot be read"
            )
            self._doubt(node, reason)
        else:
            self._nest(interpreter, code, int(node.start_point[0]) + 1, inherits=inherits)

    def _nest(self, interpreter: str, code: str, line: int, *, inherits: bool = False) -> None:
        functions = self._functions.names if inherits else frozenset()
        self.reading.nested.append(
            NestedCode(interpreter=interpreter, code=code, line=line, functions=functions)
        )

    def _add(self, node: Any, kind: EffectKind, severity: EffectSeverity) -> None:
        self.reading.effects.append(make_effect(kind, severity, node))

    def _doubt(self, node: Any, reason: str) -> None:
        if reason:
            self.reading.doubt(int(node.start_point[0]) + 1, reason)
