# SPDX-License-Identifier: Apache-2.0
"""The models in use in one process: asked for by name at the beginning of each piece of work.

Whoever judges a batch, a ticket or an incident asks once and keeps what it got until the end, so
that what is recorded is what was used. A swap replaces one reference; nobody waits for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from models.errors import UnknownModelError
from models.registry import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A promoted version that this process could not take up; the one before stays in use."""

    version: str
    reason: str
    since: datetime


class Champions(Mapping[str, LoadedModel]):
    """The current model of each name."""

    def __init__(self, loaded: Iterable[LoadedModel]) -> None:
        self._current = {model.name: model for model in loaded}
        self._troubles: dict[str, Trouble] = {}

    def __getitem__(self, name: str) -> LoadedModel:
        return self._current[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current)

    def __len__(self) -> int:
        return len(self._current)

    @property
    def troubles(self) -> Mapping[str, Trouble]:
        """What could not be taken up, by name of the model."""
        return dict(self._troubles)

    def current(self, name: str) -> LoadedModel:
        """Return the model in use.

        Raises:
            UnknownModelError: none of this name was loaded.
        """
        try:
            return self._current[name]
        except KeyError as error:
            raise UnknownModelError(f"no model {name!r} is loaded") from error

    def replace(self, model: LoadedModel) -> None:
        """Use another version from the next piece of work on."""
        self._current = {**self._current, model.name: model}
        self._troubles.pop(model.name, None)

    def keep_despite(self, name: str, trouble: Trouble) -> None:
        """Note that a promoted version could not be taken up; what is in use stays so."""
        self._troubles = {**self._troubles, name: trouble}
