"""Native answers for clients that name a protocol revision (`client_protocol_version`)."""

from __future__ import annotations


def at_revision(data: bytes, revision: int) -> bytes:  # noqa: ARG001
    """chDB writes revision 0; clients that check what they get (clickhouse-connect) fall back to it."""
    return data
