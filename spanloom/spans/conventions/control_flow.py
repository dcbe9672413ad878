"""Exceptions that are no failures: a framework raises them itself to stop or to go on elsewhere, and catches them.

LangGraph's are the subclasses of `GraphBubbleUp` (langgraph 1.2, PyPI: langgraph/errors.py; langgraph 1.7, npm:
errors.ts): a graph stops to ask a person, is drained, or hands over to the graph around it. Whoever traces it from
outside sees an exception like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

_NAMES = frozenset(("GraphBubbleUp", "GraphInterrupt", "NodeInterrupt", "GraphDrained", "ParentCommand"))
_PRINTED = tuple(f"{name}{sign}" for name in sorted(_NAMES) for sign in "(:")
"""How the `repr` of one begins in Python, or its text in JavaScript."""


def is_control_flow(raised: Collection[Mapping[str, str]], message: str) -> bool:
    """Whether nothing else ended a span with an error.

    Args:
        raised: the attributes of its events named `exception`.
        message: that of its status, which alone tells where nothing was recorded as raised.
    """
    if not raised:
        return message.startswith(_PRINTED)
    return all(_is_one(each.get("exception.type", ""), each.get("exception.message", "")) for each in raised)


def _is_one(exception_type: str, message: str) -> bool:
    # LangSmith records any exception as an `Exception`, in JavaScript an `Error`, whose message is the print of it.
    if exception_type in ("", "Exception", "Error"):
        return message.startswith(_PRINTED)
    # With the module's name or without.
    return exception_type.rpartition(".")[2] in _NAMES
