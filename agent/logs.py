# SPDX-License-Identifier: Apache-2.0
"""JSON log lines of the agent, one per event, with the correlation id of the work at hand.

Fields: timestamp, trace_id, span_id, service, platform_id, action, decision, level,
correlation_id, and what the caller adds. Script output and command lines are never logged.
"""

import hashlib
import json
import logging
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
_span_id: ContextVar[str] = ContextVar("span_id", default="")
_LOGGER = logging.getLogger("eucora.agent")


def new_correlation_id() -> str:
    """Return a fresh correlation id."""
    return f"cor_{secrets.token_hex(13)}"


@contextmanager
def bind_correlation(value: str) -> Iterator[str]:
    """Give every log line and request inside the block this correlation id."""
    correlation_token = correlation_id.set(value)
    span_token = _span_id.set(secrets.token_hex(8))
    try:
        yield value
    finally:
        _span_id.reset(span_token)
        correlation_id.reset(correlation_token)


def trace_id_of(correlation: str) -> str:
    """Return the W3C trace id (32 hex digits) that stands for a correlation id."""
    return hashlib.sha256(correlation.encode()).hexdigest()[:32] if correlation else "0" * 32


class _JsonFormatter(logging.Formatter):
    """Writes one record as one line of JSON."""

    def __init__(self, platform_id: str) -> None:
        super().__init__()
        self._platform_id = platform_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its line feed."""
        correlation = correlation_id.get()
        facts: dict[str, object] = getattr(record, "facts", {})
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "trace_id": trace_id_of(correlation),
            "span_id": _span_id.get() or "0" * 16,
            "correlation_id": correlation,
            "service": "agent",
            "platform_id": self._platform_id,
            "action": record.getMessage(),
            "decision": facts.get("decision", ""),
        }
        line.update(facts)
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging(platform_id: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send the agent's log lines to a stream (standard error by default)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter(platform_id))
    _LOGGER.handlers = [handler]
    _LOGGER.setLevel(level.upper())
    _LOGGER.propagate = False


def log(action: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Write one log line; `facts` become fields of it."""
    _LOGGER.log(level, action, extra={"facts": facts})


def log_failure(action: str, error: BaseException, **facts: object) -> None:
    """Write one warning that names the error's class and text."""
    log(
        action,
        level=logging.WARNING,
        decision="failed",
        error=type(error).__name__,
        detail=str(error)[:500],
        **facts,
    )
