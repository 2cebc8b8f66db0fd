# SPDX-License-Identifier: Apache-2.0
"""Identifiers sort by time and do not collide."""

import re

from kernel.ids import RandomIds


def test_shape_order_and_uniqueness(clock):
    ids = RandomIds(clock)
    first = [ids.new("inc") for _ in range(1000)]
    clock.advance(0.001)
    later = ids.new("inc")
    assert len(set(first)) == 1000
    assert all(re.fullmatch(r"inc_[0-9a-hjkmnp-tv-z]{26}", each) for each in first)
    assert later > max(first)
