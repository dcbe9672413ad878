"""Why a request is refused, and how OTLP reports that over HTTP and over gRPC.

Retryable or not is what a client looks at (https://opentelemetry.io/docs/specs/otlp/#failures): over HTTP 429, 502, 503
and 504 are, over gRPC UNAVAILABLE, and RESOURCE_EXHAUSTED if it carries RetryInfo.
"""

from __future__ import annotations

import math
from enum import Enum

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.rpc import code_pb2, error_details_pb2, status_pb2

RETRY_SECONDS = 2.0
"""What a client is asked to wait where there is no room for its request, or no Kafka."""


class Reason(Enum):
    """A kind of refusal: its HTTP status and its gRPC code."""

    NO_KEY = (401, code_pb2.UNAUTHENTICATED)
    FOREIGN = (403, code_pb2.PERMISSION_DENIED)
    MALFORMED = (400, code_pb2.INVALID_ARGUMENT)
    NOT_FOUND = (404, code_pb2.UNIMPLEMENTED)
    WRONG_METHOD = (405, code_pb2.UNIMPLEMENTED)
    TOO_LARGE = (413, code_pb2.INVALID_ARGUMENT)
    UNKNOWN_ENCODING = (415, code_pb2.UNIMPLEMENTED)
    TOO_SLOW = (408, code_pb2.DEADLINE_EXCEEDED)
    TOO_FAST = (429, code_pb2.RESOURCE_EXHAUSTED)
    UNAVAILABLE = (503, code_pb2.UNAVAILABLE)
    FAILED = (500, code_pb2.INTERNAL)

    @property
    def http_status(self) -> int:
        """The status of an HTTP answer."""
        return int(self.value[0])

    @property
    def grpc_code(self) -> int:
        """The number of a gRPC status."""
        return int(self.value[1])


class Refused(Exception):
    """A request was not stored.

    Args:
        reason: the kind.
        sentence: what the sender may know, and what to do.
        retry_after: seconds after which to send again; None where that would not help.
    """

    def __init__(self, reason: Reason, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.retry_after = retry_after

    def status(self) -> status_pb2.Status:
        """Return what OTLP answers: a `google.rpc.Status`, with `RetryInfo` where sending again helps."""
        status = status_pb2.Status(code=self.reason.grpc_code, message=str(self))
        if self.retry_after is not None:
            seconds, fraction = divmod(self.retry_after, 1)
            delay = Duration(seconds=int(seconds), nanos=int(fraction * 1e9))
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        return status

    def status_json(self) -> dict[str, object]:
        """Return the same as JSON."""
        return dict(MessageToDict(self.status()))

    def http_headers(self) -> dict[str, str]:
        """Return the headers that go with the HTTP status."""
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(self.retry_after))
        if self.reason is Reason.NO_KEY:
            headers["WWW-Authenticate"] = 'Bearer realm="spanloom"'
        return headers
