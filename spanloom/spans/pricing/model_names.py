"""The many names of providers and models, and which of `genai-prices` they are.

The names of providers are those of OpenTelemetry's registry, of SDKs and of LiteLLM. A model's name is taken as it
is first; then without what says where it is bought. It is never cut down to the name of another model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spanloom.spans.pricing.bedrock_names import MAKERS, is_of_bedrock

ALIASES: Mapping[str, str] = {
    # OpenTelemetry's registry, where `genai-prices` doesn't know a name itself.
    "azure.ai.inference": "azure",
    "az.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gen_ai": "google",
    "x_ai": "x-ai",
    # Vercel's AI SDK, LangChain, LiteLLM.
    "azure-openai": "azure",
    "azure_openai": "azure",
    "azureopenai": "azure",
    "azure_ai": "azure",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "togetherai": "together",
    "text-completion-openai": "openai",
    "z-ai": "zai",
    "z_ai": "zai",
    "z.ai": "zai",
    # Agno, Microsoft's Agent Framework, Spring AI, LangChain.
    "azure.ai.foundry": "azure",
    "azure_ai_foundry": "azure",
    "azurefoundry": "azure",
    "azure_ai_inference": "azure",
    "fireworksai": "fireworks",
    "awsbedrock": "aws",
    "bedrock_converse": "aws",
    "anthropic_bedrock": "aws",
    "anthropic-bedrock": "aws",
    "zhipu": "zhipuai",
    "grok": "x-ai",
    "pplx": "perplexity",
    # LangChain4j writes the names of its enumeration.
    "open_ai": "openai",
    "azure_open_ai": "azure",
    "google_ai_gemini": "google",
    "google_vertex_ai_gemini": "google",
    "google_vertex_ai_anthropic": "google",
    "amazon_bedrock": "aws",
    "mistral_ai": "mistral",
}

NOT_PROVIDERS = frozenset(
    [
        "langchain",
        "langgraph",
        "langsmith",
        "langfuse",
        "llamaindex",
        "llama_index",
        "haystack",
        "crewai",
        "autogen",
        "ag2",
        "strands_agents",
        "spring_ai",
        "semantic_kernel",
        "microsoft.agent_framework",
        "microsoft.agent_framework.harness",
        "agent_framework",
        "agno",
        "pydantic_ai",
        "smolagents",
        "dspy",
        "mastra",
        "openai_agents",
        "google_adk",
        "gcp.vertex.agent",
        "claude_agent_sdk",
        "claude_code",
        "codex",
        "gemini_cli",
        "copilot_chat",
        "browser_use",
        "livekit",
        "pipecat",
        "letta",
        "mem0",
        "dify",
        "n8n",
        "flowise",
        "langflow",
        "a2a",
        "agui",
        "mcp",
        "litellm",
        "litellm_proxy",
        "unknown",
        "none",
        "default",
    ]
)
"""Frameworks, clients and proxies that give their own name where the seller's belongs: then the model's name decides.
Written with underscores here; they also write hyphens."""

PREFIXES: Mapping[str, str] = {
    # What LiteLLM writes before a model's name, and whose price that is. Only names that nobody else writes there:
    # `mistralai/…` or `deepseek-ai/…` are makers of open models, which anybody may serve.
    "openai": "openai",
    "azure": "azure",
    "azure_ai": "azure",
    "anthropic": "anthropic",
    "gemini": "google",
    "vertex_ai": "google",
    "bedrock": "aws",
    "mistral": "mistral",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "groq": "groq",
    "deepseek": "deepseek",
    "xai": "x-ai",
    # OpenRouter's; nobody else serves these models.
    "x-ai": "x-ai",
    "perplexity": "perplexity",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "openrouter": "openrouter",
    "moonshot": "moonshotai",
    "cerebras": "cerebras",
    "voyage": "voyageai",
}

_COLON_PREFIXES: Mapping[str, str] = {
    # Pydantic AI, LangChain's `init_chat_model` and Agno write `provider:model`.
    "openai": "openai",
    "openai-chat": "openai",
    "openai-responses": "openai",
    "azure": "azure",
    "azure_openai": "azure",
    "anthropic": "anthropic",
    "google": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "mistral": "mistral",
    "mistralai": "mistral",
    "groq": "groq",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "xai": "x-ai",
    "grok": "x-ai",
    "openrouter": "openrouter",
    "together": "together",
    "fireworks": "fireworks",
    "cerebras": "cerebras",
    "moonshotai": "moonshotai",
}

GATEWAYS = frozenset({"gateway", "vercel", "vercel_ai_gateway", "portkey", "helicone"})
"""Gateways that pass on what the maker asks: Vercel's AI Gateway, as its SDK, Pydantic AI and LiteLLM call it, and
others. A model's name is `maker/model` there, or the maker's own."""

_MAKERS: Mapping[str, str] = {
    # Makers whose models nobody else serves under a price of their own; of open models the gateway's price may differ.
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "xai": "x-ai",
    "cohere": "cohere",
    "perplexity": "perplexity",
}

_NAMED_BY: Mapping[str, str] = {
    # Beginnings of models' names that say whose they are, though `genai-prices` doesn't tell it from the name. Langfuse
    # and LiteLLM, among others, name no provider beside an embedding.
    "text-embedding-3-": "openai",
    "text-embedding-ada-": "openai",
    "text-davinci-": "openai",
    "chatgpt-": "openai",
    "ft:gpt-": "openai",
}

_NOT_SOLD: Mapping[str, str] = {
    # Open models that `genai-prices` finds at a provider who doesn't sell them, or not at that price.
    "openai": "gpt-oss",
    "azure": "gpt-oss",
    "deepseek": "distill",
}

_LITELLM_ROUTES = ("converse/", "invoke/", "chat/", "responses/")
"""Ways to call a model that LiteLLM writes behind the provider."""

_GOOGLE = re.compile(r"(?:projects/.+/)?(?:publishers/[^/]+/)?models/(?P<model>[^/]+)")
"""A resource name of Google's: `models/gemini-2.5-pro`, `publishers/google/models/…`, `projects/…/models/…`."""

_HOST = re.compile(
    r"(?:https?://)?(?P<host>localhost|\d{1,3}(?:\.\d{1,3}){3}|(?:[a-z0-9-]{1,63}\.)+(?:ai|app|cn|cloud|com|dev|io|local|net|"
    r"org|run|xyz))(?::\d{1,5})?(?:/.*)?"
)
"""A host in the place of a provider's name: LiveKit writes where its client sends its requests."""


def host_of(provider: str) -> str:
    """The host that is written in the place of a provider's name; empty where none is."""
    found = _HOST.fullmatch(provider.strip().lower())
    return found["host"] if found else ""


def providers_of(name: str) -> list[str]:
    """What a provider may be called in `genai-prices`, the likeliest first; empty where the model decides."""
    name = name.strip().lower()
    if not name or name.replace("-", "_") in NOT_PROVIDERS or name.startswith("fallback:"):
        return []
    # `openai.chat` of Vercel's AI SDK is OpenAI.
    return [ALIASES.get(candidate, candidate) for candidate in (name, name.partition(".")[0])]


def forms_at(provider: str, model: str) -> Iterator[str]:
    """What a model may be called at this provider of `genai-prices`, the likeliest first."""
    yield model
    model = model.lower()
    prefix, _, rest = model.partition("/")
    if rest and PREFIXES.get(prefix) == provider:
        yield from _without_route(rest)
    elif _COLON_PREFIXES.get(model.partition(":")[0]) == provider:
        yield model.partition(":")[2]
    elif provider == "google" and (found := _GOOGLE.fullmatch(model)):
        yield found["model"]
    elif provider == "aws" and "." not in model.partition(":")[0].split("-")[0]:
        # OpenLLMetry cuts the maker off, and the region with it.
        yield from (f"{maker}.{model}" for maker in MAKERS)


def sellers_of(model: str) -> Iterator[tuple[str | None, str]]:
    """Where a model may be bought when its name alone is known, and its name there.

    None: by whom the name itself belongs to (`gpt-…` is OpenAI's).
    """
    yield None, model
    yield from ((maker, model) for beginning, maker in _NAMED_BY.items() if model.startswith(beginning))
    model = model.lower()
    prefix, _, rest = model.partition("/")
    if prefix == "google" and rest.startswith("gemini"):
        # Not `google/gemma-…`, an open model.
        yield "google", rest
    elif rest and prefix in PREFIXES:
        for form in _without_route(rest):
            yield PREFIXES[prefix], form
    elif found := _GOOGLE.fullmatch(model):
        yield "google", found["model"]
    elif is_of_bedrock(model):
        yield "aws", model
    elif (named := model.partition(":"))[0] in _COLON_PREFIXES and named[2]:
        yield _COLON_PREFIXES[named[0]], named[2]


def makers_of(model: str) -> Iterator[tuple[str | None, str]]:
    """Whose price holds at a gateway that adds nothing, and the model's name there."""
    prefix, _, rest = model.lower().partition("/")
    if rest and prefix in _MAKERS:
        yield _MAKERS[prefix], rest


def is_makers_own(seller: str) -> bool:
    """Whether what a seller of `genai-prices` sells is its own, and nobody else's under another price."""
    return seller in _MAKERS.values()


def is_sold(provider: str, model: str) -> bool:
    """Whether a provider of `genai-prices` sells the model that was found there."""
    open_model = _NOT_SOLD.get(provider)
    return open_model is None or open_model not in model.lower()


def _without_route(model: str) -> Iterator[str]:
    yield model
    for route in _LITELLM_ROUTES:
        if model.startswith(route):
            yield model.removeprefix(route)
