from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpanFacts(_message.Message):
    __slots__ = ("trace_project_id", "trace_id", "trace_span_count", "trace_latest_start", "columns", "columns_size", "erasure")
    TRACE_PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACE_LATEST_START_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_SIZE_FIELD_NUMBER: _ClassVar[int]
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    trace_project_id: _containers.RepeatedScalarFieldContainer[str]
    trace_id: _containers.RepeatedScalarFieldContainer[bytes]
    trace_span_count: _containers.RepeatedScalarFieldContainer[int]
    trace_latest_start: _containers.RepeatedScalarFieldContainer[int]
    columns: bytes
    columns_size: int
    erasure: Erasure
    def __init__(self, trace_project_id: _Optional[_Iterable[str]] = ..., trace_id: _Optional[_Iterable[bytes]] = ..., trace_span_count: _Optional[_Iterable[int]] = ..., trace_latest_start: _Optional[_Iterable[int]] = ..., columns: _Optional[bytes] = ..., columns_size: _Optional[int] = ..., erasure: _Optional[_Union[Erasure, _Mapping]] = ...) -> None: ...

class Erasure(_message.Message):
    __slots__ = ("project_id", "trace_id", "version")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    trace_id: _containers.RepeatedScalarFieldContainer[bytes]
    version: int
    def __init__(self, project_id: _Optional[str] = ..., trace_id: _Optional[_Iterable[bytes]] = ..., version: _Optional[int] = ...) -> None: ...

class SpanColumns(_message.Message):
    __slots__ = ("texts", "span_id", "parent_span_id", "name", "service_name", "span_type", "status", "start_time", "duration", "session_id", "session_key", "user_id", "user_key", "model", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "input_cost", "output_cost", "total_cost", "priced", "input_preview", "output_preview", "marks", "labels", "version", "unsplit_tokens", "scope", "response_id", "trace_name", "environment", "release", "inside")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    SPAN_TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_KEY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_COST_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_COST_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    PRICED_FIELD_NUMBER: _ClassVar[int]
    INPUT_PREVIEW_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PREVIEW_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNSPLIT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_NAME_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    INSIDE_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    span_id: _containers.RepeatedScalarFieldContainer[int]
    parent_span_id: _containers.RepeatedScalarFieldContainer[int]
    name: _containers.RepeatedScalarFieldContainer[int]
    service_name: _containers.RepeatedScalarFieldContainer[int]
    span_type: _containers.RepeatedScalarFieldContainer[int]
    status: _containers.RepeatedScalarFieldContainer[int]
    start_time: _containers.RepeatedScalarFieldContainer[int]
    duration: _containers.RepeatedScalarFieldContainer[int]
    session_id: _containers.RepeatedScalarFieldContainer[int]
    session_key: _containers.RepeatedScalarFieldContainer[int]
    user_id: _containers.RepeatedScalarFieldContainer[int]
    user_key: _containers.RepeatedScalarFieldContainer[int]
    model: _containers.RepeatedScalarFieldContainer[int]
    input_tokens: _containers.RepeatedScalarFieldContainer[int]
    output_tokens: _containers.RepeatedScalarFieldContainer[int]
    cache_read_tokens: _containers.RepeatedScalarFieldContainer[int]
    cache_write_tokens: _containers.RepeatedScalarFieldContainer[int]
    reasoning_tokens: _containers.RepeatedScalarFieldContainer[int]
    input_cost: _containers.RepeatedScalarFieldContainer[int]
    output_cost: _containers.RepeatedScalarFieldContainer[int]
    total_cost: _containers.RepeatedScalarFieldContainer[int]
    priced: _containers.RepeatedScalarFieldContainer[bool]
    input_preview: _containers.RepeatedScalarFieldContainer[str]
    output_preview: _containers.RepeatedScalarFieldContainer[str]
    marks: _containers.RepeatedScalarFieldContainer[int]
    labels: _containers.RepeatedCompositeFieldContainer[Labels]
    version: _containers.RepeatedScalarFieldContainer[int]
    unsplit_tokens: _containers.RepeatedScalarFieldContainer[int]
    scope: _containers.RepeatedScalarFieldContainer[int]
    response_id: _containers.RepeatedScalarFieldContainer[int]
    trace_name: _containers.RepeatedScalarFieldContainer[int]
    environment: _containers.RepeatedScalarFieldContainer[int]
    release: _containers.RepeatedScalarFieldContainer[int]
    inside: _containers.RepeatedCompositeFieldContainer[Texts]
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., span_id: _Optional[_Iterable[int]] = ..., parent_span_id: _Optional[_Iterable[int]] = ..., name: _Optional[_Iterable[int]] = ..., service_name: _Optional[_Iterable[int]] = ..., span_type: _Optional[_Iterable[int]] = ..., status: _Optional[_Iterable[int]] = ..., start_time: _Optional[_Iterable[int]] = ..., duration: _Optional[_Iterable[int]] = ..., session_id: _Optional[_Iterable[int]] = ..., session_key: _Optional[_Iterable[int]] = ..., user_id: _Optional[_Iterable[int]] = ..., user_key: _Optional[_Iterable[int]] = ..., model: _Optional[_Iterable[int]] = ..., input_tokens: _Optional[_Iterable[int]] = ..., output_tokens: _Optional[_Iterable[int]] = ..., cache_read_tokens: _Optional[_Iterable[int]] = ..., cache_write_tokens: _Optional[_Iterable[int]] = ..., reasoning_tokens: _Optional[_Iterable[int]] = ..., input_cost: _Optional[_Iterable[int]] = ..., output_cost: _Optional[_Iterable[int]] = ..., total_cost: _Optional[_Iterable[int]] = ..., priced: _Optional[_Iterable[bool]] = ..., input_preview: _Optional[_Iterable[str]] = ..., output_preview: _Optional[_Iterable[str]] = ..., marks: _Optional[_Iterable[int]] = ..., labels: _Optional[_Iterable[_Union[Labels, _Mapping]]] = ..., version: _Optional[_Iterable[int]] = ..., unsplit_tokens: _Optional[_Iterable[int]] = ..., scope: _Optional[_Iterable[int]] = ..., response_id: _Optional[_Iterable[int]] = ..., trace_name: _Optional[_Iterable[int]] = ..., environment: _Optional[_Iterable[int]] = ..., release: _Optional[_Iterable[int]] = ..., inside: _Optional[_Iterable[_Union[Texts, _Mapping]]] = ...) -> None: ...

class Labels(_message.Message):
    __slots__ = ("span", "tags", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SPAN_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    span: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, span: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Texts(_message.Message):
    __slots__ = ("span", "input_texts", "output_texts")
    SPAN_FIELD_NUMBER: _ClassVar[int]
    INPUT_TEXTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TEXTS_FIELD_NUMBER: _ClassVar[int]
    span: int
    input_texts: _containers.RepeatedScalarFieldContainer[str]
    output_texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, span: _Optional[int] = ..., input_texts: _Optional[_Iterable[str]] = ..., output_texts: _Optional[_Iterable[str]] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("project_id", "session_id", "window_start", "trace_id", "version", "withdrawn", "start_time", "duration", "user_id", "models", "tags", "services", "environments", "releases", "input_start", "applied", "span_count", "llm_call_count", "tool_call_count", "error_count", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "input_cost", "output_cost", "total_cost", "unpriced_call_count", "failure_count", "unsplit_tokens")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    INPUT_START_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    LLM_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_COUNT_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_COST_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_COST_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNSPLIT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    session_id: str
    window_start: int
    trace_id: bytes
    version: int
    withdrawn: bool
    start_time: int
    duration: int
    user_id: str
    models: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    environments: _containers.RepeatedScalarFieldContainer[str]
    releases: _containers.RepeatedScalarFieldContainer[str]
    input_start: str
    applied: int
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    input_cost: int
    output_cost: int
    total_cost: int
    unpriced_call_count: int
    failure_count: int
    unsplit_tokens: int
    def __init__(self, project_id: _Optional[str] = ..., session_id: _Optional[str] = ..., window_start: _Optional[int] = ..., trace_id: _Optional[bytes] = ..., version: _Optional[int] = ..., withdrawn: _Optional[bool] = ..., start_time: _Optional[int] = ..., duration: _Optional[int] = ..., user_id: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ..., environments: _Optional[_Iterable[str]] = ..., releases: _Optional[_Iterable[str]] = ..., input_start: _Optional[str] = ..., applied: _Optional[int] = ..., span_count: _Optional[int] = ..., llm_call_count: _Optional[int] = ..., tool_call_count: _Optional[int] = ..., error_count: _Optional[int] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., input_cost: _Optional[int] = ..., output_cost: _Optional[int] = ..., total_cost: _Optional[int] = ..., unpriced_call_count: _Optional[int] = ..., failure_count: _Optional[int] = ..., unsplit_tokens: _Optional[int] = ...) -> None: ...

class TraceFacts(_message.Message):
    __slots__ = ("contributions",)
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    contributions: _containers.RepeatedCompositeFieldContainer[Contribution]
    def __init__(self, contributions: _Optional[_Iterable[_Union[Contribution, _Mapping]]] = ...) -> None: ...

class PartitionClock(_message.Message):
    __slots__ = ("stream_clock", "kept_since", "version", "forgotten_ahead", "put_off", "database", "written", "forgotten_up_to", "written_to")
    class ForgottenAheadEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    STREAM_CLOCK_FIELD_NUMBER: _ClassVar[int]
    KEPT_SINCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORGOTTEN_AHEAD_FIELD_NUMBER: _ClassVar[int]
    PUT_OFF_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    FORGOTTEN_UP_TO_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_TO_FIELD_NUMBER: _ClassVar[int]
    stream_clock: int
    kept_since: int
    version: int
    forgotten_ahead: _containers.ScalarMap[str, int]
    put_off: _containers.RepeatedScalarFieldContainer[bytes]
    database: str
    written: int
    forgotten_up_to: int
    written_to: bytes
    def __init__(self, stream_clock: _Optional[int] = ..., kept_since: _Optional[int] = ..., version: _Optional[int] = ..., forgotten_ahead: _Optional[_Mapping[str, int]] = ..., put_off: _Optional[_Iterable[bytes]] = ..., database: _Optional[str] = ..., written: _Optional[int] = ..., forgotten_up_to: _Optional[int] = ..., written_to: _Optional[bytes] = ...) -> None: ...
