# SPDX-License-Identifier: Apache-2.0
"""`road`: everything up to a sealed proposal, ready to be decided and carried out."""

import pytest

from tests.governance.road import Road


@pytest.fixture
def road(pool, clock, ids, key_store, tmp_path) -> Road:
    return Road(pool, clock, ids, key_store, tmp_path / "objects")
