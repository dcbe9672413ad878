"""The settings of the dashboard."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DashboardSettings(BaseModel, extra="forbid"):
    """Where the pages are served, and who may look."""

    host: str = Field("127.0.0.1", description="The address that the pages are served on.")
    port: int = Field(8080, ge=1, le=65535, description="The port of the pages and their API.")
    web_host: str = Field("127.0.0.1", description="The address of the probes and metrics.")
    web_port: int = Field(6064, ge=1, le=65535, description="The port of the probes and metrics.")
    otlp_url: str = Field(
        "http://127.0.0.1:4318",
        description="Where the receiver takes OTLP/HTTP: what the pages tell people to send to.",
    )
