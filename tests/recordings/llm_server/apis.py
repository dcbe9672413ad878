"""The APIs that the stand-in speaks, one file each."""

from __future__ import annotations

from tests.recordings.llm_server.anthropic import Anthropic, CountTokens
from tests.recordings.llm_server.bedrock import Bedrock
from tests.recordings.llm_server.calls import Api
from tests.recordings.llm_server.chat import Chat
from tests.recordings.llm_server.embeddings import Embeddings
from tests.recordings.llm_server.google.gemini import Gemini
from tests.recordings.llm_server.google.interactions import Interactions
from tests.recordings.llm_server.responses import Responses

APIS: tuple[Api, ...] = (
    Chat(),
    Responses(),
    Embeddings(),
    Anthropic(),
    CountTokens(),
    Gemini(),
    Interactions(),
    Bedrock(),
)
"""The first that serves a path answers it."""
