"""Options made from the fields of a spec, and the spec made from what was given to them.

With them, the whole command of an experiment that has none of its own.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from pydantic import BaseModel

from ivan_core.cli.follow import add_plan, follow_started, print_plan
from ivan_core.domain.engine_choice import LOCAL, EngineChoice, checked_choice
from ivan_core.domain.options import FieldOption, comma_list, field_options
from ivan_core.domain.specs import AnySpec, DatasetRequest, RowsSpec, checked, parse_row_ids
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import Kind


class SpecOptions:
    """The options of a spec's fields, each to be added once; the help texts are the spec's own."""

    def __init__(self, spec: type[BaseModel]) -> None:
        self._left = {one.name: one for one in field_options(spec)}

    def add(self, parser: argparse._ActionsContainer, *names: str, before: str = "") -> None:
        """Add the options of these fields, or all that are left; `before` opens their help."""
        for name in names or tuple(self._left):
            _add(parser, self._left.pop(name), before)

    def add_rows(self, parser: argparse.ArgumentParser) -> None:
        """Add those that say which rows of which dataset."""
        rows = [name for name in ("limit", "sample", "row_ids") if name in self._left]
        self.add(parser.add_argument_group("rows (all by default)"), *rows)
        self.add(parser, *DatasetRequest.model_fields)


def add_preset(parser: argparse.ArgumentParser, about: str = "What to start from") -> None:
    parser.add_argument("--preset", help=f"{about}: demo (default) or seal; also IVAN_PRESET.")


def _add(parser: argparse._ActionsContainer, one: FieldOption, before: str) -> None:
    option = one.option
    parts = (before, option.help or one.field.description or "", option.more)
    how: dict[str, Any] = {"help": " ".join(part for part in parts if part)}
    if one.type is bool:
        how |= {"action": "store_const", "const": not one.field.default}
    else:
        how |= {"metavar": option.metavar, "choices": option.choices}
        how |= {"action": "append"} if option.repeated else {}
        how |= {"type": one.type} if one.type in (int, float) else {}
    parser.add_argument(option.flag, *option.also, dest=one.name, **how)


def fields_from(
    spec: type[BaseModel], options: argparse.Namespace, preset: BaseModel
) -> dict[str, Any]:
    """The fields of a spec that options ask for, `preset` filling what they leave out.

    Raises:
        BadInput: a list of row ids is none.
    """
    fields: dict[str, Any] = {}
    for one in field_options(spec):
        value = _value(one, getattr(options, one.name))
        if one.option.preset and not value:
            value = one.value(preset)
        if value is not None:
            within = fields
            for name in one.path[:-1]:
                within = within.setdefault(name, {})
            within[one.name] = value
    return fields


def spec_from(spec: type[AnySpec], options: argparse.Namespace, preset: AnySpec) -> AnySpec:
    """The spec that options ask for, `preset` filling what they leave out.

    Raises:
        BadInput: an option makes no sense.
    """
    return checked(spec, fields_from(spec, options, preset))


def dataset_from(options: argparse.Namespace, source: str) -> DatasetRequest:
    """The dataset that options ask for; `source` if they name none."""
    preset = DatasetRequest(source=source)
    return DatasetRequest(**fields_from(DatasetRequest, options, preset))


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where models work."""
    SpecOptions(EngineChoice).add(parser.add_argument_group("where models work"))


def engine_from(options: argparse.Namespace) -> EngineChoice | None:
    """Where options say that models work; None where they do not.

    Raises:
        BadInput: an option makes no sense.
    """
    fields = fields_from(EngineChoice, options, LOCAL)
    return checked_choice(fields) if fields else None


def _value(one: FieldOption, given: Any) -> Any:
    """What was given to an option as the field holds it; None if nothing was."""
    if one.type is not tuple or given is None:
        return given
    if one.option.repeated:
        return tuple(given)
    return parse_row_ids(given) if one.name == "row_ids" else comma_list(given) or None


def add_command(commands: Any, kind: Kind) -> None:
    """Add the command that a kind's spec is named by."""
    spec = kind.spec
    if not issubclass(spec, RowsSpec):
        raise TypeError(f"a {kind.noun} chooses no rows, so no command asks for one")
    told = f"make a {kind.noun} of the pairs of a preference dataset"
    parser = commands.add_parser(
        spec.command.removeprefix("ivan "), help=told, description=f"{told.capitalize()}."
    )
    parser.set_defaults(run=partial(run_command, spec))
    fields = SpecOptions(spec)
    fields.add_rows(parser)
    fields.add(parser)
    add_plan(parser)


def run_command(asked: type[RowsSpec], options: argparse.Namespace) -> int:
    """Plan, start, follow, and print what came of it."""
    from ivan_core.datasets.chosen_rows import choose_rows
    from ivan_core.engine import datasets
    from ivan_core.engine.plan import FirstLook, ModelsAsked, first_look

    spec = spec_from(asked, options, asked.model_construct())
    look = first_look(spec, ModelsAsked()) if options.plan else FirstLook()
    found = datasets.find(spec.dataset)
    choice = choose_rows(spec, found) if found is not None else None
    pairs = "pairs not counted yet"
    if choice is not None:
        pairs = f"{len(choice.row_ids):,} pairs"
    elif look.pairs is not None:
        pairs = f"{look.pairs:,} pairs in all"
    print(f"{spec.dataset.label}: {pairs}.")
    if options.plan:
        return print_plan(choice.notes if choice is not None else (), look)
    run_id, new = runs.start(spec)
    return follow_started(run_id, new)
