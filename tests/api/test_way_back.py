# SPDX-License-Identifier: Apache-2.0
"""A page that says no leads back to where the person was, and never to another refusal."""

import pytest

from api.problems import find_way_back


@pytest.mark.parametrize(
    ("method", "path", "status", "address"),
    [
        ("POST", "/proposals/prp_1/reject", 409, "/proposals/prp_1"),
        ("POST", "/proposals/prp_1/approve", 403, "/proposals/prp_1"),
        ("GET", "/proposals/prp_1", 404, "/queue"),
        ("POST", "/incidents/inc_1/class", 409, "/incidents/inc_1"),
        ("GET", "/incidents/inc_1", 404, "/incidents"),
        ("POST", "/scripts", 400, "/scripts"),
        ("GET", "/scripts/none", 404, "/scripts"),
        ("GET", "/models", 503, "/queue"),
        ("GET", "/models/health", 403, "/queue"),
        ("POST", "/tickets", 400, "/tickets/new"),
        ("GET", "/nowhere", 404, "/queue"),
    ],
)
def test_the_way_back(method, path, status, address):
    assert find_way_back(method, path, status)[0] == address
