"""Of every exception that aiokafka has it is decided whether it passes by itself. One that an upgrade brings fails here
until somebody has thought about it."""

from __future__ import annotations

import inspect

import pytest
from aiokafka import errors

from spanloom.kafka.outages import OUTAGES

STOPS = {
    "it is of no kind: whatever it is nobody has thought about, and aiokafka wraps its own faults so": (
        "KafkaError",
        "BrokerResponseError",
        "UnknownError",
        "NoError",
    ),
    "somebody must be let in": (
        "AuthenticationFailedError",
        "AuthenticationMethodNotSupported",
        "ClusterAuthorizationFailedError",
        "DelegationTokenAuthDisabled",
        "DelegationTokenAuthorizationFailed",
        "DelegationTokenExpired",
        "DelegationTokenNotFound",
        "DelegationTokenOwnerMismatch",
        "DelegationTokenRequestNotAllowed",
        "GroupAuthorizationFailedError",
        "IllegalSaslStateError",
        "InvalidPrincipalType",
        "SaslAuthenticationFailed",
        "SecurityDisabled",
        "TopicAuthorizationFailedError",
        "TransactionalIdAuthorizationFailed",
        "UnsupportedSaslMechanismError",
    ),
    "the broker is another one than is needed": (
        "IncompatibleBrokerVersion",
        "UnrecognizedBrokerVersion",
        "UnsupportedCodecError",
        "UnsupportedForMessageFormatError",
        "UnsupportedVersionError",
    ),
    "the same question gets the same answer": (
        "CommitFailedError",
        "ConsumerStoppedError",
        "GroupIdNotFound",
        "IllegalArgumentError",
        "IllegalOperation",
        "IllegalStateError",
        "InconsistentGroupProtocolError",
        "InvalidCommitOffsetSizeError",
        "InvalidConfigurationError",
        "InvalidFetchRequestError",
        "InvalidGroupIdError",
        "InvalidPartitionsError",
        "InvalidReplicationAssignmentError",
        "InvalidReplicationFactorError",
        "InvalidRequestError",
        "InvalidRequiredAcksError",
        "InvalidSessionTimeoutError",
        "InvalidTopicError",
        "KafkaConfigurationError",
        "LogDirNotFound",
        "MemberIdRequired",
        "NoOffsetForPartitionError",
        "NonEmptyGroup",
        "OffsetMetadataTooLargeError",
        "OffsetOutOfRangeError",
        "OperationNotAttempted",
        "PolicyViolationError",
        "QuotaViolationError",
        "ReassignmentInProgress",
        "StaleControllerEpochError",
        "TopicAlreadyExistsError",
    ),
    "the record itself is refused, or is broken": (
        "CorruptRecordException",
        "InvalidTimestampError",
        "MessageSizeTooLargeError",
        "RecordListTooLargeError",
        "RecordTooLargeError",
    ),
    "the numbers of an idempotent producer have a gap, or are another's": (
        "ConcurrentTransactions",
        "DuplicateSequenceNumber",
        "InvalidProducerEpoch",
        "InvalidProducerIdMapping",
        "InvalidTransactionTimeout",
        "InvalidTxnState",
        "OutOfOrderSequenceNumber",
        "ProducerClosed",
        "ProducerFenced",
        "TransactionCoordinatorFenced",
        "UnknownProducerId",
    ),
}
"""What stops the worker, by the reason."""

KINDS = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == errors.__name__
}


def test_of_every_exception_it_is_decided() -> None:
    stops = [name for names in STOPS.values() for name in names]
    waits = [kind.__name__ for kind in OUTAGES if kind is not OSError]
    assert sorted([*stops, *waits]) == sorted(KINDS)


@pytest.mark.parametrize("name", [name for names in STOPS.values() for name in names])
def test_an_error_stops(name: str) -> None:
    assert not issubclass(KINDS[name], OUTAGES)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if getattr(kind, "retriable", False)])
def test_what_aiokafka_tries_again_is_waited_for(name: str) -> None:
    assert issubclass(KINDS[name], OUTAGES)


@pytest.mark.parametrize("kind", [TimeoutError, ConnectionResetError, ConnectionRefusedError])
def test_a_broken_connection_is_waited_for(kind: type[Exception]) -> None:
    assert issubclass(kind, OUTAGES)
