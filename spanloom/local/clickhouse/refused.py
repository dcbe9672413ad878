"""Statements that lead out of the database and that the engine's own limits (`access`) let pass.

They are told by their tokens, wherever these stand: the function `file` (reads any file), chDB's `python` (a table out
of this process's memory), `disk(…)` (a table whose files lie anywhere), ATTACH (`ATTACH TABLE t FROM '/home/me/'`
*moves* that folder into the database; engine 25.8 does), and database engines that show other places.
"""

from __future__ import annotations

import re
from itertools import pairwise

from spanloom.local.clickhouse.statement import TOKEN

_SUSPECT = re.compile(rb"(?i)file|python|disk|attach|engine|\\")
"""Where none of these stands, nothing is refused."""

_CALLED = frozenset(("file", "python", "disk"))
_DATABASE_ENGINES = frozenset(("atomic", "memory"))


def refused(statement: bytes) -> str:
    """What of a statement is not done in the local database; empty where all of it may be."""
    if not _SUSPECT.search(statement):
        return ""
    tokens = [(match.lastgroup, match.group()) for match in TOKEN.finditer(statement)]
    words = [_name(text) for kind, text in tokens if kind != "space"]
    if words[:1] == ["attach"]:
        return "ATTACH"
    for word, following in pairwise(words):
        if following == "(" and (word in _CALLED or "\\" in word):
            return f"{word}()"
    if words[:2] == ["create", "database"] and "engine" in words[3:]:
        engine = next((word for word in words[words.index("engine", 3) + 1 :] if word != "="), "")
        if engine not in _DATABASE_ENGINES:
            return f"a database with the engine {engine}"
    return ""


def _name(token: bytes) -> str:
    """A token in lower case, without the quotes of an identifier."""
    text = token.decode("utf-8", "replace").lower()
    return text[1:-1] if text[:1] in ("`", '"') else text
