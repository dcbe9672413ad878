"""The settings of the worker, and of what it takes from a span."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from spanloom.spans.limits import Limits
from spanloom.spans.text.values import MAX_NESTING

_DEFAULT = Limits()

MAX_LABEL_CHARACTERS = 65_536
"""The largest product of `labels` and `name`. A label is a tag, or an entry of the metadata with key and value: three
texts for each of `labels`, of up to four bytes a character. With its previews and names a span stays below 1,048,588
bytes, Kafka's default limit for a record."""

Seconds = Annotated[float, Field(gt=0)]


class WorkerSettings(BaseModel, extra="forbid"):
    """How one worker works."""

    name: str = Field("", description="The name of the worker in logs; empty takes the host name.")
    group_instance_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,200}$",
        description="Kafka's `group.instance.id`: a name that the worker keeps through restarts and no other has, so"
        " that a restart within SESSION_TIMEOUT moves no partition; empty for a worker that leaves the group when it"
        " stops.",
    )
    web_host: str = Field("127.0.0.1", description="The address of the probes and metrics.")
    web_port: int = Field(6066, ge=1, le=65535, description="The port of the probes and metrics.")
    window: int = Field(
        3600,
        ge=60,
        le=86400,
        description="Seconds of event time in which a session's contributions are summed; fixed once data is there.",
    )
    retention: int = Field(
        3600, ge=1, description="Seconds of the stream clock without news after which state is forgotten."
    )
    refuse_forgotten: int = Field(
        0,
        ge=0,
        le=86_400 * 365,
        description="Seconds for which new spans of a trace that `spanloom forget` has forgotten are dropped, too; by"
        " default such a trace starts anew.",
    )
    linger: float = Field(
        0.4,
        ge=0.01,
        le=10,
        description="Seconds that spans wait for more to be read with them; larger batches cost less.",
    )
    batch_bytes: int = Field(
        16 << 20,
        ge=1,
        le=1 << 30,
        description="Bytes of messages that end a batch, which takes some five times as much memory while it is worked"
        " on.",
    )
    checkpoint_deadline: Seconds = Field(
        20,
        description="Seconds a checkpoint may take when partitions are revoked or the worker stops;"
        " at most 70 % of rebalance_timeout.",
    )
    prices_file: str = Field(
        "", description="TOML file with prices of your own, see docs/pricing.md; empty for none."
    )
    conventions_file: str = Field(
        "", description="TOML file with keys of your own, see docs/conventions.md; empty for none."
    )
    recovery_timeout: Seconds = Field(
        120, description="Seconds without progress of a recovery after which the worker gives up."
    )


class LimitSettings(BaseModel, extra="forbid"):
    """How much of one span is kept, see `spanloom.spans.limits.Limits`. Lengths in characters."""

    text: int = Field(
        _DEFAULT.text, ge=1024, le=1 << 24, description="Characters of `input` and of `output` that are kept."
    )
    name: int = Field(
        _DEFAULT.name,
        ge=64,
        le=4096,
        description="Characters of a name, ID, model, tag, metadata value or status message that are kept;"
        " times LABELS at most 65,536.",
    )
    labels: int = Field(
        _DEFAULT.labels,
        ge=0,
        le=1024,
        description="Tags of a span, and entries of its metadata, that are kept.",
    )
    value: int = Field(
        _DEFAULT.value, ge=64, le=1 << 24, description="Characters of an attribute's value that are kept."
    )
    attributes: int = Field(
        _DEFAULT.attributes, ge=16, le=65_536, description="Attributes of a span that are kept."
    )
    resource: int = Field(
        _DEFAULT.resource,
        ge=1024,
        le=1 << 20,
        description="Characters of all attributes of a resource, which each of its spans repeats, that are kept.",
    )
    events: int = Field(_DEFAULT.events, ge=0, le=10_000, description="Events of a span that are kept.")
    event_attributes: int = Field(
        _DEFAULT.event_attributes, ge=0, le=10_000, description="Attributes of an event that are kept."
    )
    spans: int = Field(
        _DEFAULT.spans, ge=1, le=1_000_000, description="Spans of a message; a larger one is a dead letter."
    )
    rejects: int = Field(
        _DEFAULT.rejects,
        ge=0,
        le=1000,
        description="Spans of a message that become a dead letter each; further ones go together in one.",
    )
    nesting: int = Field(
        _DEFAULT.nesting,
        ge=1,
        le=MAX_NESTING,
        description="Levels of arrays and maps in a value that are read; deeper ones are shown as base64.",
    )

    @model_validator(mode="after")
    def _check(self) -> LimitSettings:
        if self.name * self.labels > MAX_LABEL_CHARACTERS:
            raise ValueError(
                f"name times labels must be at most {MAX_LABEL_CHARACTERS:,}, or a span's facts would not fit into a"
                " record: lower one of them"
            )
        return self

    def limits(self) -> Limits:
        """Return the limits for `spanloom.spans`."""
        return Limits(**self.model_dump())
