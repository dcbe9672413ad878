"""IDs of requests to forget, signed: so one on which nobody works yet is told from one that nobody made.

Nothing is kept on the server. A ticket holds for one project, and proves no right: that is asked for each time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

_RANDOM, _SIGNED = 16, 8  # bytes

TICKET = f"^[0-9a-f]{{{2 * (_RANDOM + _SIGNED)}}}$"
"""How one looks, as a regular expression."""


class Tickets:
    """Makes and checks them.

    Args:
        secret: what signs.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(f"spanloom tickets\0{secret}".encode()).digest()

    def new(self, project: str) -> str:
        """Return a new one for a project."""
        random = secrets.token_hex(_RANDOM)
        return random + self._signature(random, project)

    def is_of(self, ticket: str, project: str) -> bool:
        """Whether it was made here, for this project."""
        random, signature = ticket[: 2 * _RANDOM], ticket[2 * _RANDOM :]
        return hmac.compare_digest(signature.encode(), self._signature(random, project).encode())

    def _signature(self, random: str, project: str) -> str:
        return hmac.new(self._key, f"{random}{project}".encode(), hashlib.sha256).hexdigest()[: 2 * _SIGNED]
