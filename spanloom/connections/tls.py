"""TLS as servers offer it."""

from __future__ import annotations

import ssl

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2 only what has forward secrecy and authenticates what it encrypts; those of TLS 1.3 all do.

https://www.rfc-editor.org/rfc/rfc9325#section-4.2
"""


def server_tls(certfile: str, keyfile: str) -> ssl.SSLContext | None:
    """Return how a server speaks TLS: 1.2 or newer; None without a certificate.

    Raises:
        OSError: a file can't be read, or is no certificate or key (`ssl.SSLError`).
    """
    if not certfile:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(_CIPHERS)
    context.load_cert_chain(certfile, keyfile)
    return context
