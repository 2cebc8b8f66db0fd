# SPDX-License-Identifier: Apache-2.0
"""What a reader of one language finds in a script: effects, doubts, and code inside the code.

Also the one deadline of a script's analysis, which all of its readers share.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from guardrails.effects import Doubt, Effect, EffectKind, EffectSeverity
from guardrails.sanitise import plain_text

_DETAIL_CHARACTERS: Final = 120
# Another language behind a command: the interpreter that analyse_script knows.
INTERPRETERS: Final[dict[str, str]] = {
    "powershell": "powershell",
    "pwsh": "powershell",
    "cmd": "cmd",
    "sh": "bash",
    "bash": "bash",
    "dash": "bash",
    "ksh": "bash",
    "zsh": "zsh",
    "python": "python",
    "python3": "python",
    "py": "python",
    "osascript": "osascript",
}
SCRIPT_FILE: Final = re.compile(
    r"\.(?:ps1|psm1|bat|cmd|vbs|vbe|jse?|wsf|hta|sh|py|pl|rb|sct|jar)[\"']?$", re.IGNORECASE
)


# Of one script with all the code inside it, in seconds of this thread's processor time. An ordinary
# script takes a hundredth; counts bound the work before, so that only hostile ones come this far.
MAX_SECONDS: Final = 2.0


class DeadlineError(Exception):
    """The analysis of one script takes longer than its deadline."""


class Deadline:
    """One deadline for all that reads one script; whoever loops over it calls `check`.

    A thread uses no more of the processor than the time that goes by, and to ask for that costs a
    tenth: its processor time is asked for only when it could be up.

    Args:
        seconds: of processor time.
        clock: seconds of processor time that this thread has used.
        wall_clock: seconds that went by.

    """

    def __init__(
        self,
        seconds: float = MAX_SECONDS,
        clock: Callable[[], float] = time.thread_time,
        wall_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._wall_clock = clock, wall_clock
        self._ends_at = clock() + seconds
        self._may_end_at = wall_clock() + seconds

    @property
    def is_over(self) -> bool:
        """Say whether the time is up."""
        now = self._wall_clock()
        if now < self._may_end_at:
            return False
        left = self._ends_at - self._clock()
        self._may_end_at = now + left
        return left < 0

    def check(self) -> None:
        """Go on, or stop.

        Raises:
            DeadlineError: the time is up.

        """
        if self.is_over:
            raise DeadlineError


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedCode:
    """Code inside a script.

    Attributes:
        interpreter: as analyse_script names it.
        code: its text.
        line: 1-based, of the outer script.
        functions: of the outer script, that it may call: code of the same shell's.

    """

    interpreter: str
    code: str
    line: int
    functions: frozenset[str] = frozenset()


@dataclass(slots=True)
class Reading:
    """Collects what one pass over a script finds.

    Attributes:
        effects: of ordinary commands; signs of attacks are found by lines, elsewhere.
        doubts: what keeps the script from being judged.
        nested: code that is analysed in its turn.

    """

    effects: list[Effect] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    nested: list[NestedCode] = field(default_factory=list)

    def add(
        self, kind: EffectKind, severity: EffectSeverity, line: int, shown: str, technique: str = ""
    ) -> None:
        """Record one effect of ordinary administration."""
        self.effects.append(
            Effect(
                kind=kind,
                line=line,
                detail=plain_text(shown).strip().partition("\n")[0][:_DETAIL_CHARACTERS],
                severity=severity,
                technique=technique or None,
                suspicion=0.3 * severity.rank,
            )
        )

    def doubt(self, line: int, reason: str) -> None:
        """Record why this line cannot be judged."""
        self.doubts.append(Doubt(line=line, reason=reason))

    def run_dynamic(
        self, line: int, shown: str, reason: str, severity: EffectSeverity = EffectSeverity.HIGH
    ) -> None:
        """Record that code runs which cannot be read from the text."""
        self.add(EffectKind.RUNS_DYNAMIC_CODE, severity, line, shown)
        self.doubt(line, reason)
