"""IDs of any length within a limit, told apart."""

from __future__ import annotations

from hashlib import blake2b

LONGEST_ID = 1024
"""Characters of the ID of a session or user. No setting: whoever looks for one bounds it likewise."""

_HASH_BYTES = 8
_ADDED = 1 + 2 * _HASH_BYTES


def bounded_id(text: str) -> str:
    """Return an ID of at most LONGEST_ID characters: a longer one is cut, with a hash of the whole behind the cut.

    Two long IDs that share their beginning (tokens, addresses) stay two.
    """
    if len(text) <= LONGEST_ID:
        return text
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=_HASH_BYTES).hexdigest()
    return f"{text[: LONGEST_ID - _ADDED]}~{digest}"
