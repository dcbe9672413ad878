"""IDs of any length within a limit, told apart."""

from __future__ import annotations

from hashlib import blake2b

_HASH_BYTES = 8
_ADDED = 1 + 2 * _HASH_BYTES


def bounded_id(text: str, longest: int) -> str:
    """Return an ID of at most `longest` characters: a longer one is cut, with a hash of the whole behind the cut.

    Two long IDs that share their beginning (tokens, addresses) stay two. Whoever looks for an ID bounds it likewise.
    """
    if len(text) <= longest:
        return text
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=_HASH_BYTES).hexdigest()
    return f"{text[: longest - _ADDED]}~{digest}"
