"""Passwords: argon2id, with the parameters of RFC 9106 for little memory (64 MiB, three passes)."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHash

LONGEST = 1024
"""Characters; a longer one is nobody's."""

SHORTEST = 12
"""Characters of a new one."""

_AT_ONCE = 2  # each check takes 64 MiB and four threads for some 50 ms

_hasher = PasswordHasher()


def hash_of(password: str) -> str:
    """Return the hash to keep, with its parameters and a random salt in it."""
    return _hasher.hash(password)


def is_hash(text: str) -> bool:
    """Whether a text is a hash of argon2id."""
    try:
        return extract_parameters(text).type is Type.ID
    except (InvalidHash, ValueError):
        return False


class Checker:
    """Checks passwords, a few at a time, in threads next to the event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._nobodys = hash_of(secrets.token_urlsafe())

    async def fits(self, password: str, password_hash: str) -> bool:
        """Whether a password is the one of a hash.

        Without a hash the answer is no, after the same time, so it does not reveal which names exist.
        """
        if len(password) > LONGEST:
            return False
        async with self._turn:
            right = await asyncio.to_thread(_verify, password_hash or self._nobodys, password)
        return right and bool(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHash):
        return False
