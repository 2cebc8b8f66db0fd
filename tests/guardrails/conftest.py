# SPDX-License-Identifier: Apache-2.0
"""The masker that the tests of masking share: it loads slowly and keeps nothing between texts."""

import pytest

from guardrails.masking import Masker


@pytest.fixture(scope="session")
def masker():
    """Return a masker without a directory and without a name model."""
    return Masker()
