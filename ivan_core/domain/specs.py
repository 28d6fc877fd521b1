"""What a run is asked to do: frozen, JSON, the same for form, command line and worker."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import InputFormat, SystemTurns


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON, 16 hex digits: equal specs have equal fingerprints."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:16]


class DatasetRequest(Frozen):
    """Which preference data: the bundled sample, a hub dataset or a local file."""

    source: str = Field(
        "sample",
        description="The bundled `sample`, a hub dataset such as Anthropic/hh-rlhf, or a file "
        "(JSONL, JSONL.GZ, CSV or Parquet) with the columns chosen and rejected.",
    )
    subset: str = Field(
        "", description="One part of a hub dataset, such as harmless-base; all if empty."
    )
    split: str = Field("train", description="The split of a hub dataset.")
    revision: str = Field(
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

    dataset: DatasetRequest = DatasetRequest()
    limit: int | None = Field(None, description="Only the first N rows (not a random sample).")
    sample: int | None = Field(
        None, description="A random draw of N rows, the same for the same seed."
    )
    row_ids: tuple[int, ...] | None = Field(
        None, description="Only these rows, by position; the first is 0."
    )
    seed: int = Field(0, description="Seed of the draw and of the order in which rows are done.")

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
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in parts if not part.isdecimal()]
    if wrong or not parts:
        raise BadInput(
            f"Row ids are whole numbers from 0, not {', '.join(wrong) or 'an empty list'}.",
            'Separate them by commas: --row-ids "0, 17, 98434".',
        )
    return tuple(int(part) for part in parts)


class CompareSpec(RowsSpec):
    """Judge the pairs of one dataset with one or more reward models."""

    kind: Literal["compare"] = "compare"
    models: tuple[str, ...] = Field(
        (),
        description="Reward models: names from the catalog, hub ids or local directories; "
        "`id@revision` pins a revision.",
    )
    input_format: InputFormat | None = Field(
        None,
        description="How a dialogue is put to the model: last-turn, openassistant, as-published or "
        "chat; by default the one that fits the model.",
    )
    max_tokens: int | None = Field(
        None, description="Longest input in tokens; by default as long as the model was made for."
    )

    system: SystemTurns = Field(
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


def build_spec(fields: dict[str, Any]) -> CompareSpec:
    """A compare spec from a form or command line.

    Raises:
        BadInput: a field makes no sense; the sentence names it.
    """
    return checked(CompareSpec, fields, "ivan compare")


def checked(kind: type[AnySpec], fields: dict[str, Any], command: str) -> AnySpec:
    """A spec of a kind from a form or command line.

    Raises:
        BadInput: a field makes no sense; the sentence names it, the hint the command's help.
    """
    chosen = [name for name in ("limit", "sample", "row_ids") if fields.get(name) is not None]
    if len(chosen) > 1:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in chosen)
        raise BadInput(f"{options} exclude each other.", "Give one of them.")
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        reason = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{name.replace('_', '-')} {reason}.", f"See `{command} --help`.") from None
