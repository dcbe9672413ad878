"""What OpenAI's three APIs share.

Of the input 10 tokens are read from the cache, of the output 4 are reasoning: both inside, as OpenAI counts them.
"""

from __future__ import annotations

from tests.recordings.llm_server.calls import Json, Usage

CREATED = 1_700_000_000


class OpenAI:
    """Usage, errors and addresses of OpenAI."""

    path: str

    def serves(self, path: str) -> bool:
        """See `Api`."""
        return path.endswith(self.path)

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        return Usage(50 + 7 * n, 20 + 3 * n, cache_read_tokens=10, reasoning_tokens=4)

    def stream_type(self, query: str) -> str:  # noqa: ARG002
        """See `Api`."""
        return "text/event-stream"

    def error(self) -> Json:
        """See `Api`."""
        message = "The server had an error."
        return {"error": {"message": message, "type": "server_error", "param": None, "code": None}}

    def variables(self, address: str) -> dict[str, str]:
        """See `Api`."""
        return {"OPENAI_API_KEY": "stand-in", "OPENAI_BASE_URL": f"{address}/v1"}
