# SPDX-License-Identifier: Apache-2.0
"""Errors of this package.

ModelError
+-- StateFormatError        stored detector state is unreadable
+-- UnknownModelError       no model of that name or alias is known
+-- RegistryError           MLflow did not answer
+-- ModelArtifactError      a registered model cannot be loaded safely
+-- TrainingDataError       the training data cannot support the model
+-- PromotionRefusedError   a version is not known to be better than the champion
"""


class ModelError(Exception):
    """A model could not do its work."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class StateFormatError(ModelError):
    """The stored detector state is not readable."""


class UnknownModelError(ModelError):
    """No such model is known."""


class RegistryError(ModelError):
    """MLflow did not answer."""


class ModelArtifactError(ModelError):
    """The registered model cannot be loaded safely."""


class TrainingDataError(ModelError):
    """The training data cannot support the model."""


class PromotionRefusedError(ModelError):
    """The version is not known to be better than the champion."""
