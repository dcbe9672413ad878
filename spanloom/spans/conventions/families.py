"""Instrumentations that count parts of the tokens beside the whole, which their names don't show.

OpenTelemetry's names say that cached tokens are part of the input; these senders hand the provider's own counts through
under them, and some state a total that leaves the parts out as well. So who wrote a span decides first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Beside(NamedTuple):
    """Which parts stand beside their whole."""

    cache: bool = False
    reasoning: bool = False


NOTHING_BESIDE = Beside()

_ANTHROPIC = ("anthropic", "bedrock", "claude")
_GEMINI = ("google", "gemini", "vertex", "gcp")


class Family(NamedTuple):
    """How an instrumentation counts."""

    scope: str
    """How the name of its scope begins."""
    beside: Beside
    providers: tuple[str, ...] = ()
    """Only of these: what the name of the provider or of the model has in it."""
    by_model: bool = True
    """Whether the model's name counts for that: not where the provider is always told, and a router is one."""
    source: str = ""


FAMILIES = (
    Family(
        "opentelemetry.instrumentation.bedrock",
        Beside(cache=True),
        source="opentelemetry-instrumentation-bedrock 0.62 (PyPI): Converse's and the headers' counts as they are",
    ),
    Family(
        "opentelemetry.instrumentation.llamaindex",
        Beside(cache=True),
        _ANTHROPIC,
        source="opentelemetry-instrumentation-llamaindex 0.62 (PyPI): _response_utils.py, `disjoint … additive`",
    ),
    Family(
        "@traceloop/instrumentation-anthropic",
        Beside(cache=True),
        source="@traceloop/instrumentation-anthropic 0.27 (npm)",
    ),
    Family(
        "opentelemetry.instrumentation.botocore",
        Beside(cache=True),
        source="opentelemetry-instrumentation-botocore 0.66b2 (PyPI): extensions/bedrock.py",
    ),
    Family(
        "openlit.instrumentation.anthropic",
        Beside(cache=True),
        source="openlit 1.45 (PyPI), 1.15 (npm)",
    ),
    Family(
        "openlit.instrumentation.bedrock",
        Beside(cache=True),
        source="openlit 1.45 (PyPI), 1.15 (npm)",
    ),
    Family(
        "openlit.instrumentation.google",
        Beside(reasoning=True),
        source="openlit 1.45 (PyPI), 1.15 (npm)",
    ),
    Family(
        "openlit.instrumentation.vertexai",
        Beside(reasoning=True),
        source="openlit 1.45 (PyPI), 1.15 (npm)",
    ),
    Family(
        "opentelemetry.instrumentation.ag2",
        Beside(cache=True),
        _ANTHROPIC,
        source="ag2 1.2 (PyPI): autogen/beta/config/anthropic/mappers.py",
    ),
    Family(
        "opentelemetry.instrumentation.ag2",
        Beside(reasoning=True),
        _GEMINI,
        source="ag2 1.2 (PyPI): autogen/beta/config/gemini/mappers.py",
    ),
    Family(
        "agent_framework",
        Beside(cache=True),
        _ANTHROPIC,
        source="agent-framework-anthropic and -bedrock 1.0b261022 (PyPI)",
    ),
    Family(
        "openinference.instrumentation.agno",
        Beside(cache=True),
        _ANTHROPIC,
        source="openinference-instrumentation-agno 1.0 (PyPI) with agno 3.1: models/anthropic/claude.py",
    ),
    Family(
        "org.springframework",
        Beside(cache=True),
        _ANTHROPIC,
        source="spring-ai 2.0 (Maven): AnthropicChatModel, BedrockProxyChatModel",
    ),
    Family(
        "pipecat",
        Beside(cache=True),
        ("anthropic", "bedrock"),
        by_model=False,  # Claude by OpenRouter is counted as OpenAI counts
        source="pipecat-ai 1.14 (PyPI): services/{anthropic,aws}/llm.py; the provider is the service's class",
    ),
)


STATE_THE_LAST_STEP = frozenset(("@voltagent/core",))
"""Instrumentations whose one LLM span for several steps states the tokens of the last step, while a span around it
states those of all; @voltagent/core 2.10.0 (npm), recorded in tests/captures/js-voltagent:
`recordRootSpanUsageAndProviderCost` gives the agent's span the sum."""

_ADDING_UP = {"org.springframework.boot": 4}
"""Scopes whose calls in a loop of a model and its tools each state the sum so far, and from which major version on no
longer; spring-ai 1.0 and 1.1 (Maven), which need Spring Boot 3: `UsageCalculator.getCumulativeUsage`."""


class Scope(NamedTuple):
    """What wrote a span."""

    name: str = ""
    version: str = ""


@lru_cache(maxsize=1024)
def adds_up(scope: Scope) -> bool:
    """Whether the usage of a call may include that of the calls before it."""
    until = _ADDING_UP.get(scope.name)
    major = scope.version.partition(".")[0]
    return until is not None and major.isascii() and major.isdigit() and len(major) < 6 and int(major) < until


@lru_cache(maxsize=4096)
def beside(scope: str, provider: str, model: str) -> Beside:
    """Return which parts of its tokens a span of this instrumentation, provider and model counts beside the whole."""
    if not scope.startswith(_SCOPES):
        return NOTHING_BESIDE
    seller = provider.lower()
    for family in FAMILIES:
        if not scope.startswith(family.scope):
            continue
        named = f"{seller} {model.lower()}" if family.by_model else seller
        if not family.providers or any(word in named for word in family.providers):
            return family.beside
    return NOTHING_BESIDE


@lru_cache(maxsize=4096)
def is_gemini(provider: str, model: str) -> bool:
    """Whether Google's Gemini answered: what its total has beyond input and output, the model thought."""
    return "gemini" in model.lower() or provider.lower() in _GEMINI_PROVIDERS


_SCOPES = tuple({family.scope for family in FAMILIES})
_GEMINI_PROVIDERS = frozenset(("gemini", "gcp.gemini", "google_genai", "google.generative-ai"))
"""Names under which nothing but Gemini is sold."""
