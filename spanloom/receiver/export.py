"""What happens to a request, however it has arrived."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, ParamSpec, TypeVar

from spanloom.kafka.topics import PROJECT_HEADER
from spanloom.receiver import metrics
from spanloom.receiver.access import Access
from spanloom.receiver.append import Log
from spanloom.receiver.rate_limit import RateLimit
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.requests.envelope import JSON, looks_like_request, signal_of
from spanloom.receiver.requests.json_scopes import begins_with_spans, json_scopes
from spanloom.receiver.requests.scopes import TooMany
from spanloom.receiver.requests.split import split
from spanloom.receiver.sharing.room import Held, Room
from spanloom.receiver.sharing.thread import Thread

P = ParamSpec("P")
T = TypeVar("T")

CONTENT_TYPE_HEADER = "content-type"


class Answer(NamedTuple):
    """A request that was stored, except for some spans: how many, and why not those."""

    rejected_spans: int = 0
    error_message: str = ""


class Export:
    """Decides about each request and appends it to the log.

    Args:
        access: who may send.
        rate_limit: how fast.
        log: where to.
        room: what may be in flight.
    """

    def __init__(self, access: Access, rate_limit: RateLimit, log: Log, room: Room) -> None:
        self._access = access
        self._rate_limit = rate_limit
        self._log = log
        self._room = room
        self._splitting = Thread("receiver-split")
        self._requests = 0

    @contextlib.contextmanager
    def request(self, transport: str, headers: Mapping[str, str]) -> Iterator[Held]:
        """Give the account of a request while it is under way, and count how it ends.

        Args:
            transport: "http" or "grpc".
            headers: of the request: they alone decide whose it is.

        Raises:
            Refused: its key is missing or unknown, or its project has too many under way.
        """
        outcome = "failed"
        started = time.perf_counter()
        self._requests += 1
        metrics.REQUESTS_IN_FLIGHT.set(self._requests)
        try:
            # What comes without a key takes nothing that others need.
            held = self._room.enter(self._access.project(headers))
            try:
                yield held
            finally:
                held.answered()
            outcome = "stored"
        except Refused as refused:
            outcome = refused.reason.name.lower()
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"  # by the client, which hung up or waits no longer
            raise
        finally:
            self._requests -= 1
            metrics.REQUESTS_IN_FLIGHT.set(self._requests)
            metrics.REQUESTS.labels(transport, outcome).inc()
            metrics.REQUEST_SECONDS.labels(transport).observe(time.perf_counter() - started)

    async def store(self, body: bytes, content_type: str, held: Held) -> Answer:
        """Append a request to the log, whole where it fits, else split by span.

        Args:
            body: an ExportTraceServiceRequest.
            content_type: how it is encoded.
            held: its account, which has the bytes of the body already.

        Raises:
            Refused: nothing of it counts as stored.
        """
        if not body:
            return Answer()
        if wait := self._rate_limit.take(held.project, len(body)):
            raise Refused(Reason.TOO_FAST, "The project sends more than it may: send again later.", wait)
        if not looks_like_request(body, content_type):
            raise Refused(Reason.MALFORMED, f"The body is no ExportTraceServiceRequest as {content_type}.")
        if signal := signal_of(body, content_type):
            raise Refused(Reason.MALFORMED, f"The request holds {signal}: only traces are taken here.")
        largest = self._log.largest
        messages: tuple[bytes, ...] = (body,)
        answer = Answer()
        if len(body) <= largest:
            if content_type == JSON and not begins_with_spans(body):
                await self._look(held, json_scopes, body)
        else:
            parts = await self._look(held, split, body, content_type, largest)
            messages = await self._splitting.run(held, parts.size, parts.messages)
            if parts.rejected:
                metrics.REJECTED_SPANS.inc(parts.rejected)
                answer = Answer(
                    parts.rejected,
                    f"{parts.rejected} spans are larger, each with its resource, than the {largest} bytes that the"
                    " topic takes: shorten what they hold.",
                )
        headers = [(PROJECT_HEADER, held.project.encode()), (CONTENT_TYPE_HEADER, content_type.encode())]
        await self._log.append(messages, headers, held)
        metrics.MESSAGES.inc(len(messages))
        metrics.BYTES.inc(sum(map(len, messages)))
        return answer

    async def _look(self, held: Held, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Look for the spans of a request in the thread. Raises Refused where it has none, or too many to look at."""
        try:
            return await self._splitting.run(held, 0, work, *args, **kwargs)
        except TooMany as error:
            raise Refused(Reason.TOO_LARGE, str(error)) from None
        except ValueError as error:
            raise Refused(Reason.MALFORMED, str(error)) from None
