"""Precedence: for each field its keys, the best first.

A field takes the first key of its list that is present, not empty and valid. A new key takes the place where it
belongs: nothing else changes. A name that a user of an SDK writes beats one that a framework makes up.

A key stands here by its name, a prefix with `*` behind it, a template with `*` for its word. Where several
conventions read one name, or one convention reads it in several ways, it has one place, and the first of them that
finds something valid counts, in the order in which they are declared.
"""

from __future__ import annotations

from collections.abc import Mapping

from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.precedence import kinds, parts, texts, usage
from spanloom.spans.conventions.precedence.identity import SESSION_KEYS, USER_KEYS

PRECEDENCE: Mapping[Field, tuple[str, ...]] = {
    Field.SESSION_ID: tuple(key.name for key in SESSION_KEYS),
    Field.USER_ID: tuple(key.name for key in USER_KEYS),
    **kinds.KINDS,
    **usage.USAGE,
    **parts.PARTS,
    **texts.TEXTS,
}
"""The keys of each field, the best first; keys of INPUT_FLATTENED and OUTPUT_FLATTENED stand in INPUT and OUTPUT."""
