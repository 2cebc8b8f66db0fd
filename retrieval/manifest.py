# SPDX-License-Identifier: Apache-2.0
"""The catalogue entry: a script folder's manifest and files, validated at the edge.

Parameters are typed and bounded; `bind_parameters` is the only way to a script's parameters, so
that text from tickets and telemetry yields a value within its bounds, or an error (invariant 3).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import regex  # type: ignore[import-untyped]  # ships no types
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    model_validator,
)

from contracts.canonical import digest_of, sha256_hex
from contracts.failure import FailureClass
from contracts.job import Interpreter, ParameterValue
from contracts.metrics import is_metric, list_metrics
from retrieval.errors import ManifestError

SUFFIXES = {"bash": ".sh", "zsh": ".sh", "powershell": ".ps1", "python": ".py"}
STEPS = ("detect", "remediate", "verify", "rollback")
MAX_STEP_BYTES = 128 * 1024
MAX_STRING_CHARACTERS = 256
MAX_PATTERN_SECONDS = 0.2
KIND_NAMES = {
    "string": "a string", "integer": "an integer", "number": "a number", "boolean": "true or false"
}  # fmt: skip
PLACEHOLDER = re.compile(r"\{([^}]*)\}")
Operator = Literal["<", "<=", ">", ">=", "==", "!="]
Step = Literal["detect", "remediate", "verify", "rollback"]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,40}$")]
MANIFEST_FILE = "manifest.yaml"
MAX_MANIFEST_BYTES = 64 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(_Strict):
    """One typed, bounded parameter of a script."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    type: Literal["string", "integer", "number", "boolean", "enum"]
    description: str
    default: ParameterValue | None = None
    pattern: str | None = None
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    choices: tuple[str, ...] = ()
    bind: str | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Parameter":
        if self.type == "string" and not self.pattern:
            raise ValueError(f"{self.name}: a string parameter needs a pattern")
        if self.pattern is not None:
            self._compile(self.pattern)
        if self.type in {"integer", "number"}:
            self._check_bounds()
        if self.type == "enum" and not self.choices:
            raise ValueError(f"{self.name}: an enum parameter needs choices")
        if self.default is not None:
            self.check(self.default)
        return self

    def _compile(self, pattern: str) -> None:
        try:
            regex.compile(pattern)
        except regex.error as error:
            raise ValueError(
                f"{self.name}: the pattern is no regular expression: {error}"
            ) from error

    def _check_bounds(self) -> None:
        if self.minimum is None or self.maximum is None:
            raise ValueError(f"{self.name}: a numeric parameter needs minimum and maximum")
        if self.minimum > self.maximum:
            raise ValueError(f"{self.name}: the minimum exceeds the maximum")

    def check(self, value: object) -> ParameterValue:
        """Return the value if it is within this parameter's type and bounds.

        Raises:
            ValueError: it is not; the message says what is allowed.
        """
        if self.type == "boolean" and isinstance(value, bool):
            return value
        if self.type in {"integer", "number"} and not isinstance(value, bool):
            return self._check_number(value)
        if self.type == "enum" and isinstance(value, str) and value in self.choices:
            return value
        if self.type == "string" and isinstance(value, str) and self.pattern is not None:
            if (
                len(value) <= MAX_STRING_CHARACTERS
                and value.isprintable()
                and self._fits(self.pattern, value)
            ):
                return value
            raise ValueError(f"{self.name} must match {self.pattern}")
        allowed = KIND_NAMES.get(self.type) or f"one of {', '.join(self.choices)}"
        raise ValueError(f"{self.name} must be {allowed}")

    def _fits(self, pattern: str, value: str) -> bool:
        """Tell whether a value fits, in bounded time: who imports a script wrote the pattern."""
        try:
            return regex.fullmatch(pattern, value, timeout=MAX_PATTERN_SECONDS) is not None
        except TimeoutError as error:
            raise ValueError(
                f"{self.name}: the pattern takes too long, write it simpler"
            ) from error

    def _check_number(self, value: object) -> ParameterValue:
        right_type = isinstance(value, int) or (self.type == "number" and isinstance(value, float))
        if right_type and isinstance(value, int | float):
            low, high = self.minimum, self.maximum
            if low is not None and high is not None and low <= value <= high:
                return value
        raise ValueError(
            f"{self.name} must be {KIND_NAMES[self.type]} in [{self.minimum:g}, {self.maximum:g}]"
        )


class MetricCondition(_Strict):
    """A comparison on one flat metric; `{parameter}` in its name is filled in."""

    metric: str
    operator: Operator
    value: FiniteFloat
    missing: Literal["holds", "fails", "inconclusive"] = "inconclusive"


class ExpectedEffect(_Strict):
    """What telemetry must show after the fix."""

    within_seconds: int = Field(ge=10, le=604_800)
    all: tuple[MetricCondition, ...] = Field(min_length=1)


class Manifest(_Strict):
    """manifest.yaml of a script folder."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{2,80}$")
    version: str = Field(pattern=r"^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}$")
    title: str = Field(min_length=3, max_length=160)
    description: str
    author: str = Field(pattern=r"^[A-Za-z0-9._@-]{1,80}$")
    platforms: tuple[Literal["windows", "macos", "linux"], ...] = Field(min_length=1)
    interpreter: Interpreter
    failure_classes: tuple[FailureClass, ...] = Field(min_length=1)
    parameters: tuple[Parameter, ...] = ()
    preconditions: tuple[MetricCondition, ...] = ()
    privilege: Literal["user", "admin"]
    blast_radius: Literal["process", "service", "application", "device", "network"]
    reversible: bool
    timeout_seconds: int = Field(ge=1, le=3600)
    expected_effect: ExpectedEffect
    business_impact: Literal["none", "short_interruption", "restart"] = "none"
    effects: dict[Step, dict[Word, Word]] = {}  # by step: kind of effect, and its worst severity

    @model_validator(mode="after")
    def _coherent(self) -> "Manifest":
        names = [parameter.name for parameter in self.parameters]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two parameters are named {min(repeated)}")
        for condition in (*self.preconditions, *self.expected_effect.all):
            if not set(PLACEHOLDER.findall(condition.metric)) <= set(names):
                raise ValueError(f"{condition.metric} names no parameter")
        return self


class CatalogueEntry(BaseModel):
    """A manifest with the exact bytes of its steps."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    steps: dict[str, bytes]

    @property
    def content_sha256(self) -> str:
        """SHA-256 of the canonical JSON of the manifest and each step's digest."""
        return digest_of(
            {
                "manifest": self.manifest.model_dump(mode="json"),
                "steps": {step: sha256_hex(content) for step, content in self.steps.items()},
            }
        )


def read_entry(folder: Path) -> CatalogueEntry:
    """Read and validate a script folder; files of other names are left aside.

    Raises:
        ManifestError: a file is missing, too large or the manifest is invalid; says which.
    """
    names = {MANIFEST_FILE, *(f"{step}{suffix}" for step in STEPS for suffix in SUFFIXES.values())}
    try:
        files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    except OSError as error:
        raise ManifestError(f"{folder.name}: {error}") from error
    return build_entry(folder.name, files)


def build_entry(name: str, files: Mapping[str, bytes]) -> CatalogueEntry:
    """Validate the files of a script folder.

    Args:
        name: of the folder, which must be the script's id.
        files: manifest.yaml and the steps, by file name.

    Raises:
        ManifestError: a file is missing, too large or the manifest is invalid; says which.
    """
    manifest = _read_manifest(name, files)
    if manifest.id != name:
        raise ManifestError(
            f"{name}: the manifest's id is {manifest.id!r}: the folder must have the same name"
        )
    _check_metrics(manifest)
    suffix = SUFFIXES[manifest.interpreter]
    steps = {step: files[f"{step}{suffix}"] for step in STEPS if f"{step}{suffix}" in files}
    required = set(STEPS[:3]) | ({"rollback"} if manifest.reversible else set())
    if missing := required - steps.keys():
        raise ManifestError(f"{name}: missing {', '.join(sorted(missing))}{suffix}")
    if large := [step for step, content in steps.items() if len(content) > MAX_STEP_BYTES]:
        raise ManifestError(f"{name}: {large[0]}{suffix} exceeds {MAX_STEP_BYTES} bytes")
    return CatalogueEntry(manifest=manifest, steps=steps)


def _check_metrics(manifest: Manifest) -> None:
    """Check that conditions are on what telemetry has: an effect on anything else is never seen."""
    for where, conditions in (
        ("preconditions", manifest.preconditions),
        ("expected_effect", manifest.expected_effect.all),
    ):
        for condition in conditions:
            if not is_metric(condition.metric):
                raise ManifestError(
                    f"{manifest.id}: {where} names the metric {condition.metric!r}, and no report"
                    f" has it; there are {', '.join(list_metrics())}"
                )


class _PlainLoader(yaml.SafeLoader):
    """Reads YAML without references, which unfold into more than memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse a reference."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("a manifest has no references (*name)")
        return super().compose_node(parent, index)


def _read_manifest(name: str, files: Mapping[str, bytes]) -> Manifest:
    content = files.get(MANIFEST_FILE)
    if content is None:
        raise ManifestError(f"{name}: missing {MANIFEST_FILE}")
    if len(content) > MAX_MANIFEST_BYTES:
        raise ManifestError(f"{name}/{MANIFEST_FILE} exceeds {MAX_MANIFEST_BYTES} bytes")
    try:
        told = yaml.load(content.decode("utf-8"), _PlainLoader)  # noqa: S506 - a safe loader
        return Manifest.model_validate(told)
    except (yaml.YAMLError, ValueError, AttributeError, RecursionError) as error:
        raise ManifestError(f"{name}/{MANIFEST_FILE}: {error}") from error


def version_key(version: str) -> tuple[int, ...]:
    """Return what orders versions such as 1.10.0 (https://semver.org, without pre-releases)."""
    return tuple(int(part) for part in version.split("."))


def bind_parameters(
    manifest: Manifest,
    *,
    given: Mapping[str, object],
    find_bound: Callable[[str], str | int | None],
) -> dict[str, ParameterValue]:
    """Return every parameter's value: given, else bound to a fact, else the default.

    Args:
        manifest: the script's manifest.
        given: values chosen by a person.
        find_bound: answers a binding's name with the device's fact, None if there is none.

    Raises:
        ManifestError: an unknown parameter is given, a value is missing or out of bounds.
    """
    names = {parameter.name for parameter in manifest.parameters}
    if foreign := set(given) - names:
        raise ManifestError(f"{manifest.id} has no parameter {', '.join(sorted(foreign))}")
    values: dict[str, ParameterValue] = {}
    for parameter in manifest.parameters:
        value = given.get(parameter.name)
        if value is None and parameter.bind:
            value = find_bound(parameter.bind)
        if value is None:
            value = parameter.default
        if value is None:
            raise ManifestError(f"{manifest.id}: no value for parameter {parameter.name}")
        try:
            values[parameter.name] = parameter.check(value)
        except ValueError as error:
            raise ManifestError(f"{manifest.id}: {error}") from error
    return values
