"""The worker's Faust app: Faust brings membership, assignment, recovery and agents."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faust
import pyarrow as pa
from aiokafka.errors import KafkaError
from faust.types import TP, StreamT
from yarl import URL

from spanloom.agents import metrics
from spanloom.agents.consuming.changelog import ChangelogTable
from spanloom.agents.consuming.continuity import Continuity
from spanloom.agents.consuming.gate import Gate
from spanloom.agents.consuming.records import Partition
from spanloom.agents.consuming.source_log import SourceLog
from spanloom.agents.consuming.stalls import Stalls
from spanloom.agents.consuming.transport import Transport
from spanloom.agents.retry import Retry
from spanloom.agents.settings import WorkerSettings
from spanloom.agents.stages.ingest import Ingest
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.stages.stage import Outlets, Stage
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka import topics
from spanloom.kafka.connection import connection
from spanloom.kafka.producer import Producer
from spanloom.kafka.settings import KafkaSettings
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.write import insert

logger = logging.getLogger("spanloom.worker")

KAFKA_WATCH = 5.0
"""Seconds between two questions whether Kafka is there, and within which it must answer."""

STALL_WATCH = 5.0
"""Seconds between two looks whether records lie in the log that do not come."""

EXIT_FAILED = 70
"""The exit code after an unexpected error (EX_SOFTWARE)."""


class WorkerApp(faust.App):
    """A worker with its three stages.

    It never commits through Faust: its topics are declared without acknowledgements, so that Faust's own
    bookkeeping can't step over a record, and the checkpoint commits what it has made safe.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        warehouse: Warehouse,
        *,
        limits: Limits,
        prices: Prices,
    ) -> None:
        super().__init__(
            kafka.group_id,
            broker=[URL(f"kafka://{server.strip()}") for server in kafka.bootstrap_servers.split(",")],
            broker_credentials=_credentials(kafka),
            broker_client_id=f"spanloom-{worker.name or os.uname().nodename}",
            broker_session_timeout=kafka.session_timeout,
            broker_request_timeout=max(90.0, kafka.session_timeout + 10),
            broker_heartbeat_interval=kafka.heartbeat_interval,
            broker_rebalance_timeout=kafka.rebalance_timeout,
            # While ClickHouse is away nothing is polled, and that must not cost the membership.
            broker_max_poll_interval=86_400.0,
            consumer_auto_offset_reset="earliest",
            topic_partitions=kafka.partitions,
            topic_replication_factor=kafka.replication_factor,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            stream_buffer_maxsize=worker.batch_messages,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            store="memory://",
            datadir=Path(tempfile.gettempdir()) / "spanloom-worker",  # nothing is ever written there
            web_enabled=False,
            worker_redirect_stdouts=False,
            autodiscover=False,
        )
        self._worker_settings = worker
        self._rebalance_timeout = kafka.rebalance_timeout
        self._warehouse = warehouse
        self._producer_of_ours = Producer(kafka)
        self.retry = Retry()
        self.kafka_answers = False
        self.gate = Gate()
        self._continuity = Continuity()
        self._log = SourceLog(self, kafka)
        self._stage_of: dict[str, str] = {}  # by topic
        self._stalls = Stalls(self._continuity.positions, self._log.ends)
        self.traces_state = self._changelog(
            "traces",
            topics.TRACES_CHANGELOG,
            lambda: TracePartition(worker.window, worker.retention * 1000, _now()),
            kafka.partitions,
        )
        self.sessions_state = self._changelog(
            "sessions",
            topics.SESSIONS_CHANGELOG,
            # A window gets contributions for as long as it lasts; kept that much longer, a new session's window
            # is known to be new without a look into ClickHouse.
            lambda: SessionPartition((worker.retention + worker.window) * 1000, _now()),
            kafka.partitions,
        )
        rebuild = Rebuild(warehouse, self.retry)
        self._add_stage("ingest", kafka.source_topic, Ingest(kafka.partitions, limits, prices), None)
        self._add_stage(
            "traces",
            topics.SPAN_FACTS,
            Traces(kafka.partitions, self.traces_state.__getitem__, rebuild.traces),
            kafka.partitions,
        )
        self._add_stage(
            "sessions",
            topics.TRACE_FACTS,
            Sessions(self.sessions_state.__getitem__, rebuild.windows),
            kafka.partitions,
        )
        self.on_partitions_revoked.connect(self._revoked)
        self.on_rebalance_complete.connect(self._assigned)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _changelog(self, name: str, topic: str, new_state: Any, partitions: int) -> Any:
        table: Any = ChangelogTable(
            self,
            name=name,
            key_type=bytes,
            value_type=bytes,
            partitions=partitions,
            topic=topic,
            new_state=new_state,
            fail=fail,
        )
        return self.tables.add(table)

    def _add_stage(self, name: str, topic: str, work: Any, partitions: int | None) -> None:
        stage = Stage(
            name,
            work,
            gate=self.gate,
            continuity=self._continuity,
            log=self._log,
            outlets=Outlets(rows=self._insert, records=self._produce, acknowledge=self._acknowledge),
            generation=lambda: self.consumer_generation_id,
            fail=fail,
        )
        self._stage_of[topic] = name
        channel = self.topic(
            topic,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=partitions,
            allow_empty=True,
            acks=False,
        )

        async def agent(stream: StreamT[Any]) -> None:
            await stage.run(stream, self._worker_settings.batch_messages, self._worker_settings.linger)

        self.agent(channel, name=name, concurrency=1)(agent)

    async def on_start(self) -> None:
        """Connect what the stages write to, then let Faust start."""
        await self._producer_of_ours.start()
        await super().on_start()

    async def watch_kafka(self) -> None:
        """Ask Kafka for a sign of life, again and again, for the readiness probe."""
        while True:
            self.kafka_answers = await self._producer_of_ours.answers(KAFKA_WATCH)
            await asyncio.sleep(KAFKA_WATCH if self.kafka_answers else 0.2)

    async def watch_stalls(self) -> None:
        """Go back, again and again, to records that lie in the log and do not come."""
        while True:
            await asyncio.sleep(STALL_WATCH)
            if not self.gate.is_open or self.rebalancing or self.retry.is_waiting:
                continue
            try:
                stalled = await self._stalls.look()
                for partition, offset in stalled.items():
                    metrics.GAPS.labels(self._stage_of[partition[0]]).inc()
                    logger.warning(
                        "%s %s: offset %s does not come; reading again from there", *partition, offset
                    )
                    await self._log.seek(partition, offset)
            except (KafkaError, OSError, TimeoutError) as error:
                logger.info("could not ask for the ends of the log (%s)", type(error).__name__)

    async def on_stop(self) -> None:
        """End the running batches with a last checkpoint, then let Faust stop."""
        await self._close_gate("stopping")
        await super().on_stop()
        await self._producer_of_ours.stop()

    async def _revoked(self, *_: Any, **__: Any) -> None:
        await self._close_gate("giving partitions back")
        self._continuity.stop()
        self.traces_state.drop()
        self.sessions_state.drop()

    async def _assigned(self, *_: Any, **__: Any) -> None:
        # After a recovery the flow still runs, and Faust would deliver records before it has sought to the committed
        # offsets. It resumes the flow itself once it has.
        consumer: Any = self.consumer
        consumer.stop_flow()
        self._continuity.start(await self._log.positions())
        self.gate.open()

    async def _close_gate(self, why: str) -> None:
        # Whoever takes longer than the group waits is not asked any more.
        deadline = min(self._worker_settings.checkpoint_deadline, 0.7 * self._rebalance_timeout)
        if not await self.gate.close(deadline):
            logger.warning(
                "%s: a checkpoint took longer than %s s and was dropped; its records will be read again",
                why,
                deadline,
            )

    async def _insert(self, table: str, rows: pa.Table) -> None:
        await self.retry(lambda: insert(self._warehouse, table, rows))
        metrics.ROWS.labels(table).inc(rows.num_rows)

    async def _produce(self, topic: str, records: Any) -> None:
        await self._producer_of_ours.produce(topic, records)

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        # Where the group has been rebalanced meanwhile this commits nothing, and the records come again.
        committed: Any = self.consumer
        await committed._commit({TP(*partition): offset for partition, offset in offsets.items()})


def _now() -> int:
    return round(time.time() * 1000)


def fail(error: BaseException) -> None:
    """End the process at once, nothing acknowledged: when in doubt, stop.

    Nothing is stopped in order, for every orderly way in Faust may commit or restart something.
    """
    logger.critical("unexpected error, the worker stops: %s", error, exc_info=error)
    logging.shutdown()
    os._exit(EXIT_FAILED)


def _credentials(kafka: KafkaSettings) -> faust.auth.Credentials | None:
    """Return Faust's form of the same connection that `spanloom.kafka.connection.connection` describes."""
    arguments = connection(kafka)
    context = arguments.get("ssl_context")
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None
