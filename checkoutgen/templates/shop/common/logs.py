"""Log lines without personal data: plain ones in development, elsewhere one JSON object a line, in UTC."""

import json
import logging
import re
from datetime import UTC, datetime

# What could name a buyer, or let in whoever reads it: mail addresses, the token in a link, query strings.
_PRIVATE = [
    (re.compile(r"(/(?:order|cart/open|return|received|verify|password/[^/]+)/)[^/\s\"']{12,}"), r"\1[token]"),
    (re.compile(r"\?[^\s\"']*"), "?[query]"),
    (re.compile(r"[^\s@/<>\"']+@[^\s@/<>\"']+"), "[mail]"),
]


def redact(text: str) -> str:
    for pattern, replacement in _PRIVATE:
        text = pattern.sub(replacement, text)
    return text


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=True)
