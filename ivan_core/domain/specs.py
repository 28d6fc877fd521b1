"""What a run of each kind is asked to do: frozen, JSON, the same for form, command line and worker.

The dataset and the rows, then comparisons, labels and rewordings; columns of users are in
`user_columns`.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import AUTHOR, FEATURES
from ivan_core.domain.models import InputFormat, Quantization, SystemTurns
from ivan_core.domain.options import Option, comma_list, field_options
from ivan_core.domain.pairs import Columns
from ivan_core.domain.rewriting import Scope


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON, 16 hex digits: equal specs have equal fingerprints."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:16]


NO_COLUMN = "-"
"""Said in place of a column that a source shall be read without."""


class DatasetRequest(Frozen):
    """Which preference data: the bundled sample, a hub dataset or a local file."""

    source: Annotated[str, Option("--dataset", "D", preset=True)] = Field(
        "sample",
        title="Dataset",
        description="The bundled `sample`, a hub dataset such as Anthropic/hh-rlhf, or a file "
        "(JSONL, JSONL.GZ, JSON, CSV or Parquet) with two replies to a prompt in each row.",
    )
    subset: Annotated[str, Option("--subset")] = Field(
        "",
        title="Subset",
        description="One part of a hub dataset, such as harmless-base; all if empty.",
    )
    split: Annotated[str, Option("--split", more="Default: train.")] = Field(
        "train", title="Split", description="The split of a hub dataset."
    )
    revision: Annotated[str, Option("--revision")] = Field(
        "",
        title="Revision",
        description="Branch, tag or commit of a hub dataset; pinned when resolved.",
    )
    chosen_column: Annotated[str, Option("--chosen-column", "COLUMN")] = Field(
        "",
        title="Chosen reply",
        description="The column with the reply that was chosen; chosen if empty.",
    )
    rejected_column: Annotated[str, Option("--rejected-column", "COLUMN")] = Field(
        "",
        title="Rejected reply",
        description="The column with the other reply; rejected if empty.",
    )
    prompt_column: Annotated[str, Option("--prompt-column", "COLUMN")] = Field(
        "",
        title="Prompt",
        description="The column with the prompt, where the replies are without it; prompt if "
        f"empty, {NO_COLUMN} for none.",
    )
    subset_column: Annotated[str, Option("--subset-column", "COLUMN")] = Field(
        "",
        title="Subset of each pair",
        description=f"The column that names each pair's subset; subset if empty, {NO_COLUMN} for "
        "none.",
    )

    layout: Annotated[str, Option("--layout")] = Field(
        "",
        title="Layout",
        description="How the rows are laid out, such as helpsteer3 or rewardbench-2; found by the "
        "columns if empty.",
    )

    @model_serializer(mode="wrap")
    def _usual_columns_unsaid(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Usual columns are not written: a request that names them is as one that does not."""
        written: dict[str, Any] = write(self)
        return {
            name: value
            for name, value in written.items()
            if value or not (name == "layout" or name.endswith("_column"))
            if not name.endswith("_column") or value != name.removesuffix("_column")
        }

    @property
    def columns(self) -> Columns:
        """The columns that pairs are taken from."""
        said = {name: getattr(self, f"{name}_column") or name for name in Columns.__slots__}
        return Columns(**{name: "" if of == NO_COLUMN else of for name, of in said.items()})

    @property
    def label(self) -> str:
        """How the dataset is named in lists and sentences: a file by its name, not by its path."""
        where = [
            part for part in (self.subset, self.split if self.split != "train" else "") if part
        ]
        is_path = self.source.startswith(("/", "./", "../", "~"))
        named = PurePath(self.source).name if is_path else self.source
        return (named or self.source) + (f" ({', '.join(where)})" if where else "")


class RowsSpec(Frozen):
    """Which rows of which dataset a run is about."""

    command: ClassVar[str]
    """The words of the command line that ask for such a run."""
    own_options: ClassVar[dict[str, Option | None]] = {}
    """Fields that the command says in another way than declared here, or not at all."""

    dataset: DatasetRequest = DatasetRequest()
    limit: Annotated[int | None, Option("--limit", "N")] = Field(
        None, description="Only the first N pairs (not a random sample)."
    )
    sample: Annotated[int | None, Option("--sample", "N")] = Field(
        None, description="A random draw of N pairs, the same for the same seed."
    )
    row_ids: Annotated[
        tuple[int, ...] | None,
        Option("--row-ids", "IDS", more='Example: "0, 17, 98434".', also=("--set-row-ids",)),
    ] = Field(None, title="Pair numbers", description="Only these pairs; the first is 0.")
    seed: Annotated[int, Option("--seed", more="Default: 0.")] = Field(
        0, description="Seed of the draw and of the order in which pairs are done."
    )

    @field_validator("limit", "sample")
    @classmethod
    def _at_least_one(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise ValueError(f"must be at least 1, not {value}")
        return value


def parse_row_ids(text: str | None) -> tuple[int, ...] | None:
    """Row ids from a comma-separated list.

    Raises:
        BadInput: something in the list is not a whole number.
    """
    if text is None:
        return None
    parts = comma_list(text)
    wrong = [part for part in parts if not part.isdecimal()]
    if wrong or not parts:
        raise BadInput(
            f"Pair numbers are whole numbers from 0, not {', '.join(wrong) or 'an empty list'}.",
            "Separate them by commas, as in 0, 17, 98434.",
        )
    return tuple(int(part) for part in parts)


DRAWN: dict[str, Option | None] = {"limit": None, "sample": Option("--limit", "N")}
"""The options of commands whose --limit is a random draw rather than the first rows."""
MODELS = Option("--model", "M", more="May be repeated.", repeated=True, preset=True)


class CompareSpec(RowsSpec):
    """Judge the pairs of one dataset with one or more reward models."""

    command: ClassVar[str] = "ivan compare"

    kind: Literal["compare"] = "compare"
    models: Annotated[tuple[str, ...], MODELS] = Field(
        (),
        description="Reward models: names from the catalog, hub ids, local directories or "
        "addresses of servers, such as http://localhost:8000; `id@revision` pins a revision.",
    )
    input_format: Annotated[
        InputFormat | None, Option("--input-format", choices=get_args(InputFormat)[1:])
    ] = Field(
        None,
        title="Input format",
        description="How a dialogue is put to the model: last-turn, openassistant, as-published or "
        "chat; by default the one that fits the model.",
    )
    max_tokens: Annotated[int | None, Option("--max-tokens", "N")] = Field(
        None,
        title="Longest input, in tokens",
        description="Longest input in tokens; by default as long as the model was made for.",
    )

    system: Annotated[SystemTurns, Option("--system", choices=get_args(SystemTurns))] = Field(
        "keep",
        description="What becomes of the system turns of chat messages: keep them, or drop them "
        "for a model whose chat template takes none.",
    )
    quantization: Annotated[
        Quantization, Option("--quantization", choices=get_args(Quantization))
    ] = Field(
        "none",
        title="Weights",
        description="int8 holds the weights of a model's layers in 8 bits, which takes half of a "
        "card's memory and changes scores a little: how much is measured on a few pairs. Models "
        "that ship with IVAN stay as they are.",
    )

    @model_serializer(mode="wrap")
    def _usual_weights_unsaid(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Usual weights are not written: such a spec is as one from before there was a choice."""
        written: dict[str, Any] = write(self)
        if self.quantization == "none":
            written.pop("quantization", None)
        return written

    @property
    def fingerprint(self) -> str:
        """As for every spec; one that keeps system turns has that of before there was a choice."""
        kept = {"system"} if self.system == "keep" else None
        return sha256(self.model_dump_json(exclude=kept).encode()).hexdigest()[:16]

    @field_validator("max_tokens")
    @classmethod
    def _room_for_a_reply(cls, value: int | None) -> int | None:
        if value is not None and value < 16:
            raise ValueError(f"must be at least 16, not {value}")
        return value

    @field_validator("models")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names a model twice")
        return value


LEXICON = "ivan/lexicon"
"""The labeler that ships with IVAN: rules, no model."""
PROMPT = "labels-v1"
"""The version of the prompt that labelers are asked with now."""


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
        LEXICON, description=f"{LEXICON} (rules), {AUTHOR} (the sample's own) or a model on Ollama."
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
        title="Waiting tokens your account allows",
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
        None,
        gt=0,
        title="Cap, in dollars",
        description="Send nothing if the bound of the estimate is above this.",
    )
    base_url: Annotated[str, Option("--base-url", "URL")] = Field(
        "", description="Where the API answers; by default what OPENAI_BASE_URL says."
    )


RULES = "ivan/rules"
"""The rewriter that ships with IVAN: rules, no model."""
MINILM = "ivan/minilm"
"""The similarity model that ships with IVAN."""


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


AnySpec = TypeVar("AnySpec", bound=RowsSpec)


def checked(kind: type[AnySpec], fields: dict[str, Any]) -> AnySpec:
    """A spec of a kind from a form or command line.

    Raises:
        BadInput: a field makes no sense; the sentence names it, the hint the command's help.
    """
    rows = ("limit", "sample", "row_ids")
    chosen = [name for name in rows if fields.get(name) is not None]
    if len(chosen) > 1:
        flags = {one.name: one.option.flag for one in field_options(kind)}
        named = " and ".join(flags.get(name, f"--{name}") for name in chosen)
        raise BadInput(f"{named} exclude each other.", "Give one of them.")
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        reason = first["msg"].removeprefix("Value error, ")
        hint = f"See `{kind.command} --help`."
        raise BadInput(f"{name.replace('_', '-')} {reason}.", hint) from None
