"""The connection to Kafka, as every aiokafka client takes it."""

from __future__ import annotations

import ssl
from typing import Any

from spanloom.kafka.settings import KafkaSettings


class CertificateError(Exception):
    """A certificate or key can't be used; one sentence. No OSError: trying again would not help."""


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments that every aiokafka client takes to connect and authenticate.

    Raises:
        CertificateError: a certificate or key can't be used.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        try:
            context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
            if settings.ssl_certfile:
                context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
        except OSError as error:  # ssl.SSLError is one
            raise CertificateError(
                f"Kafka's certificates can't be used ({error.strerror or error}): correct SPANLOOM_KAFKA__SSL_CAFILE,"
                " SPANLOOM_KAFKA__SSL_CERTFILE and SPANLOOM_KAFKA__SSL_KEYFILE"
            ) from None
        arguments["ssl_context"] = context
    if settings.security_protocol.startswith("SASL"):
        arguments["sasl_mechanism"] = settings.sasl_mechanism
        arguments["sasl_plain_username"] = settings.sasl_username
        arguments["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return arguments
