"""Bad spans go to the dead letters with their own resource and scope, and never multiply them."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.spans.limits import Limits
from tests.spans.reading.otlp_examples import key_values, read, span

NONE_SINGLE = Limits(rejects=0)


def test_bad_spans_that_go_together_keep_their_resource_and_scope() -> None:
    message = ExportTraceServiceRequest()
    for number in range(300):
        resource = message.resource_spans.add()
        resource.resource.attributes.extend(key_values({"service.name": f"service {number}"}))
        scope = resource.scope_spans.add()
        scope.scope.name = f"scope {number}"
        # Every second scope has no bad span.
        scope.spans.append(span(name=str(number), trace_id=b"" if number % 2 else b"t" * 16))
    (reject,) = read(message.SerializeToString(), limits=NONE_SINGLE).rejects
    found = ExportTraceServiceRequest.FromString(reject.payload).resource_spans
    assert [each.scope_spans[0].spans[0].name for each in found] == [str(n) for n in range(1, 300, 2)]
    for each in found:
        name = each.scope_spans[0].spans[0].name
        assert each.resource.attributes[0].value.string_value == f"service {name}"
        assert each.scope_spans[0].scope.name == f"scope {name}"


def test_bad_spans_in_many_scopes_of_a_large_resource_do_not_multiply_it() -> None:
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.extend(key_values({"large": "x" * 100_000}))
    for number in range(1000):
        resource.scope_spans.add().spans.append(span(name=str(number), trace_id=b""))
    value = message.SerializeToString()
    (reject,) = read(value, limits=NONE_SINGLE).rejects
    assert ExportTraceServiceRequest.FromString(reject.payload) == message
    assert len(reject.payload) == len(value)
