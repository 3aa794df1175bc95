"""Logs: one JSON object a line on standard error, without personal data."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if trace_id := getattr(record, "trace_id", None):
            line["trace_id"] = trace_id
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, place = record.exc_info
            # The kind and the place of a fault, never its text: that may hold what a client sent.
            line["fault"] = kind.__name__
            line["at_line"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(place)[-5:]]
        return json.dumps(line, ensure_ascii=False)


def configure(level: str = "INFO") -> None:
    """Send every log line of this process to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "urllib3", "alembic", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
