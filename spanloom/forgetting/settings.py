"""The settings of what works on requests to forget."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ForgetterSettings(BaseModel, extra="forbid"):
    """Where `spanloom forgetter` answers probes."""

    web_host: str = Field("127.0.0.1", description="The address of the probes and metrics.")
    web_port: int = Field(6063, ge=1, le=65535, description="The port of the probes and metrics.")
