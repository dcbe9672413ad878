"""API keys: which project a key belongs to. Only their hashes are kept.

A key is 256 random bits, so a plain SHA-256 can't be guessed back and no slow hash is needed, which every request would
pay for. Hashes are compared in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_PREFIX = "sl_"
_LONGEST_KEY = 1024  # characters; a longer one is unknown

_HASH = re.compile(r"[0-9a-f]{64}")


class KeysError(ValueError):
    """The keys can't be read; the message says what to change and never shows a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """One API key: whose it is, and its SHA-256."""

    project: str
    digest: bytes


class Keys:
    """The keys of an installation; `shared` where they are of more than one project."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)
        self.shared = len({key.project for key in self._keys}) > 1

    def __len__(self) -> int:
        return len(self._keys)

    def project_of(self, key: str) -> str | None:
        """Return the project a key belongs to, None for an unknown one.

        All hashes are compared, whichever fits: how long it takes gives nothing away.
        """
        if not key or len(key) > _LONGEST_KEY:
            return None
        digest = hash_of(key)
        found = None
        for known in self._keys:
            if hmac.compare_digest(known.digest, digest):
                found = known.project
        return found


def hash_of(key: str) -> bytes:
    """Return the SHA-256 of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def new_key() -> str:
    """Return a new random key."""
    return _PREFIX + secrets.token_urlsafe(32)


def entry(project: str, key: str) -> str:
    """Return the lines of a keys file for a key."""
    quoted = project.replace("\\", "\\\\").replace('"', '\\"')
    return f'[[key]]\nproject = "{quoted}"\nsha256 = "{hash_of(key).hex()}"\n'


def from_toml(text: str) -> list[Key]:
    """Return the keys of a keys file: a table `[[key]]` with `project` and `sha256` for each.

    Raises:
        KeysError: it is none.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Also what TOML's grammar lets through and Python does not: thousands of digits, or of brackets.
        raise KeysError(f"it is not TOML ({error})") from None
    entries = document.pop("key", [])
    if document or not isinstance(entries, list):
        raise KeysError("it may hold tables [[key]] only, each with project and sha256")
    return [_key(number, given) for number, given in enumerate(entries, 1)]


def from_setting(text: str) -> list[Key]:
    """Return the keys of the form `project:sha256,project:sha256`.

    Raises:
        KeysError: it is not of that form.
    """
    found = []
    for number, part in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        project, _, digest = part.rpartition(":")
        found.append(_key(number, {"project": project, "sha256": digest}))
    return found


def _key(number: int, given: Any) -> Key:
    if not isinstance(given, dict) or set(given) != {"project", "sha256"}:
        raise KeysError(f"key {number} must have project and sha256, and nothing else")
    project, digest = given["project"], given["sha256"]
    if not isinstance(project, str) or not 0 < len(project) <= 200 or not project.isprintable():
        raise KeysError(f"key {number} needs a project of 1 to 200 printable characters")
    if not isinstance(digest, str) or not _HASH.fullmatch(digest.lower()):
        raise KeysError(f"key {number} needs a sha256 of 64 hexadecimal digits")
    if bytes.fromhex(digest) == hash_of("change-me"):
        raise KeysError(
            f"key {number} is the `change-me` of an example, which everybody knows: `spanloom keys new` makes a good"
            " one"
        )
    return Key(project, bytes.fromhex(digest))


def given_key(headers: Mapping[str, str]) -> str:
    """Return the key that a request names, '' for none.

    `Authorization: Bearer KEY`; `Authorization: Basic`, where the password is the key (Langfuse's SDKs: the secret
    key); or `x-api-key: KEY`.

    Args:
        headers: HTTP headers or gRPC metadata, names in lower case (or a mapping that doesn't care).
    """
    kind, _, value = headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    if kind.lower() == "bearer" and value:
        return value
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # not base64, or not UTF-8
            return ""
    return headers.get("x-api-key", "").strip()
