# SPDX-License-Identifier: Apache-2.0
"""The prepared installation that other tests start from is whole."""

from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY


async def test_passwords_are_hashed_as_rfc_9106_recommends(services):
    """By the product in its own process; those of tests in this one cost less."""
    async with services.ground.pool.connection() as connection:
        (row,) = await (await connection.execute("SELECT password_hash FROM accounts")).fetchall()
    assert extract_parameters(row["password_hash"]) == RFC_9106_LOW_MEMORY


async def test_knowledge_models_and_account_are_there(services):
    async with services.ground.pool.connection() as connection:
        assert await services.ground.accounts.count(connection) == 1
        passages = await services.retriever.search(connection, "the disk is full", limit=3)
    assert len(passages) == 3
    assert set(services.models) == {"health", "tickets", "recommender", "ranking"}
