# SPDX-License-Identifier: Apache-2.0
"""Compares two registered versions by what was kept at their trainings; times both on demand.

Blocking: files are read from MLflow's registry. Which version is in use, and what follows from the
gate's answer, is for others to say.
"""

from dataclasses import replace
from typing import Any

from models.errors import ModelArtifactError
from models.gate import Comparison, compare_versions
from models.judgement import Judgement, Latency, decode_judgements, measure_latency
from models.registered_versions import ModelVersion
from models.registry import ModelRegistry
from models.rival import explain_mismatch
from models.training import EXAMPLE_FILE, JUDGEMENTS_FILE, read_example


class ModelComparison:
    """Asks the gate about two versions of one registry."""

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry

    def compare(
        self,
        before: ModelVersion | None,
        after: ModelVersion,
        *,
        measure: bool,
        has_champion: bool | None = None,
    ) -> Comparison:
        """Compare by what was kept at training; blocking.

        Args:
            before: the version to beat; None where there is none, or none in the registry any more.
            after: the version that would take its place.
            measure: whether to time single answers of both here and now.
            has_champion: whether there is a version to beat, also if it is no longer in the
                registry; by default, whether `before` is given.

        Raises:
            RegistryError: MLflow did not answer.

        """
        judged = self._read(after)
        known = (
            judged if before is None or before.digest in judged else (judged | self._read(before))
        )
        first = None if before is None else known.get(before.digest)
        second = known.get(after.digest)
        unmeasured = ""
        if measure:
            unmeasured, (first, second) = self._time(before, after, first, second)
        is_rival = before is not None if has_champion is None else has_champion
        return compare_versions(first, second, has_champion=is_rival, unmeasured=unmeasured)

    def _read(self, version: ModelVersion) -> dict[str, Judgement]:
        content = self._registry.read_evaluation(version.name, version.version, JUDGEMENTS_FILE)
        return {} if content is None else decode_judgements(content)

    def _time(
        self,
        before: ModelVersion | None,
        after: ModelVersion,
        first: Judgement | None,
        second: Judgement | None,
    ) -> tuple[str, tuple[Judgement | None, Judgement | None]]:
        """Time single answers of both here; return why not, where one of them cannot be timed.

        Then both keep what their trainings measured: only what one machine measured is comparable.
        """
        content = self._registry.read_evaluation(after.name, after.version, EXAMPLE_FILE)
        inputs = read_example(content)
        if inputs is None or not len(inputs):
            return f"version {after.version} has no example of what it takes", (first, second)
        timed: list[Judgement | None] = []
        for version, judgement in ((before, first), (after, second)):
            if version is None or judgement is None:
                timed.append(judgement)
                continue
            found = self._measure(version, inputs)
            if isinstance(found, str):
                return f"version {version.version}: {found}", (first, second)
            timed.append(replace(judgement, latency=found))
        return "", (timed[0], timed[1])

    def _measure(self, version: ModelVersion, inputs: Any) -> Latency | str:
        """Return how long single answers take here, or why that cannot be measured."""
        try:
            loaded = self._registry.load_version(
                version.name, version.version, digest=version.digest
            )
        except ModelArtifactError as error:
            return str(error)
        if mismatch := explain_mismatch(loaded.model, inputs):
            return mismatch
        return measure_latency(loaded.model.predict_proba, inputs)
