"""What a run that rewords pairs is asked to do: who rewords what, who judges and who labels."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, field_validator

from ivan_core.domain.options import Option
from ivan_core.domain.specs import DRAWN, MODELS, RowsSpec

RULES = "ivan/rules"
"""The rewriter that ships with IVAN: rules, no model."""
MINILM = "ivan/minilm"
"""The similarity model that ships with IVAN."""
Scope = Literal["shared", "whole"]


class RewriteSpec(RowsSpec):
    """Reword pairs slightly, and measure what moves although the meaning did not."""

    command: ClassVar[str] = "ivan rewrite"
    own_options: ClassVar[dict[str, Option | None]] = DRAWN

    kind: Literal["rewrite"] = "rewrite"
    rewriter: Annotated[str, Option("--rewriter", "R", preset=True)] = Field(
        RULES,
        description=f"{RULES} (rules, no model), the name of a model on Ollama, or openai:NAME for "
        "a model behind an OpenAI-compatible server.",
    )
    models: Annotated[tuple[str, ...], MODELS] = Field(
        (),
        description="The two reward models whose rewards are set side by side: the one trained on "
        "the dataset first, the control second.",
    )
    scope: Annotated[Scope, Option("--scope", choices=get_args(Scope))] = Field(
        "shared",
        description="shared: the prompt that both sides share is reworded once and each last reply "
        "once. whole: each whole dialogue apart, as published.",
    )
    second: Annotated[
        bool, Option("--no-second", help="Do not reword a second time, independently.")
    ] = Field(
        True, description="Also reword a second time, independently: its spread is the noise."
    )
    similarity: Annotated[str, Option("--similarity", "S", preset=True)] = Field(
        MINILM, description="The model that tells how alike two texts are in meaning."
    )
    labeler: Annotated[str, Option("--labeler", "L")] = Field(
        "",
        description="Who labels original and reworded texts with five labels; nobody if empty: "
        "ivan/lexicon (rules), the name of a model on Ollama, or openai:NAME, whose cost is told "
        "and accepted first.",
    )
    ask_again: Annotated[bool, Option("--again")] = Field(
        False, description="Ask and pay a provider again for labels that this account has already."
    )
    temperature: Annotated[float, Option("--temperature", "T")] = Field(
        0.1, ge=0, le=2, description="Temperature of the rewording model."
    )
    num_ctx: Annotated[int | None, Option("--num-ctx", "N")] = Field(
        None, ge=512, description="Context of the rewording model in tokens; by default as needed."
    )

    @field_validator("models")
    @classmethod
    def _two_at_most(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names a model twice")
        if len(value) > 2:
            raise ValueError(f"names {len(value)}: a rewording is judged by one model or two")
        return value
