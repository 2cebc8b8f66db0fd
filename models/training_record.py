# SPDX-License-Identifier: Apache-2.0
"""What a training has finished, as tags of its experiment in MLflow's database.

Who can write the folder where stages lie cannot write here: a stage is taken up only if it is the
one that is recorded. Records are found by a key that names the training's data, seed, parameters
and code, so that a stage of another training is never one of this.
"""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

_ID = "eucora.training_id."
_STAGE = "eucora.training_stage."
Asking = Callable[[], AbstractContextManager[Any]]  # yields a client of MLflow


class TrainingRecord:
    """The record of one training, found or begun. Blocking.

    Args:
        asking: opens a client; maps its errors to ours.
        experiment: the id of the model's experiment.
        key: of the training, hexadecimal; records of the model's other trainings are removed.

    Raises:
        RegistryError: MLflow did not answer; from every method.

    """

    def __init__(self, asking: Asking, experiment: str, key: str) -> None:
        self._asking, self._experiment = asking, experiment
        self._id_tag, self._stage_tag = f"{_ID}{key}", f"{_STAGE}{key}/"
        with asking() as client:
            tags = dict(client.get_experiment(experiment).tags)
            for tag in tags:
                if tag.startswith((_ID, _STAGE)) and not self._owns(tag):
                    client.delete_experiment_tag(experiment, tag)
            if self._id_tag not in tags:
                tags[self._id_tag] = uuid.uuid4().hex
                client.set_experiment_tag(experiment, self._id_tag, tags[self._id_tag])
        self.training_id: str = tags[self._id_tag]  # the same before and after a kill
        self._marks = {
            tag.removeprefix(self._stage_tag): mark
            for tag, mark in tags.items()
            if tag.startswith(self._stage_tag)
        }

    def find(self, stage: str) -> str | None:
        """Return what was recorded of a finished stage; None where it was not finished."""
        return self._marks.get(stage)

    def keep(self, stage: str, mark: str) -> None:
        """Record a finished stage."""
        with self._asking() as client:
            client.set_experiment_tag(self._experiment, f"{self._stage_tag}{stage}", mark)
        self._marks[stage] = mark

    def end(self) -> None:
        """Remove the record: the training is registered."""
        with self._asking() as client:
            for tag in client.get_experiment(self._experiment).tags:
                if self._owns(tag):
                    client.delete_experiment_tag(self._experiment, tag)

    def _owns(self, tag: str) -> bool:
        return tag == self._id_tag or tag.startswith(self._stage_tag)
