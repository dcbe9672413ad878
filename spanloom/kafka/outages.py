"""Which failures of Kafka pass by themselves: wait and try again. Whatever stands not here is an error, and stops."""

from __future__ import annotations

from aiokafka import errors

OUTAGES: tuple[type[Exception], ...] = (
    # Nobody answers, or not in time; TimeoutError is an OSError.
    OSError,
    errors.KafkaConnectionError,
    errors.NoBrokersAvailable,
    errors.KafkaUnavailableError,
    errors.KafkaTimeoutError,
    errors.RequestTimedOutError,
    errors.NodeNotReadyError,
    errors.Cancelled,
    errors.TooManyInFlightRequests,
    errors.KafkaProtocolError,  # an answer to another question: aiokafka has closed the connection
    errors.CorrelationIdError,
    # What is known of the cluster is out of date, or the cluster is about to change it.
    errors.StaleMetadata,
    errors.MetadataEmptyBrokerList,
    errors.UnknownTopicOrPartitionError,
    errors.LeaderNotAvailableError,
    errors.NotLeaderForPartitionError,
    errors.NotControllerError,
    errors.ListenerNotFound,
    # Brokers and replicas are missing, or their disks.
    errors.BrokerNotAvailableError,
    errors.ReplicaNotAvailableError,
    errors.NotEnoughReplicasError,
    errors.NotEnoughReplicasAfterAppendError,
    errors.KafkaStorageError,
    errors.StaleLeaderEpochCodeError,  # 13, today NETWORK_EXCEPTION: the broker lost its connection to another
    errors.FetchSessionIdNotFound,
    errors.InvalidFetchSessionEpoch,
    # The group has no coordinator yet, or goes on to another generation.
    errors.GroupLoadInProgressError,
    errors.GroupCoordinatorNotAvailableError,
    errors.NotCoordinatorForGroupError,
    errors.RebalanceInProgressError,
    errors.IllegalGenerationError,
    errors.UnknownMemberIdError,
)
"""The exceptions of aiokafka that waiting helps against: those that it, or Kafka's table of error codes, calls
retriable, and those by which a group says that it moves on.

Credentials that Kafka does not take are among them as `KafkaConnectionError`: aiokafka hides why it was not let in.
"""
