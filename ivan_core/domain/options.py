"""Options of a command line: declared at the fields of a spec, and the command that gives it back.

`ivan_core.cli.options` reads what is written here, so a field is said in one way only.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from ivan_core.domain.specs import RowsSpec


_LATE: dict[type, int] = {tuple: 1, bool: 2}


@dataclass(frozen=True, slots=True)
class Option:
    """How a field of a spec is said on the command line.

    Its help is the field's description, then what `more` adds. A list is one word with commas, or
    said once for each value where it is `repeated`. A field of True or False has a flag that says
    the opposite of its default.
    """

    flag: str
    metavar: str | None = None
    more: str = ""
    help: str = ""
    """What to say in place of the description."""
    also: tuple[str, ...] = ()
    """Other spellings, which are read and never written."""
    choices: tuple[str, ...] | None = None
    repeated: bool = False
    preset: bool = False
    """Whether a preset fills it, so that a command that is shown always says it."""
    leads: bool = False
    """Whether a command that is shown says it first."""


@dataclass(frozen=True, slots=True)
class FieldOption:
    """A field of a spec, where it lies in it, and its option."""

    path: tuple[str, ...]
    field: FieldInfo
    option: Option

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def type(self) -> type:
        """What its values are: bool, int, float, str or tuple."""
        made_of: Any = self.field.annotation
        if get_origin(made_of) in (Union, UnionType):
            made_of = next(one for one in get_args(made_of) if one is not type(None))
        kind: type = get_origin(made_of) or made_of
        return kind if kind in (bool, int, float, tuple) else str

    def value(self, spec: BaseModel) -> Any:
        """What a spec holds in the field."""
        value: Any = spec
        for name in self.path:
            value = getattr(value, name)
        return value

    def words(self, value: Any) -> list[str]:
        """A value as words of a command line."""
        if self.type is bool:
            return [self.option.flag]
        said = value if self.option.repeated else [value]
        if self.type is tuple and not self.option.repeated:
            said = [",".join(str(one) for one in value)]
        # A value that begins with a dash would be read as an option of its own.
        return [
            word
            for text in map(str, said)
            for word in (
                [f"{self.option.flag}={text}"] if text[:1] == "-" else [self.option.flag, text]
            )
        ]


def field_options(spec: type[BaseModel]) -> tuple[FieldOption, ...]:
    """The fields of a spec that have an option, in their order, those of its parts included."""
    given: list[FieldOption] = []
    own = getattr(spec, "own_options", {})
    for name, field in spec.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            parts = field_options(field.annotation)
            given += [FieldOption((name, *part.path), part.field, part.option) for part in parts]
            continue
        declared = next((item for item in field.metadata if isinstance(item, Option)), None)
        option = own.get(name, declared)
        if option is not None:
            given.append(FieldOption((name,), field, option))
    return tuple(given)


def form_names(spec: type[BaseModel]) -> dict[str, str]:
    """What the fields of a spec are called on a form, by their options; those that have a name."""
    named = ((one.option.flag, one.field.title) for one in field_options(spec))
    return {flag: title for flag, title in named if title}


def option_words(spec: BaseModel) -> list[str]:
    """The options that give the fields of a spec, usual values left out.

    A field without an option is not said.
    """
    words: list[str] = []
    options = field_options(type(spec))
    # What is long comes behind what is short, and flags last; else the order is that of the fields.
    for one in sorted(options, key=lambda one: (not one.option.leads, _LATE.get(one.type, 0))):
        value = one.value(spec)
        if one.option.preset or value != one.field.default:
            words += one.words(value)
    return words


def command_of(spec: RowsSpec) -> str:
    """The command that gives a spec back when it is parsed.

    First rows that the command has no word for are named by their ids.
    """
    if spec.limit is not None and all(one.name != "limit" for one in field_options(type(spec))):
        spec = spec.model_copy(update={"limit": None, "row_ids": tuple(range(spec.limit))})
    return shlex.join([*spec.command.split(), *option_words(spec)])


def comma_list(text: str) -> Sequence[str]:
    """The parts of a comma-separated list that are not empty."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
