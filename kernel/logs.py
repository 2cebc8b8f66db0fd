# SPDX-License-Identifier: Apache-2.0
"""Structured logs: one JSON object a line, for our own loggers and those of the libraries.

Every line carries timestamp, trace_id, span_id, service, platform_id, action and decision. The
trace id is derived from the correlation id, which runs from the request to the endpoint and back.
Of an exception only its class and its frames are written: its text may hold personal data.
"""

import hashlib
import logging
import secrets
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PLATFORM_ID = "eucora"
_MAX_FRAMES = 12
# Libraries that tell at level info how they start, at length and in every process.
_TALKATIVE = (
    "presidio-analyzer", "presidio-anonymizer", "sentence_transformers", "uvicorn.error",
)  # fmt: skip

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
_span_id: ContextVar[str] = ContextVar("span_id", default="")


def trace_id_of(correlation: str) -> str:
    """Return the W3C trace id (32 hex digits) of a correlation id; zeros if there is none."""
    return hashlib.sha256(correlation.encode()).hexdigest()[:32] if correlation else "0" * 32


@contextmanager
def bind_correlation(value: str) -> Iterator[str]:
    """Let every log line of the block carry this correlation id and one new span id."""
    correlation = correlation_id.set(value)
    span = _span_id.set(secrets.token_hex(8))
    try:
        yield value
    finally:
        _span_id.reset(span)
        correlation_id.reset(correlation)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the structured logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure_logging(service: str, level: str, stream: TextIO) -> None:
    """Send all logs of this process to a stream as JSON lines.

    Args:
        service: the name of this process, such as `api` or `worker`.
        level: debug, info, warning or error.
        stream: where the lines go.
    """

    def add_context(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        correlation = correlation_id.get()
        event.setdefault("correlation_id", correlation)
        event["trace_id"] = trace_id_of(correlation)
        event["span_id"] = _span_id.get() or "0" * 16
        event["service"] = service
        event["platform_id"] = PLATFORM_ID
        event.setdefault("action", str(event.get("event", "")))
        event.setdefault("decision", "none")
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_context,
        _describe_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def log_uncaught() -> None:
    """Let Python, too, write of an exception that ends this process or a thread its class alone."""
    logger = get_logger(__name__)

    def tell(error: BaseException | None, where: str) -> None:
        logger.error("uncaught exception", action=where, decision="end", exc_info=error)

    sys.excepthook = lambda kind, error, trace: (
        sys.__excepthook__(kind, error, trace)
        if issubclass(kind, KeyboardInterrupt)
        else tell(error, "process")
    )
    threading.excepthook = lambda ended: tell(ended.exc_value, "thread")
    sys.unraisablehook = lambda lost: tell(lost.exc_value, "cleanup")


def _describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if error is True:
        error = _current_exception()
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["frames"] = [
            f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
        ]
    return event


def _current_exception() -> Any:
    return sys.exc_info()[1]
