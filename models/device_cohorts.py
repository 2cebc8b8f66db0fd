# SPDX-License-Identifier: Apache-2.0
"""Which devices are judged together: those of one operating system, model and role.

A model and a role are free text, and a model is what the device says of itself. So each counts only
if enough devices share it (the view `device_cohorts` says how many): a device alone in its kind is
judged among all of its operating system and role, and can neither escape the statistics nor make
the service remember a kind of its own.
"""

import logging
from collections.abc import Sequence

from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "device_cohorts")
_logger = logging.getLogger(__name__)


async def find_cohorts(connection: Connection, device_ids: Sequence[str]) -> dict[str, str]:
    """Return the cohort of each device that is known.

    What was learnt of a cohort that hardly any device is left of is forgotten with it, so that one
    device that comes and goes does not move the others to and fro.

    Args:
        connection: carries the transaction; the caller lets others wait.
        device_ids: of the devices.

    """
    cursor = await connection.execute(QUERIES["find_cohorts"], {"device_ids": list(device_ids)})
    rows = await cursor.fetchall()
    fallen = sorted({cohort for row in rows for cohort in row["fallen"]})
    if fallen:
        await connection.execute(QUERIES["forget_cohorts"], {"cohorts": fallen})
        _logger.info("cohorts that too few devices share are forgotten: %s", ", ".join(fallen))
    return {row["device_id"]: row["cohort"] for row in rows}
