# SPDX-License-Identifier: Apache-2.0
"""Inferences are recorded in the caller's transaction, and every query can be planned."""

import re

import pytest

from models.inference import QUERIES, list_inferences, record_inference
from models.registry import LoadedModel

MODEL = LoadedModel(model=None, name="health", version="3", digest="a" * 64)


async def test_recorded_with_name_version_and_digest(connection, ids, clock):
    inference_id = await record_inference(
        connection,
        ids,
        clock,
        model=MODEL,
        subject_kind="report",
        subject_id="rep-1",
        output={"failure_class": "dns", "ranking": [1, 2]},
        confidence=0.83,
    )
    (row,) = await list_inferences(connection, subject_kind="report", subject_id="rep-1")
    assert row["inference_id"] == inference_id
    assert (row["model_name"], row["model_version"]) == ("health", "3")
    assert row["model_digest"] == "a" * 64
    assert row["output"] == {"failure_class": "dns", "ranking": [1, 2]}
    assert row["confidence"] == 0.83
    assert row["created_at"] == clock.now()


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_every_query_is_planned(connection, name):
    numbered = re.sub(r"%\(\w+\)s", "NULL", QUERIES[name])
    cursor = await connection.execute(f"EXPLAIN {numbered}")
    assert await cursor.fetchall()
