# SPDX-License-Identifier: Apache-2.0
"""What a command calls a policy: a folder, the number of a stored version, or `active`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_ground import fail, with_ground

if TYPE_CHECKING:
    from guardrails.policy_source import PolicySource

Target = Annotated[
    str,
    typer.Argument(
        help="A folder with *.rego files and cases/, the number of a stored version, or `active`.",
        metavar="POLICY",
    ),
]


def is_stored(target: str) -> bool:
    """Tell whether a target is in the database."""
    return target == "active" or target.isdecimal()


def read_target(target: str) -> "PolicySource":
    """Return the text of a policy; leaves with exit code 1 where there is none."""
    from guardrails.errors import PolicyError  # noqa: PLC0415 - heavy
    from guardrails.policy_source import read_folder  # noqa: PLC0415 - heavy

    try:
        if is_stored(target):
            source: PolicySource = with_ground(lambda ground: find_target(ground, target))
            return source
        if not Path(target).is_dir():
            fail(f"{target} is neither a folder, nor the number of a version, nor `active`")
        return read_folder(Path(target))
    except PolicyError as error:
        fail(str(error))


async def find_target(ground: Any, target: str) -> "PolicySource":
    """Return the believed text of a stored policy, or that of a folder.

    Raises:
        PolicyError: there is no such version, none is in force, or it cannot be believed.
    """
    from api.policy_trust import SealedPolicyTrust  # noqa: PLC0415 - heavy
    from guardrails.errors import PolicyNotFoundError  # noqa: PLC0415 - heavy
    from guardrails.policy_source import read_folder  # noqa: PLC0415 - heavy
    from guardrails.policy_store import (  # noqa: PLC0415 - heavy
        find_active,
        find_numbered_version,
        find_version,
    )

    if not is_stored(target):
        return read_folder(Path(target))
    async with ground.pool.connection() as connection:
        if target == "active":
            active = await find_active(connection)
            if active is None:
                raise PolicyNotFoundError("no policy is in force: eucora prepare stores the first")
            version = await find_version(connection, active.policy_digest)
        else:
            version = await find_numbered_version(connection, int(target[:9]))
    return SealedPolicyTrust(ground.sealer).open_version(version)
