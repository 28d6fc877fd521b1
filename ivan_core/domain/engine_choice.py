"""Where a run's reward models work: how it is run, and never what it finds.

It is no part of a spec: equal specs are one run, wherever that is done or goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.options import Option
from ivan_core.domain.specs import Frozen

EngineName = Literal["local", "ray"]
_ADDRESS = re.compile(r"auto|(\w[\w.-]*|\[[0-9a-fA-F:]+\]):(?P<port>[1-9]\d{0,4})", re.ASCII)
_LAST_PORT = 65_535


class EngineChoice(Frozen):
    """The engine that reward models work on, and how many of them at once."""

    engine: Annotated[EngineName, Option("--engine", choices=get_args(EngineName))] = Field(
        "local",
        title="Models work on",
        description="Where reward models work: local is this machine, ray is a Ray cluster. The "
        "results are the same.",
    )
    address: Annotated[str, Option("--address", "HOST:PORT")] = Field(
        "",
        title="Address of the cluster",
        description="Where the Ray cluster is, such as 10.0.0.1:6379; auto is the one that this "
        "machine belongs to. If empty, Ray starts on this machine alone.",
    )
    actors: Annotated[int | None, Option("--actors", "N")] = Field(
        None,
        ge=1,
        title="Models at once",
        description="How many copies of a model work at once on the cluster; by default one a "
        "graphics card, or one a machine where there is none.",
    )
    threads: Annotated[int | None, Option("--threads", "N")] = Field(
        None,
        ge=1,
        description="Processor cores for each copy on the cluster. A run that has begun keeps to "
        "its number: with another, scores differ in their last digits.",
    )

    @field_validator("address")
    @classmethod
    def _an_address(cls, value: str) -> str:
        value = value.strip()
        found = _ADDRESS.fullmatch(value)
        if value and (found is None or int(found["port"] or 0) > _LAST_PORT):
            raise ValueError(f"is {value[:60]!r}, which is neither host:port nor auto")
        return value

    @model_validator(mode="after")
    def _of_a_cluster(self) -> Self:
        named = [name for name in ("address", "actors", "threads") if getattr(self, name)]
        if self.engine == "local" and named:
            raise ValueError("is for the engine ray")
        return self


LOCAL = EngineChoice()


def checked_choice(fields: Mapping[str, Any]) -> EngineChoice:
    """A choice from a form or command line.

    Raises:
        BadInput: a field makes no sense; the sentence names it.
    """
    try:
        return EngineChoice(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        if first["loc"]:
            name = first["loc"][0]
            hint = "Write it as 10.0.0.1:6379." if name == "address" else "Give 1 or more."
            raise BadInput(f"The {name} {reason}.", hint) from None
        raise BadInput(
            f"An address or a number of actors or threads {reason}.",
            "Add --engine ray, or leave it out.",
        ) from None
