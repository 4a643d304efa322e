"""JSON logs, one line an event, for structlog and the standard library's loggers."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def configure_logging(level: str) -> None:
    """Sends all logs of the process to stderr. Only an entry point calls this."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        where_it_failed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # httpx logs whole URLs, and a URL can hold a speaker's id.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # So does uvicorn for WebSockets.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def where_it_failed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turns `exc_info` into type and call stack. Drops the message: it can repeat what a caller sent."""
    exc_info = event.pop("exc_info", None)
    if not exc_info:
        return event
    kind, _error, trace = exc_info if isinstance(exc_info, tuple) else sys.exc_info()
    if kind is not None:
        event["error"] = kind.__name__
        event["stack"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)
        ]
    return event
