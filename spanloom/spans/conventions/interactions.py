"""Gemini's interactions API, whose spans two instrumentations of google-genai count otherwise than those of its other
API, and of which a call is told once more when it is fetched.

Sources: openinference-instrumentation-google-genai 1.4.14 (PyPI): interactions_attributes.py,
`get_token_object_from_response`, and _wrappers.py; opentelemetry-instrumentation-google-genai 1.3b0 (PyPI):
interactions.py, `_apply_interaction_response_attributes`.
"""

from __future__ import annotations

from typing import NamedTuple

from spanloom.spans.conventions.families import Scope

_OPENINFERENCE = "openinference.instrumentation.google_genai"
_OPENTELEMETRY = "opentelemetry.instrumentation.google_genai"

INSTRUMENTATIONS = frozenset((_OPENINFERENCE, _OPENTELEMETRY))
"""Scopes whose spans may be about an interaction."""

_CALLS = (b"InteractionsResource.create", b"AsyncInteractionsResource.create")
_FETCHES = (b"InteractionsResource.get", b"AsyncInteractionsResource.get")

CACHE_IS_TWICE_UNTIL = "1.4.14"
"""The newest version that was read. A later one may be mended, as the count of the other API was (their #3016)."""


class Interaction(NamedTuple):
    """What is special about a span."""

    is_fetched: bool = False
    """It states once more what the call used that it fetches; in the background, what nobody else states."""
    cache_is_twice: bool = False
    """The cached tokens were added to an input, and so to a total, that had them already."""
    reasoning_is_beside: bool = False
    """Thoughts are counted beside the output."""


NO_INTERACTION = Interaction()


def interaction_of(scope: Scope, name: bytes) -> Interaction:
    """Return what is special about a span of this name that one of `INSTRUMENTATIONS` wrote."""
    if scope.name == _OPENTELEMETRY:
        return Interaction(reasoning_is_beside=name.startswith(b"interactions.create"))
    if name in _CALLS:
        return Interaction(cache_is_twice=_is_known(scope.version))
    if name in _FETCHES:
        return Interaction(is_fetched=True, cache_is_twice=_is_known(scope.version))
    return NO_INTERACTION


def _is_known(version: str) -> bool:
    parts = _numbers(version)
    return len(parts) == 3 and parts <= _numbers(CACHE_IS_TWICE_UNTIL)


def _numbers(version: str) -> list[int]:
    """The parts of a version; nothing of one that is no release."""
    parts = version.split(".")
    is_release = all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts)
    return list(map(int, parts)) if is_release else []
