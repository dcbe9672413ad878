"""Apache Kafka as in production: three brokers, every topic on all of them, a write is safe on two."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from spanloom.local.ports import free_port
from tests.fixtures_kafka import KafkaServer, Member, random_id

NODES = (1, 2, 3)

_REPLICATED = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # A broker that is gone is missed within seconds; in production this would be half a minute.
    "replica.lag.time.max.ms": "5000",
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
}
_DEADLINE = 60.0


class Cluster:
    """Three brokers that are controllers, too; each can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        cluster_id = random_id()
        controllers = {node: free_port() for node in NODES}
        folders = {node: random_id() for node in NODES}
        self.brokers = [
            KafkaServer(
                folder / f"kafka-{node}",
                _REPLICATED,
                Member(node, cluster_id, controllers[node], controllers, folders),
            )
            for node in NODES
        ]

    @property
    def bootstrap(self) -> str:
        """The addresses of all brokers, for a client."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self) -> None:
        """Start those that do not run, at once: one alone has no quorum."""
        with ThreadPoolExecutor(len(self.brokers)) as threads:
            list(threads.map(KafkaServer.start, self.brokers))

    def kill(self) -> None:
        """End all of them."""
        for broker in self.brokers:
            broker.kill()

    @contextlib.contextmanager
    def frozen(self, broker: KafkaServer) -> Iterator[None]:
        """A broker that answers nothing, though its connections stay."""
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(broker.pid, signal.SIGCONT)

    def empty(self) -> None:
        """Delete all topics, and with them what groups have committed."""
        asyncio.run(self._empty())

    async def _empty(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        end = time.monotonic() + _DEADLINE
        try:
            while True:
                try:
                    topics = [name for name in await admin.list_topics() if not name.startswith("__")]
                    if not topics:
                        return
                    await admin.delete_topics(topics)
                except KafkaError:
                    if time.monotonic() > end:
                        raise
                await asyncio.sleep(0.2)
        finally:
            await admin.close()
