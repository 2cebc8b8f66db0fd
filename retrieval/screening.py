# SPDX-License-Identifier: Apache-2.0
"""What ingestion needs of a malware scanner and a quarantine: one question for each file.

Joined to guardrails in `api/knowledge_ingestion.py`.
"""

from dataclasses import dataclass
from typing import Protocol

from kernel.database import Connection

UNSCREENED = "none"
RELEASED = " (released)"  # ends the engine of what passes since a reviewer let it


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What was found in a file: it may pass, or it is held for a reviewer.

    `engine` is what looked at it, "none" where scanning is off. `detail` tells people what was
    found and what to do; "" for a file that passes.
    """

    passed: bool
    engine: str
    detail: str = ""


class FileScreen(Protocol):
    """Lets files pass or holds them back."""

    @property
    def is_on(self) -> bool:
        """Whether anything looks at files; what was taken while nothing did is taken anew."""
        ...

    async def check_ready(self) -> None:
        """Return when files can be screened.

        Raises:
            ScreenUnavailableError: they cannot; says what to do.
        """
        ...

    async def is_released(self, connection: Connection, sha256: str) -> bool:
        """Whether a reviewer's release of these bytes holds, in the caller's transaction."""
        ...

    async def screen(
        self, content: bytes, *, name: str, source: str, actor: str, correlation_id: str, hold: bool
    ) -> Screening:
        """Judge exactly these bytes; what does not pass is held, unless `hold` is false.

        Opens transactions of its own, so it is called outside of any.

        Raises:
            ScreeningError: there is no verdict, so the file must not be taken; it is a
                ProtectedFileError where a password is why.
        """
        ...
