# SPDX-License-Identifier: Apache-2.0
"""Errors of drift and of what it proposes.

ModelError
+-- DriftEpisodeMissingError        no drift episode of that id
+-- RetrainingProposalMissingError  no retraining proposal of that id
+-- RetrainingDecidedError          the proposal is not open for that any more
+-- RetrainingReasonError           dismissing needs a reason
"""

from models.errors import ModelError


class DriftEpisodeMissingError(ModelError):
    """No such drift episode."""


class RetrainingProposalMissingError(ModelError):
    """No such retraining proposal."""


class RetrainingDecidedError(ModelError):
    """Somebody has decided on this retraining proposal."""


class RetrainingReasonError(ModelError):
    """Say why the model is to stay as it is."""
