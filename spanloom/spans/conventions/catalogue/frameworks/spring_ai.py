"""Spring AI, through Micrometer: all values are texts.

`default` is the ID of a conversation that its chat memory takes where the program gives none; it is nobody's session.
"""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice, identity

KINDS = {"chat_client": "CHAIN", "advisor": "CHAIN", "tool_call": "TOOL", "vector_store": "RETRIEVER"}


def conversation(text: str) -> str | None:
    """The ID of a conversation that the program gave."""
    return None if text == "default" else identity(text)


CONVENTION = Convention(
    name="Spring AI",
    source="spring-ai 1.0, 1.1 and 2.0 (Maven): ChatClientObservationDocumentation, ChatModelObservationDocumentation",
    keys=(
        Key("spring.ai.chat.client.conversation.id", Field.SESSION_ID, read=conversation),
        Key("spring.ai.kind", Field.SPAN_TYPE, read=choice(KINDS)),
        Key("spring.ai.tool.call.arguments", Field.TOOL_INPUT),
        Key("spring.ai.tool.call.result", Field.TOOL_OUTPUT),
        Key("db.vector.query.content", Field.INPUT),
    ),
)
