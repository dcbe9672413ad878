"""What the cookies say, signed: who is logged in, and that a form came from our own page.

The login is a signed statement with a time, nothing is kept on the server. It names a part of the password's hash, so a
new password, like taking the user out of the file, ends all logins there are.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

from spanloom.dashboard.access.users import User

LOGIN = "spanloom-login"
FORM = "spanloom-form"
"""The names of the cookies; over TLS with the prefix `__Host-`, which other hosts of the domain can't set."""


@dataclass(frozen=True)
class Login:
    """Who is logged in, and what only their own forms know."""

    name: str
    nonce: str


class Cookies:
    """Writes and reads them.

    Args:
        secret: what signs; without it a random one.
        seconds: how long a login is good.
    """

    def __init__(self, secret: str, seconds: int) -> None:
        self._secret = (secret or secrets.token_hex(32)).encode()
        self.seconds = seconds
        self._logins = URLSafeTimedSerializer(
            self._secret, salt="spanloom login", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def login(self, user: User) -> str:
        """Return the value of the login cookie of a user."""
        return self._logins.dumps([user.name, _print_of(user), secrets.token_urlsafe(16)])

    def read(self, value: str) -> tuple[Login, str] | None:
        """Return a login that was signed here and is not too old, and the print of its user; else None."""
        try:
            name, known_by, nonce = self._logins.loads(value, max_age=self.seconds)
        except (BadData, ValueError, TypeError):
            return None
        return Login(name, nonce), known_by

    @staticmethod
    def is_of(known_by: str, user: User) -> bool:
        """Whether a login was made with the password that the user has now."""
        return hmac.compare_digest(known_by, _print_of(user))

    def token(self, nonce: str) -> str:
        """Return what a form must send along to be taken as coming from the page that has this nonce."""
        return hmac.new(self._secret, b"spanloom form\0" + nonce.encode(), hashlib.sha256).hexdigest()

    def is_token(self, token: str, nonce: str) -> bool:
        """Whether it does."""
        return bool(nonce) and hmac.compare_digest(token.encode(), self.token(nonce).encode())


def new_nonce() -> str:
    """A nonce for somebody who is not logged in yet."""
    return secrets.token_urlsafe(16)


def cookie_name(name: str, secure: bool) -> str:
    """The name of a cookie over this kind of connection."""
    return f"__Host-{name}" if secure else name


def _print_of(user: User) -> str:
    return hashlib.sha256(f"{user.name}\0{user.password_hash}".encode()).hexdigest()[:16]
