"""The metrics of the receiver: a catalogue. Units are base units; `transport` is http or grpc."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "spanloom_receiver_requests",
    "Requests by outcome: stored, or the reason of the refusal. Look at unavailable and no_key.",
    ["transport", "outcome"],
)
BYTES = Counter("spanloom_receiver_bytes", "Bytes of messages that Kafka has acknowledged.")
MESSAGES = Counter("spanloom_receiver_messages", "Messages that Kafka has acknowledged.")
REJECTED_SPANS = Counter(
    "spanloom_receiver_rejected_spans", "Spans that are larger by themselves than the topic takes."
)
REQUEST_SECONDS = Histogram(
    "spanloom_receiver_request_seconds",
    "From the whole request to its answer, which is Kafka's acknowledgement.",
    ["transport"],
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REQUESTS_IN_FLIGHT = Gauge("spanloom_receiver_requests_in_flight", "Requests that are not answered yet.")
BYTES_IN_FLIGHT = Gauge("spanloom_receiver_bytes_in_flight", "Bytes that Kafka has not acknowledged yet.")
