# SPDX-License-Identifier: Apache-2.0
"""What changes which commands a PowerShell script runs, and how: each such change is a doubt.

Drives of commands and variables, default parameters, the engine itself, and variables of the
environment that decide which programs, modules and libraries run.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from typing import Any, Final

from guardrails.powershell_folding import put_values
from guardrails.powershell_scope import PowershellScope
from guardrails.script_reading import Reading

_COMMAND_DRIVE: Final = re.compile(
    r"(?<![\w$])\$?\{?\b(?:function|alias):(?=[\w\\/*?{$'\"]|$)", re.IGNORECASE
)
# An expression that computes a text, and signs that the text is a path below some root.
_COMPUTES: Final = re.compile(
    r"\+|-f\b|-join|-replace|\.(?:replace|substring|insert|tochararray)\(|::(?:join|concat)|-bxor|frombase64",
    re.IGNORECASE,
)
_ROOTED: Final = re.compile(r"[\\/]|join-path|\b[a-z]:|\$env:|combine\(|gettemp", re.IGNORECASE)
_STEERING_VARIABLE: Final = re.compile(
    r"\$\{?(?:global:|script:)?(?:psdefaultparametervalues|executioncontext)\b|\b(?:psdefaultparametervalues|ex\w*\*\w*context|executioncontext)\b",
    re.IGNORECASE,
)
_VARIABLE_DRIVE: Final = re.compile(r"\bvariable:", re.IGNORECASE)
_SETS_VARIABLES: Final = frozenset(("set-variable", "new-variable", "set-item", "new-item"))
_SETS_STEERING: Final = re.compile(
    r"psdefaultp|executionc|\s-n\w*[\s:]+\(|variable\s+\(", re.IGNORECASE
)
# Variables of the environment that decide which programs, modules and libraries run.
_STEERING_ENVIRONMENT: Final = re.compile(
    r"env:(?:path$|psmodulepath|comspec|pathext|windir|systemroot|systemdrive|homedrive|programfiles|programw6432|commonprogramfiles|localappdata|appdata$|userprofile|cor_|coreclr_|complus_|dotnet_|node_|python|perl5|ruby|git_|java_|_java|npm_|ssl_cert_|sslkeylogfile|curl_ca_|requests_ca_|aws_ca_|openssl_|pip_|__)",
    re.IGNORECASE,
)
_COMMAND_VARIABLE: Final = re.compile(r"[$@]\{?(?:function|alias):", re.IGNORECASE)
_GETS_SOME_VARIABLE: Final = re.compile(r"\b(?:get-variable|gv)\b[^|;\n]{0,80}(?:psd|[*?$(])")
_CHANGES_VALUE: Final = re.compile(
    r"\.value\s*(?:\[[^\]\n]{0,80}\]\s*=(?!=)|=(?!=)|\.(?:add|set_item|remove|clear)\b)"
)
_LOOPED_ENVIRONMENT: Final = re.compile(r"\bforeach\s*\(\s*\$\{?env:")
_NAMES_ITEMS: Final = frozenset(
    "set-content add-content set-item new-item copy-item move-item rename-item clear-item set-location push-location".split()
)
_FIRST_PATH: Final = re.compile(
    r"\s*(?:-(?:path|literalpath|pspath|lp|destination|p\w*|l\w*|d\w*)[\s:]+)?(?:\"?\$\{?(\w+)\}?(?![\w.\\/:])|(\((?:[^()]|\([^()]*\))*\)))",
    re.IGNORECASE,
)
_PROVIDER: Final = re.compile(r"-ps\w*[\s:]+[\"']?(?!filesystem\b|registry\b|[\"'])", re.IGNORECASE)
_APPENDS_PATH: Final = re.compile(r"\s*[\"(]*\$\{?env:path\b", re.IGNORECASE)
_ENVIRONMENT: Final = re.compile(r"env:[\w]+", re.IGNORECASE)


class SteeringJudge:
    """Judges such changes of one script; adds to its reading."""

    def __init__(self, scope: PowershellScope, variables: dict[str, Any], reading: Reading) -> None:
        self._scope = scope
        self._variables = variables
        self._reading = reading
        self._computed: set[str] = set()

    def note_computed(self, name: str, right: str) -> None:
        """Remember a variable whose text is put together, and so may name a drive."""
        if _COMPUTES.search(right) and not _ROOTED.search(right) and "$" in right:
            self._computed.add(name)

    def judge_assignment(self, name: str, right: str, line: int) -> None:
        """Judge a variable that is assigned to, by its name with its drive."""
        plain = name.rstrip("+")
        if plain.startswith(("function:", "alias:")):
            self._reading.doubt(line, "makes a command by its drive")
        elif _STEERING_ENVIRONMENT.match(plain):
            appends = name.endswith("+") or _APPENDS_PATH.match(right)
            if plain != "env:path" or not appends:
                self._reading.doubt(line, f"changes ${plain}: other programs may run")

    def judge_path(self, put: str, line: int) -> None:
        """Judge a path that is written to, its variables put in."""
        if _COMMAND_DRIVE.search(put) or _VARIABLE_DRIVE.search(put):
            self._reading.doubt(line, "changes commands or variables by their drive")

    def judge_target(self, name: str, rest: str, line: int) -> None:
        """Judge the arguments of a cmdlet that writes to, or enters, a path of some drive."""
        put = put_values(rest, self._variables)
        self.judge_path(put, line)
        if name in _NAMES_ITEMS and self._is_computed(rest):
            self._reading.doubt(line, "a path that is computed may be a drive of commands")
        if name == "new-psdrive" and _PROVIDER.search(put):
            self._reading.doubt(line, "a drive whose provider is unknown")
        found = _ENVIRONMENT.search(put)
        writes = name.startswith(("set-", "new-item", "add-"))
        reads = re.search(r"\$\{?env:", put, re.IGNORECASE)
        if found and writes and not reads and _STEERING_ENVIRONMENT.match(found[0]):
            self._reading.doubt(line, f"changes {found[0]}: other programs may run")

    def _is_computed(self, rest: str) -> bool:
        first = _FIRST_PATH.match(rest)
        if first is None:
            return False
        if (first[1] or "").lower() in self._computed:
            return True
        written = first[2] or ""
        return _COMPUTES.search(written) is not None and not _ROOTED.search(written)

    def judge_variable_cmdlet(self, name: str, text: str, line: int) -> None:
        """Judge a cmdlet that sets a variable by its name."""
        if name in _SETS_VARIABLES and _SETS_STEERING.search(put_values(text, self._variables)):
            self._reading.doubt(line, f"{name} of a variable that changes what commands do")

    def judge_variable(self, text: str, line: int) -> None:
        """Judge a variable wherever it stands."""
        if _COMMAND_VARIABLE.match(text):
            self._reading.doubt(line, "reaches commands by their drive")
        if _STEERING_VARIABLE.search(text):
            self._reading.doubt(line, f"{text[:40]} changes what commands do")

    def judge_script(self) -> None:
        """Judge what the script says as a whole."""
        if self._scope.mentions(_GETS_SOME_VARIABLE) and self._scope.mentions(_CHANGES_VALUE):
            self._reading.doubt(1, "changes a variable whose name is not in the text")
        if self._scope.mentions(_LOOPED_ENVIRONMENT):
            self._reading.doubt(1, "a loop changes the environment")
