# SPDX-License-Identifier: Apache-2.0
"""The prepared installation that other tests start from is whole."""


async def test_knowledge_models_and_account_are_there(services):
    async with services.ground.pool.connection() as connection:
        assert await services.ground.accounts.count(connection) == 1
        passages = await services.retriever.search(connection, "the disk is full", limit=3)
    assert len(passages) == 3
    assert set(services.models) == {"health", "tickets", "recommender", "ranking"}
