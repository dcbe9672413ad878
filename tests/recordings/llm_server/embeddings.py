"""OpenAI's embeddings."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.llm_server.calls import Asked, Call, Json, Usage
from tests.recordings.llm_server.openai_api import OpenAI


class Embeddings(OpenAI):
    """POST /v1/embeddings: one vector for each text. They use no output and no cache."""

    path = "embeddings"

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`."""
        given = body.get("input", "")
        text = given[-1] if isinstance(given, list) and given else given
        user = text if isinstance(text, str) else ""
        return Asked(str(body.get("model")), user, True, answers=False)

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        return Usage(50 + 7 * n)

    def whole(self, call: Call, body: Json) -> Json:
        """See `Api`."""
        given = body.get("input")
        is_texts = isinstance(given, list) and not all(isinstance(item, int) for item in given)
        texts = given if is_texts and isinstance(given, list) else [given]
        vectors = [
            {"object": "embedding", "index": i, "embedding": [0.25, -0.5, 0.125]} for i in range(len(texts))
        ]
        usage = {"prompt_tokens": call.input_tokens, "total_tokens": call.input_tokens}
        return {"object": "list", "data": vectors, "model": call.model, "usage": usage}

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:  # noqa: ARG002
        """See `Api`. No embedding is streamed."""
        return iter(())
