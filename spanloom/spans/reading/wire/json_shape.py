"""The frame of OTLP JSON: resources, scopes, spans; and whether a document has that frame.

Unknown members are ignored, as the specification asks (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding),
where they stand beside those that are known. Where they stand in their place, or the place holds something else, what
the sender meant is not OTLP, and nothing of it would be stored: that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """A list in the frame, and what holds it."""

    names: tuple[str, ...]
    """Of the list; the first that is no empty list counts."""
    beside: frozenset[str]
    """What else may stand beside the list."""
    holder: str
    """What holds the list, in words."""

    @property
    def missing(self) -> str:
        """What is wrong where something else stands in the place of the list: the end of a sentence."""
        return f"{self.holder} has no list `{self.names[0]}`."

    @property
    def no_object(self) -> str:
        """What is wrong where something in the list is no object: the end of a sentence."""
        return f"an entry of its `{self.names[0]}` is no object."

    def entries(self, members: Members) -> list[Any]:
        """Whatever stands in the list."""
        lists = [entries for name in self.names if isinstance(entries := members.get(name), list)]
        return next(filter(None, lists), [])

    def is_missing(self, members: Members) -> bool:
        """Whether there is no list, but something else in its place."""
        if any(isinstance(members.get(name), list) for name in self.names):
            return False
        # A list that is null is as good as absent, by protobuf's rules for JSON.
        others = {name for name in members if name not in self.names or members[name] is not None}
        return not others <= self.beside


DOCUMENT = Level(("resourceSpans", "resource_spans"), frozenset(), "it")

RESOURCE = Level(
    # Those of OTLP before 0.15 count where the new ones are absent.
    ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans"),
    frozenset(("resource", "schemaUrl", "schema_url")),
    "an entry of its `resourceSpans`",
)

SCOPE = Level(
    ("spans",),
    frozenset(("scope", "instrumentationLibrary", "instrumentation_library", "schemaUrl", "schema_url")),
    "an entry of its `scopeSpans`",
)


class Shape(NamedTuple):
    """What is known of a document without reading its spans."""

    spans: int
    without_spans: int
    """Resources and scopes that hold nothing; each takes time all the same."""
    problem: str
    """A sentence where a part of it is not OTLP; empty where all is."""


def shape(document: object) -> Shape:
    """Return the shape of a document; raises ValueError with a sentence where it is no request at all."""
    if not isinstance(document, dict):
        raise ValueError("The message is JSON, but no ExportTraceServiceRequest.")
    if not any(isinstance(document.get(name), list) for name in DOCUMENT.names):
        raise ValueError(f"The message is JSON, but {DOCUMENT.missing}")
    spans = without = 0
    problems: list[str] = []
    for resource_spans in _looked_at(DOCUMENT, document, problems):
        before = spans
        for scope_spans in _looked_at(RESOURCE, resource_spans, problems):
            found = sum(1 for _ in _looked_at(SCOPE, scope_spans, problems))
            without += not found
            spans += found
        without += spans == before
    return Shape(spans, without, f"The message is JSON, but {problems[0]}" if problems else "")


def _looked_at(level: Level, members: Members, problems: list[str]) -> Iterator[Members]:
    """The objects in a list; the first problem of all is kept."""
    if not problems and level.is_missing(members):
        problems.append(level.missing)
    for entry in level.entries(members):
        if isinstance(entry, dict):
            yield entry
        elif not problems:
            problems.append(level.no_object)


def resources(document: Members) -> Iterator[Members]:
    """The objects in the list of resources."""
    return _objects(DOCUMENT, document)


def scopes(resource_spans: Members) -> Iterator[Members]:
    """The objects in a resource's list of scopes."""
    return _objects(RESOURCE, resource_spans)


def spans(scope_spans: Members) -> Iterator[Members]:
    """The objects in a scope's list of spans."""
    return _objects(SCOPE, scope_spans)


def _objects(level: Level, members: Members) -> Iterator[Members]:
    return (entry for entry in level.entries(members) if isinstance(entry, dict))
