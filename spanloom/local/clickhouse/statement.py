"""Where a ClickHouse statement ends and its data begins.

ClickHouse's HTTP interface takes a statement and, for INSERT, its data in one stream of bytes. chDB takes
the statement as text only, so the two have to be separated here. Nothing else of SQL is understood:
everything that is not an INSERT with data goes to the engine unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Literals and comments are matched whole, so that a keyword or a semicolon inside one is never seen.
TOKEN = re.compile(
    rb"""
      (?P<space>\s+ | --[^\n]* | \#[!\s][^\n]* | /\*.*?\*/ )
    | (?P<literal>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*`
        | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<end>;)
    | (?P<other>[0-9][0-9A-Za-z_.]* | .)
    """,
    re.VERBOSE | re.DOTALL,
)
"""One token of SQL; the group that matched is its kind."""


class StatementError(ValueError):
    """The HTTP interface does not take this statement; carries ClickHouse's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Statement:
    """One statement, with an INSERT's inline data taken off.

    `verb` is the first word in upper case. `format` is the FORMAT clause's name, if there is one.
    `data` is None unless the statement is an INSERT that takes data; then it holds what followed the
    FORMAT clause or VALUES (possibly nothing), and `sql` can be completed with `reading_from`.
    """

    sql: str
    verb: str
    format: str | None
    data: bytes | None
    file_clause_at: int | None = None

    def reading_from(self, quoted_path: str, default_format: str) -> str:
        """The INSERT, reading its data from a file (path escaped for a literal) instead of the stream."""
        assert self.file_clause_at is not None
        head, tail = self.sql[: self.file_clause_at], self.sql[self.file_clause_at :]
        return f"{head} FROM INFILE '{quoted_path}' {tail} FORMAT {self.format or default_format}"


@dataclass(frozen=True)
class _Token:
    kind: str
    word: str  # upper case; '' unless the token is a bare word
    start: int
    stop: int


def _top_level(text: bytes) -> Iterator[_Token]:
    """The tokens outside all brackets, without spaces and comments."""
    depth = 0
    for match in TOKEN.finditer(text):
        kind = match.lastgroup if match.lastgroup != "tag" else "literal"
        assert kind is not None
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind != "space" and depth == 0:
            word = match.group().decode("ascii").upper() if kind == "word" else ""
            yield _Token(kind, word, match.start(), match.end())


def parse_statement(text: bytes) -> Statement:
    """Take the first statement of `text` apart.

    Raises `StatementError` for what ClickHouse's HTTP interface refuses too: several statements in one
    request, FROM INFILE and INTO OUTFILE (both would touch files with the server's rights), and text
    that is not UTF-8.
    """
    tokens = _top_level(text)
    first = next(tokens, None)
    if first is not None and first.word == "INSERT":
        return _parse_insert(text, tokens)
    return _parse_plain(text, first, tokens)


def _parse_plain(text: bytes, first: _Token | None, tokens: Iterator[_Token]) -> Statement:
    stop = len(text)
    previous = first.word if first else ""
    format_name: str | None = None
    if first is not None and first.kind == "end":
        raise StatementError(62, "Syntax error: failed at position 1 (;): ;. Expected a query.")
    for token in tokens:
        if stop != len(text):
            if token.kind != "end":
                raise StatementError(
                    62,
                    "Syntax error (Multi-statements are not allowed): "
                    f"failed at position {stop + 1} (end of query): ;",
                )
            continue
        if token.kind == "end":
            stop = token.start
        elif token.word == "OUTFILE" and previous == "INTO":
            raise StatementError(358, "INTO OUTFILE is not allowed")
        elif token.word and previous == "FORMAT":
            format_name = text[token.start : token.stop].decode("ascii")
        previous = token.word
    return Statement(_decode(text[:stop]), first.word if first else "", format_name, None)


def _parse_insert(text: bytes, tokens: Iterator[_Token]) -> Statement:
    # Of the target only this matters: a table may be called `format`, so its name is skipped unread.
    named = False
    settings_at: int | None = None
    previous = "INSERT"
    seen: list[_Token] = []
    for token in tokens:
        seen.append(token)
        if not named:
            named = token.word not in ("INTO", "TABLE", "FUNCTION")
        elif text[token.start - 1 : token.start] == b".":
            pass  # second half of database.table
        elif token.word and previous == "FORMAT":
            format_at = seen[-2].start
            at = format_at if settings_at is None else settings_at
            return Statement(
                _decode(text[:format_at]),
                "INSERT",
                text[token.start : token.stop].decode("ascii"),
                _after_format(text, token.stop),
                _characters(text, at),
            )
        elif token.word == "INFILE" and previous == "FROM":
            raise StatementError(78, "Query has infile and was send directly to server")
        elif token.word in ("SELECT", "WITH", "WATCH"):
            return _parse_plain(text, _Token("word", "INSERT", 0, 0), iter([*seen, *tokens]))
        elif token.word == "SETTINGS":
            settings_at = token.start
        elif token.word == "VALUES":
            at = token.start if settings_at is None else settings_at
            return Statement(
                _decode(text[: token.start]), "INSERT", "Values", text[token.stop :], _characters(text, at)
            )
        elif token.kind == "end":
            if text[token.stop :].strip():
                raise StatementError(62, "Syntax error (Multi-statements are not allowed)")
            return Statement(
                _decode(text[: token.start]),
                "INSERT",
                None,
                b"",
                _characters(text, token.start if settings_at is None else settings_at),
            )
        previous = token.word
    at = len(text) if settings_at is None else settings_at
    return Statement(_decode(text), "INSERT", None, b"", _characters(text, at))


def _after_format(text: bytes, at: int) -> bytes:
    """The data behind a FORMAT clause: blanks and one line end belong to the clause (as in ClickHouse)."""
    while text[at : at + 1] in (b" ", b"\t", b"\f", b"\r"):
        at += 1
    if text[at : at + 1] == b";" and not text[at + 1 :].strip():
        return b""
    return text[at + 1 :] if text[at : at + 1] == b"\n" else text[at:]


def _characters(text: bytes, at: int) -> int:
    """A byte position as a character position."""
    return len(_decode(text[:at]))


def _decode(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StatementError(62, f"Syntax error: the query is not UTF-8 at byte {error.start}") from None
