"""Who is logged in, as a signed cookie.

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


@dataclass(frozen=True)
class Login:
    """Somebody who has logged in, perhaps with a password that holds no more."""

    name: str
    password_print: str

    def is_of(self, user: User) -> bool:
        """Whether it was made with the password that the user has now."""
        return hmac.compare_digest(self.password_print, _print_of(user))


class Cookies:
    """Writes and reads them.

    Args:
        secret: what signs; without it a random one.
        seconds: how long a login is good.
    """

    def __init__(self, secret: str, seconds: int) -> None:
        self.seconds = seconds
        self._logins = URLSafeTimedSerializer(
            (secret or secrets.token_hex(32)).encode(),
            salt="spanloom login",
            signer_kwargs={"digest_method": hashlib.sha256},
        )

    def login(self, user: User) -> str:
        """Return the value of the login cookie of a user."""
        return self._logins.dumps([user.name, _print_of(user)])

    def read(self, value: str) -> Login | None:
        """Return a login that was signed here and is not too old; else None."""
        try:
            name, password_print = self._logins.loads(value, max_age=self.seconds)
        except (BadData, ValueError, TypeError):
            return None
        return Login(name, password_print)


def cookie_name(secure: bool) -> str:
    """The name of the login cookie; over TLS with the prefix `__Host-`, which other hosts of the domain can't set."""
    return "__Host-spanloom-login" if secure else "spanloom-login"


def _print_of(user: User) -> str:
    return hashlib.sha256(f"{user.name}\0{user.password_hash}".encode()).hexdigest()[:16]
