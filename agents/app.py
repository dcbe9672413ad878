"""The worker's Faust app: Faust brings membership, assignment and agents."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain
from faust.types import StreamT
from mode import ServiceT
from yarl import URL

from spanloom.agents.consuming.assignment import Assignment
from spanloom.agents.consuming.batches import Batches
from spanloom.agents.consuming.buffer import Buffer
from spanloom.agents.consuming.changelog import Changelog
from spanloom.agents.consuming.consumer import Transport
from spanloom.agents.consuming.log import Log
from spanloom.agents.consuming.membership.static_member import NameTaken
from spanloom.agents.consuming.offsets import OffsetTracking
from spanloom.agents.consuming.records import Partition, wall_clock
from spanloom.agents.consuming.topic_watch import TopicWatch
from spanloom.agents.inserts import Inserts
from spanloom.agents.retry import clickhouse_retry, kafka_retry
from spanloom.agents.settings import WorkerSettings
from spanloom.agents.stages.ingest import Ingest
from spanloom.agents.stages.keyed import KeyedStage
from spanloom.agents.stages.sessions import Sessions
from spanloom.agents.stages.stage import Outlets, Stage
from spanloom.agents.stages.traces import Traces
from spanloom.agents.state.rebuild import Rebuild
from spanloom.agents.state.sessions import SessionPartition
from spanloom.agents.state.trace.last_forgotten import is_chunk
from spanloom.agents.state.traces import TracePartition
from spanloom.kafka import topics
from spanloom.kafka.connection import connection
from spanloom.kafka.producer import Producer
from spanloom.kafka.settings import KafkaSettings
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.warehouse.client import Warehouse

logger = logging.getLogger("spanloom.worker")

METADATA_AGE = 10.0
"""Seconds after which the consumer looks for new partitions; until then those of a new topic are unread."""

_BUFFERED = 2
"""As many batches as this are read ahead, so that the next one is whole when one has ended."""

_LATER_STAGES_LINGER_LESS = 8
"""What the first stage has waited for comes to the later ones together."""

EXIT_FAILED = 70
"""The exit code after an unexpected error (EX_SOFTWARE)."""

EXIT_NAME_TAKEN = 1
"""The exit code where another worker has this one's name: somebody can mend that."""


class _NoTables(TableManager):
    """Faust's tables, of which there are none: it would wait a second for agents that make some."""

    async def on_start(self) -> None:
        """Start what hands out assignments."""
        await self._update_channels()
        await self.recovery.start()


class _WithoutProducer(BootStrategy):
    """What Faust starts: not its producer, which nothing here uses, and which would crash while Kafka is away."""

    def kafka_producer(self) -> Iterable[ServiceT]:
        """Return nothing to start."""
        return []


class WorkerApp(faust.App):
    """A worker with its three stages.

    It never commits through Faust: its topics are declared without acknowledgements, so that Faust's own
    bookkeeping can't step over a record, and the checkpoint commits what it has made safe.
    """

    BootStrategy = _WithoutProducer

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        warehouse: Warehouse,
        *,
        limits: Limits,
        prices: Prices,
        vocabulary: Vocabulary,
    ) -> None:
        super().__init__(
            kafka.group_id,
            broker=[URL(f"kafka://{server.strip()}") for server in kafka.bootstrap_servers.split(",")],
            broker_credentials=_credentials(kafka),
            broker_client_id=f"spanloom-{worker.name or os.uname().nodename}",
            broker_session_timeout=kafka.session_timeout,
            broker_request_timeout=max(90.0, kafka.session_timeout + 10),
            broker_heartbeat_interval=kafka.heartbeat_interval,
            consumer_group_instance_id=worker.group_instance_id or None,
            broker_rebalance_timeout=kafka.rebalance_timeout,
            # While ClickHouse is away nothing is polled, and that must not cost the membership.
            broker_max_poll_interval=86_400.0,
            consumer_auto_offset_reset="earliest",
            consumer_metadata_max_age_ms=round(METADATA_AGE * 1000),
            topic_partitions=kafka.partitions,
            topic_replication_factor=kafka.replication_factor,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,  # there are no tables at all
            TableManager=_NoTables,
            stream_buffer_maxsize=_BUFFERED * worker.batch_bytes,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            store="memory://",
            datadir=Path(tempfile.gettempdir()) / "spanloom-worker",  # nothing is ever written there
            web_enabled=False,
            worker_redirect_stdouts=False,
            autodiscover=False,
        )
        self._worker_settings = worker
        self.group_id = kafka.group_id
        self.fail = fail
        self.retry = clickhouse_retry()
        self.kafka_retry = kafka_retry()
        self.producer_of_ours = Producer(kafka, self.kafka_retry)
        self.kafka_answers = False
        self._inserts = Inserts(warehouse, self.retry)
        self._generation = -1  # of the group, when partitions were last taken over
        log = Log(kafka, lambda: self.consumer)
        stages = {
            kafka.source_topic: "ingest",
            topics.SPAN_FACTS: "traces",
            topics.TRACE_FACTS: "sessions",
        }
        self.topic_watch = TopicWatch(topics.topics(kafka), stages.keys())
        self.offsets = OffsetTracking(log, stages, self.kafka_retry, fail)
        self.batches = Batches()
        self.traces_state = Changelog(
            topics.TRACES_CHANGELOG,
            lambda: TracePartition(worker.window, worker.retention * 1000, wall_clock(), vocabulary.identity),
            stays_true=is_chunk,
        )
        # A window gets contributions for as long as it lasts; kept that much longer, a new session's window
        # is known to be new without a look-up in ClickHouse.
        self.sessions_state = Changelog(
            topics.SESSIONS_CHANGELOG,
            lambda: SessionPartition((worker.retention + worker.window) * 1000, wall_clock()),
        )
        self.assignment = Assignment(
            log,
            list(stages),
            {topics.SPAN_FACTS: self.traces_state, topics.TRACE_FACTS: self.sessions_state},
            self.offsets,
            self.batches,
            produce=self._produce,
            retry=self.kafka_retry,
            # Below the rebalance timeout, after which the group goes on without this worker.
            deadline=min(worker.checkpoint_deadline, 0.7 * kafka.rebalance_timeout),
        )
        rebuild = Rebuild(warehouse, self.retry)
        self._add_stage(
            "ingest", kafka.source_topic, Ingest(kafka.partitions, limits, prices, vocabulary), None
        )
        self._add_stage(
            "traces",
            topics.SPAN_FACTS,
            Traces(
                kafka.partitions,
                self.traces_state.states,
                rebuild.traces,
                rebuild.traces_to_forget,
                rebuild,
            ),
            kafka.partitions,
        )
        self._add_stage(
            "sessions",
            topics.TRACE_FACTS,
            Sessions(self.sessions_state.states, rebuild.windows, rebuild),
            kafka.partitions,
        )
        self.on_partitions_revoked.connect(self._revoked)
        self.on_rebalance_complete.connect(self._assigned)

    def FlowControlQueue(self, maxsize: int | None = None, *, clear_on_resume: bool = False) -> Buffer:
        """Return the queue in front of an agent."""
        return Buffer(maxsize=maxsize, flow_control=self.flow_control, clear_on_resume=clear_on_resume)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _add_stage(self, name: str, topic: str, work: Any, partitions: int | None) -> None:
        if isinstance(work, KeyedStage):
            self._inserts.stages.append(work)
        stage = Stage(
            name,
            work,
            batches=self.batches,
            take=self.offsets.take,
            outlets=Outlets(rows=self._inserts, records=self._produce, acknowledge=self._acknowledge),
            still_ours=lambda: self.consumer_generation_id == self._generation,
            fail=fail,
            settle=work.settle if isinstance(work, KeyedStage) else None,
        )
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

        worker = self._worker_settings
        linger = worker.linger if name == "ingest" else worker.linger / _LATER_STAGES_LINGER_LESS

        async def agent(stream: StreamT[Any]) -> None:
            await stage.run(stream.channel, worker.batch_bytes, linger)

        self.agent(channel, name=name, concurrency=1)(agent)

    async def on_start(self) -> None:
        """Connect the producer, then let Faust start; both wait for Kafka."""
        await self.kafka_retry(self.producer_of_ours.start)
        await super().on_start()

    async def on_stop(self) -> None:
        """End the running batches with a last checkpoint, then let Faust stop."""
        await self.assignment.give_back("stopping")
        await super().on_stop()
        await self.producer_of_ours.stop()

    async def _revoked(self, *_: Any, **__: Any) -> None:
        await self.assignment.give_back("giving partitions back")

    async def _assigned(self, *_: Any, **__: Any) -> None:
        consumer: Any = self.consumer
        self._generation = self.consumer_generation_id
        try:
            taken_over = await self.assignment.take_over(consumer, self._generation)
        except Exception as error:
            fail(error)
            raise
        if not taken_over:
            raise RebalanceAgain  # Faust waits for the next assignment

    async def _produce(self, topic: str, records: Any) -> None:
        await self.assignment.follow(topic, await self.producer_of_ours.produce(topic, records))

    async def _acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        consumer: Any = self.consumer
        ids = self.assignment.ids()
        await self.kafka_retry(lambda: consumer.acknowledge(offsets, ids))


def fail(error: BaseException) -> None:
    """End the process at once, nothing acknowledged: when in doubt, stop.

    Nothing is stopped in order, for every orderly way in Faust may commit or restart something.
    """
    if isinstance(error, NameTaken):
        logger.critical("%s", error)
        logging.shutdown()
        os._exit(EXIT_NAME_TAKEN)
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
