"""Exceptions that are no failures: a framework raises them itself to stop or to go on elsewhere, and catches them.

LangGraph's are the subclasses of `GraphBubbleUp` (langgraph 1.2, PyPI: langgraph/errors.py; langgraph 1.7, npm:
errors.ts): a graph stops to ask a person, is drained, or hands over to the graph around it. Whoever traces it from
outside sees an exception like any other.
"""

from __future__ import annotations

import re

_NAMES = "GraphBubbleUp|GraphInterrupt|NodeInterrupt|GraphDrained|ParentCommand"

_TYPE = re.compile(rf"(?:.*\.)?(?:{_NAMES})")
"""With the module's name or without."""

_PRINTED = re.compile(rf"(?:{_NAMES})[(:]")
"""How its `repr` begins in Python, or its text in JavaScript."""


def is_control_flow(exception_type: str, message: str) -> bool:
    """Whether an exception is one of these.

    LangSmith records any exception as an `Exception` (in JavaScript an `Error`) whose message is the print of it.
    """
    if exception_type not in ("", "Exception", "Error"):
        return _TYPE.fullmatch(exception_type) is not None
    return _PRINTED.match(message) is not None
