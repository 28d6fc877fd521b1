"""What a run that labels texts is asked to do: text by text, or as batches of a provider."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from ivan_core.domain.labels import FEATURES
from ivan_core.domain.options import Option
from ivan_core.domain.specs import DRAWN, RowsSpec

LEXICON = "ivan/lexicon"
"""The labeler that ships with IVAN: rules, no model."""
PROMPT = "labels-v1"


class _Labelled(RowsSpec):
    """What all runs that label share."""

    keys: Annotated[tuple[str, ...], Option("--keys", "KEYS", more="Separated by commas.")] = Field(
        FEATURES, description="Which of the 19 labels to ask for; all by default."
    )
    prompt: str = Field(PROMPT, description="The version of the prompt.")

    @field_validator("keys")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [key for key in value if key not in FEATURES]
        if unknown or not value:
            raise ValueError(f"has no label {unknown[0]!r}" if unknown else "names no label")
        return tuple(key for key in FEATURES if key in value)


class LabelSpec(_Labelled):
    """Label both texts of every pair one by one: with rules, or with a model on Ollama."""

    command: ClassVar[str] = "ivan taxonomy run-control-batch"
    own_options: ClassVar[dict[str, Option | None]] = DRAWN

    kind: Literal["labels"] = "labels"
    labeler: Annotated[str, Option("--model", "M", preset=True, leads=True)] = Field(
        LEXICON, description=f"{LEXICON} (rules, no model) or the name of a model on Ollama."
    )
    temperature: Annotated[float, Option("--temperature")] = Field(
        0.0, ge=0, le=2, description="Temperature of a model's answers."
    )
    num_ctx: Annotated[int | None, Option("--num-ctx", "N")] = Field(
        None, ge=512, description="Context of a model in tokens; by default as long as is needed."
    )


class TaxonomySpec(_Labelled):
    """Label both texts of every pair with a model behind OpenAI's Batch API."""

    command: ClassVar[str] = "ivan taxonomy create-batch"
    own_options: ClassVar[dict[str, Option | None]] = {"sample": None}

    kind: Literal["taxonomy"] = "taxonomy"
    model: Annotated[str, Option("--model", "M", preset=True, leads=True)] = Field(
        description="The model that labels, by the provider's name for it."
    )
    max_completion_tokens: Annotated[
        int, Option("--max-completion-tokens", "N", more="Default: 600.")
    ] = Field(
        600, ge=64, description="The longest answer in tokens; what is cut off there is not used."
    )
    queue_tokens: Annotated[int | None, Option("--queue-tokens", "N")] = Field(
        None,
        ge=1_000,
        description="Input tokens that the account may have waiting: files are no larger, and the "
        "next one is sent when there is room. Your account's limits page tells the number.",
    )
    input_usd: Annotated[float | None, Option("--input-usd", "X")] = Field(
        None, ge=0, description="Price of a million input tokens, for models without a known one."
    )
    output_usd: Annotated[float | None, Option("--output-usd", "X")] = Field(
        None, ge=0, description="Price of a million output tokens, for models without a known one."
    )
    max_usd: Annotated[float | None, Option("--max-usd", "X")] = Field(
        None, gt=0, description="Send nothing if the bound of the estimate is above this."
    )
    base_url: Annotated[str, Option("--base-url", "URL")] = Field(
        "", description="Where the API answers; by default what OPENAI_BASE_URL says."
    )
