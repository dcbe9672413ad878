"""The keys that name the session and the user of a span, with numbers.

Which key named a session is stored with the span and decides, perhaps years later, to which session a trace belongs. So
what is stored is a number that stays, and the order is looked up here whenever a trace is folded.
"""

from __future__ import annotations

from typing import NamedTuple


class NumberedKey(NamedTuple):
    """A key that names the session or the user of a span."""

    number: int
    """Stands for the key in tables, messages and changelogs. It is never changed and never given to another key; a key
    that no convention reads any more keeps it, and its place."""
    name: str


NO_KEY = 0
"""The number of no key: nothing names a session or user."""

OWN_NUMBERS = range(32_768, 65_536)
"""Left free for keys that users declare themselves: spanloom's own stay below."""

SESSION_KEYS = (
    NumberedKey(1, "lmnr.association.properties.session_id"),
    NumberedKey(2, "langfuse.session.id"),
    NumberedKey(3, "session.id"),
    NumberedKey(4, "ai.telemetry.metadata.sessionId"),
    NumberedKey(5, "ai.telemetry.metadata.session_id"),
    NumberedKey(6, "traceloop.association.properties.session_id"),
    NumberedKey(7, "ai.settings.context.sessionId"),
    NumberedKey(8, "ai.settings.context.session_id"),
    NumberedKey(10, "ai.telemetry.metadata.threadId"),
    NumberedKey(11, "langsmith.metadata.session_id"),
    NumberedKey(12, "langsmith.metadata.thread_id"),
    NumberedKey(13, "langsmith.metadata.conversation_id"),
    NumberedKey(14, "langsmith.metadata.sessionId"),
    NumberedKey(15, "mastra.metadata.sessionId"),
    NumberedKey(16, "mastra.metadata.threadId"),
    NumberedKey(17, "spring.ai.chat.client.conversation.id"),
    NumberedKey(18, "langfuse.observation.metadata.langfuse_session_id"),
    NumberedKey(19, "mlflow.trace.session"),
    NumberedKey(20, "gcp.vertex.agent.session_id"),
    NumberedKey(26, "genkit:metadata:agent:sessionId"),
    NumberedKey(27, "genkit:sessionId"),
    NumberedKey(21, "gen_ai.session.id"),
    NumberedKey(9, "gen_ai.conversation.id"),
    NumberedKey(28, "conversation.id"),
    NumberedKey(29, "voltagent.conversation_id"),
    NumberedKey(22, "session_id"),
    NumberedKey(23, "sessionId"),
    NumberedKey(24, "thread_id"),
    NumberedKey(25, "conversation_id"),
)
"""What names sessions, the best first. A new key takes the next number, wherever its place is."""

USER_KEYS = (
    NumberedKey(1, "lmnr.association.properties.user_id"),
    NumberedKey(2, "langfuse.user.id"),
    NumberedKey(3, "user.id"),
    NumberedKey(4, "ai.telemetry.metadata.userId"),
    NumberedKey(5, "ai.telemetry.metadata.user_id"),
    NumberedKey(6, "traceloop.association.properties.user_id"),
    NumberedKey(7, "ai.settings.context.userId"),
    NumberedKey(8, "ai.settings.context.user_id"),
    NumberedKey(11, "langsmith.metadata.user_id"),
    NumberedKey(12, "langsmith.metadata.userId"),
    NumberedKey(13, "mastra.metadata.userId"),
    NumberedKey(14, "mastra.metadata.resourceId"),
    NumberedKey(15, "langfuse.observation.metadata.langfuse_user_id"),
    NumberedKey(16, "mlflow.trace.user"),
    NumberedKey(9, "enduser.id"),
    NumberedKey(17, "gen_ai.user.id"),
    NumberedKey(18, "gen_ai.user"),
    NumberedKey(10, "llm.user"),
    NumberedKey(19, "user_id"),
)
"""What names users, the best first, with numbers of their own."""
