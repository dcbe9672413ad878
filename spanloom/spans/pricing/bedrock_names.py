"""Names that Amazon Bedrock gives to models."""

from __future__ import annotations

import re

MAKERS = (
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "writer",
    "zai",
)
"""Whose models Bedrock sells, as they stand before the name of each."""

_BEDROCK = re.compile(
    r"(?:(?:us|us-gov|eu|apac|au|jp|ca|global)\.)?"
    rf"(?:{'|'.join(MAKERS)})\.[a-z].*"
    r"|arn:aws[a-z-]*:bedrock:[^/]*:(?:foundation-model|inference-profile)/.+"
)
"""An ID of Amazon Bedrock: `anthropic.claude-3-haiku-20240307-v1:0`, with or without a region, or an ARN with one.
Application inference profiles and provisioned models do not say of which model they are."""


def is_of_bedrock(model: str) -> bool:
    """Whether a model has a name that only Amazon Bedrock gives."""
    return _BEDROCK.fullmatch(model.lower()) is not None
