"""A document from the events of the YAML parser, with the place of every key and item.

Walks them with its own stack and limits, so no input recurses, expands or runs anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import yaml

from checkoutgen.errors import Problem, SpecError, quoted
from checkoutgen.spec import ordinary
from checkoutgen.spec.reader import (
    MAX_DEPTH,
    MAX_KEY,
    MAX_TEXT,
    Document,
    Path,
    Places,
    character,
    dotted,
    forbidden,
    stop,
)

_NODES = frozenset((yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent))
_ENDS = frozenset((yaml.MappingEndEvent, yaml.SequenceEndEvent))


def read(text: str, file: str, max_values: int) -> Document:
    """Reads one document. Raises SpecError where reading cannot go on; lesser problems are in the document."""
    walker = _Walker(file, max_values)
    try:
        walker.walk(iter(yaml.CSafeLoader(text).get_event, None))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise stop(file, line, column, f"not valid YAML: {_syntax(error.problem, text, line)}") from None
    except yaml.YAMLError as error:
        raise stop(file, 1, 1, f"not valid YAML: {quoted(str(error).splitlines()[0])}") from None
    return Document(file, walker.value, walker.problems, lambda: walker.places)


def _syntax(problem: str | None, text: str, line: int) -> str:
    lines = text.split("\n")
    if line <= len(lines) and re.match(r" *\t", lines[line - 1]):
        return "the line is indented with a tab; use spaces"
    return (ascii(problem)[1:-1] if problem else "it cannot be read here") + "; check quotes, colons and indentation"


class _Walker:
    """Builds the document from parser events. One frame a collection: its path, itself, the key waiting for its value.

    The frame being filled is kept in local names: a document has thousands of events, and this loop is most of what
    reading costs.
    """

    def __init__(self, file: str, limit: int) -> None:
        self.file = file
        self.limit = limit
        self.value: Any = None
        self.places: Places = {}
        self.problems: list[Problem] = []

    def walk(self, events: Iterable[Any]) -> None:
        """Takes the events (https://pyyaml.org/wiki/PyYAMLDocumentation#events) of a whole file in their order."""
        places = self.places
        frames: list[tuple[Path, dict[str, Any] | list[Any] | None]] = []
        path: Path = ()
        here: Path = ()
        collection: dict[str, Any] | list[Any] | None = None  # None outside the outermost one
        key: str | None = None
        count = documents = 0
        for event in events:
            kind = type(event)
            if kind in _ENDS:
                path, collection = frames.pop()
                key = None
                continue
            if kind not in _NODES:
                if kind is yaml.DocumentStartEvent:
                    documents += 1
                    self.check_start(event, documents)
                continue
            if type(collection) is dict:
                if key is None:
                    here = (*path, "")  # of a key that cannot be one
            else:
                here = () if collection is None else (*path, len(collection))
            count += 1
            if count > self.limit or kind is yaml.AliasEvent or event.anchor or event.tag:
                raise self.refused(event, here, count)
            if type(collection) is dict:
                if key is None:
                    key = self.key(event, here)
                    here = (*path, key)
                    if key in collection:
                        message = f"{quoted(key)} is given twice, first in line {places[here][0]}; delete one of them"
                        self.problem(event, here, message)
                    else:
                        mark = event.start_mark
                        places[here] = (mark.line + 1, mark.column + 1)
                    continue
            else:
                mark = event.start_mark
                places[here] = (mark.line + 1, mark.column + 1)
            value: Any
            if kind is yaml.ScalarEvent:
                value = self.scalar(event, here)
            elif len(frames) >= MAX_DEPTH:
                raise self.stop(event, here, f"nested deeper than {MAX_DEPTH}")
            else:
                value = {} if kind is yaml.MappingStartEvent else []
            if collection is None:
                self.value = value
            elif type(collection) is dict:
                collection.setdefault(key or "", value)
                key = None
            else:
                collection.append(value)  # type: ignore[union-attr]
            if kind is not yaml.ScalarEvent:
                frames.append((path, collection))
                path, collection = here, value

    def check_start(self, event: yaml.DocumentStartEvent, documents: int) -> None:
        if documents > 1:
            raise self.stop(event, (), "only one document in a file; delete the line ---")
        if event.version or event.tags:
            raise self.stop(event, (), "%YAML and %TAG lines are not allowed; delete them")

    def refused(self, event: yaml.NodeEvent, here: Path, count: int) -> SpecError:
        if count > self.limit:
            return self.stop(event, here, f"more than {self.limit:,} values in one file")
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            message = "anchors and aliases (& and *) are not allowed; write the value out, or use `extends`"
            return self.stop(event, here, message)
        return self.stop(event, here, f"tags such as {quoted(event.tag)} are not allowed; delete it")  # type: ignore[attr-defined]

    def key(self, event: yaml.NodeEvent, here: Path) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self.stop(event, here, "a key must be plain text")
        key: str = event.value
        if not key.isascii():
            key = unicodedata.normalize("NFC", key)
        if len(key) > MAX_KEY:
            raise self.stop(event, here, f"the key is longer than {MAX_KEY} characters")
        if key == "<<":
            raise self.stop(event, here, "merge keys (<<) are not allowed; write the values out, or use `extends`")
        if event.style == '"':
            self.characters(event, here)
        return key

    def scalar(self, event: yaml.ScalarEvent, path: Path) -> str | int | bool | None:
        text: str = event.value
        if len(text) > MAX_TEXT:
            raise self.stop(event, path, f"the text is longer than {MAX_TEXT:,} characters")
        if event.style == '"':  # the only style with escapes; all else was looked at in the whole text
            self.characters(event, path)
        if event.style or not event.implicit[0]:
            return text
        if not text:
            return None
        try:
            return ordinary.plain(text)
        except ordinary.OddError:
            pass
        if text.lower() in ("null", "~"):
            self.problem(event, path, f"{quoted(text)} is not needed: leave the value empty, or delete the key")
            return None
        message = f"{quoted(text)} means different things to different YAML readers; put it in quotes, or write"
        self.problem(event, path, f"{message} true, false or a plain number")
        return text

    def characters(self, event: yaml.ScalarEvent, here: Path) -> None:
        if found := forbidden(event.value):
            raise self.stop(event, here, f"an escape gives {character(found[0])}, which is not allowed; delete it")

    def problem(self, event: yaml.Event, path: Path, message: str) -> None:
        self.problems.append(Problem(self.file, *_start(event), dotted(path), message))

    def stop(self, event: yaml.Event, here: Path, message: str) -> SpecError:
        self.problem(event, here, message)
        return SpecError(self.problems)


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
