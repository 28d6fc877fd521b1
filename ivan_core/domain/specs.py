"""What a run is asked to do: frozen, JSON, the same for form, command line and worker."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import InputFormat, SystemTurns
from ivan_core.domain.options import Option, comma_list, field_options


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON, 16 hex digits: equal specs have equal fingerprints."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:16]


class DatasetRequest(Frozen):
    """Which preference data: the bundled sample, a hub dataset or a local file."""

    source: Annotated[str, Option("--dataset", "D", preset=True)] = Field(
        "sample",
        description="The bundled `sample`, a hub dataset such as Anthropic/hh-rlhf, or a file "
        "(JSONL, JSONL.GZ, CSV or Parquet) with the columns chosen and rejected.",
    )
    subset: Annotated[str, Option("--subset")] = Field(
        "", description="One part of a hub dataset, such as harmless-base; all if empty."
    )
    split: Annotated[str, Option("--split", more="Default: train.")] = Field(
        "train", description="The split of a hub dataset."
    )
    revision: Annotated[str, Option("--revision")] = Field(
        "", description="Branch, tag or commit of a hub dataset; pinned when resolved."
    )

    @property
    def label(self) -> str:
        """How the dataset is named in lists and sentences."""
        where = [
            part for part in (self.subset, self.split if self.split != "train" else "") if part
        ]
        return self.source + (f" ({', '.join(where)})" if where else "")


class RowsSpec(Frozen):
    """Which rows of which dataset a run is about."""

    command: ClassVar[str]
    """The words of the command line that ask for such a run."""
    own_options: ClassVar[dict[str, Option | None]] = {}
    """Fields that the command says in another way than declared here, or not at all."""

    dataset: DatasetRequest = DatasetRequest()
    limit: Annotated[int | None, Option("--limit", "N")] = Field(
        None, description="Only the first N rows (not a random sample)."
    )
    sample: Annotated[int | None, Option("--sample", "N")] = Field(
        None, description="A random draw of N rows, the same for the same seed."
    )
    row_ids: Annotated[
        tuple[int, ...] | None,
        Option("--row-ids", "IDS", more='Example: "0, 17, 98434".', also=("--set-row-ids",)),
    ] = Field(None, description="Only these rows, by position; the first is 0.")
    seed: Annotated[int, Option("--seed", more="Default: 0.")] = Field(
        0, description="Seed of the draw and of the order in which rows are done."
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
            f"Row ids are whole numbers from 0, not {', '.join(wrong) or 'an empty list'}.",
            'Separate them by commas: --row-ids "0, 17, 98434".',
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
        description="Reward models: names from the catalog, hub ids or local directories; "
        "`id@revision` pins a revision.",
    )
    input_format: Annotated[
        InputFormat | None, Option("--input-format", choices=get_args(InputFormat)[1:])
    ] = Field(
        None,
        description="How a dialogue is put to the model: last-turn, openassistant, as-published or "
        "chat; by default the one that fits the model.",
    )
    max_tokens: Annotated[int | None, Option("--max-tokens", "N")] = Field(
        None, description="Longest input in tokens; by default as long as the model was made for."
    )

    system: Annotated[SystemTurns, Option("--system", choices=get_args(SystemTurns))] = Field(
        "keep",
        description="What becomes of the system turns of chat messages: keep them, or drop them "
        "for a model whose chat template takes none.",
    )

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
