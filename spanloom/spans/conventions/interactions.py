"""Gemini's interactions API, of whose spans two things can't be told by a key.

Sources: openinference-instrumentation-google-genai 1.4.14 (PyPI): _wrappers.py, interactions_attributes.py;
opentelemetry-instrumentation-google-genai 1.3b0 (PyPI): interactions.py, `_apply_interaction_response_attributes`.
"""

from __future__ import annotations

_FETCHES = frozenset((b"InteractionsResource.get", b"AsyncInteractionsResource.get"))


def is_fetched(scope: str, name: bytes) -> bool:
    """Whether a span only fetches what was answered before: it states once more what that call used, and in the
    background what nobody else states."""
    return name in _FETCHES and scope == "openinference.instrumentation.google_genai"


def thinks_beside(scope: str, name: bytes) -> bool:
    """Whether a span counts what the model thought beside its output, as Google does."""
    return name.startswith(b"interactions.create") and scope == "opentelemetry.instrumentation.google_genai"
