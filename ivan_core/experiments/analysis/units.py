"""What an analysis is asked to do: a comparison and labels of the same rows, by their runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.domain.options import Option
from ivan_core.domain.specs import RowsSpec
from ivan_core.metrics.imprint.controls import CONTROLS, Control


def two_labels(asked: str, among: Sequence[str] = REGRESSION_FEATURES) -> tuple[str, ...]:
    """The two labels that A:B names, in the order of all labels; none if it is empty.

    Raises:
        ValueError: these are not two, or one is none of `among`.
    """
    if not asked:
        return ()
    named = [part.strip() for part in asked.split(":")]
    if len(named) != 2:
        raise ValueError(f"names two labels as A:B, not {asked!r}")
    unknown = next((name for name in named if name not in among), None)
    if unknown is not None:
        raise ValueError(f"names {unknown!r}, which is no label here")
    if named[0] == named[1]:
        raise ValueError(f"names {named[0]} twice: a label adds nothing to itself")
    return tuple(sorted(named, key=REGRESSION_FEATURES.index))


class AnalysisSpec(RowsSpec):
    """Join one comparison with labels of its rows, and ask what its models reward."""

    command: ClassVar[str] = "ivan analyse"

    kind: Literal["analysis"] = "analysis"
    comparison: str = Field(description="The comparison, by its run.")
    labelers: Annotated[
        tuple[str, ...], Option("--labeler", "RUN", more="May be repeated.", repeated=True)
    ] = Field(
        (),
        description="Labels of the same rows, by their run; by default all of the study, the "
        "newest of each labeler.",
    )
    rewording: str = Field(
        "",
        title="Rewording",
        description="A rewording of the same rows, by its run; none if empty.",
    )
    models: Annotated[
        tuple[str, ...], Option("--model", "M", more="May be repeated.", repeated=True)
    ] = Field((), description="Reward models of the comparison; all of them by default.")
    before: Annotated[str, Option("--before", "M")] = Field(
        "", title="Before training", description="The model before training."
    )
    after: Annotated[str, Option("--after", "M")] = Field(
        "", title="After training", description="The same model after training."
    )
    control: Annotated[Control, Option("--control", choices=CONTROLS)] = Field(
        "length",
        title="Beside the labels",
        description="What stands beside the labels: length (the difference in log length), none, "
        "or chosen (length and a constant: being chosen, beyond the labels).",
    )
    first_try: Annotated[bool, Option("--first-try")] = Field(
        False,
        title="Only labels that came valid at first try",
        description="Leave out texts whose labels were mended or asked for again: beside an "
        "analysis of all it shows what repair changes.",
    )

    interaction: Annotated[str, Option("--interaction", "A:B")] = Field(
        "",
        title="Two labels together",
        description="Two labels: what do both together add, beyond what each does by itself?",
    )

    @field_validator("interaction")
    @classmethod
    def _two_labels(cls, asked: str) -> str:
        return ":".join(two_labels(asked))

    @model_validator(mode="after")
    def _two_or_none(self) -> Self:
        if bool(self.before) != bool(self.after) or (self.before and self.before == self.after):
            raise ValueError("names no model before training and another one after it")
        return self

    @property
    def command_line(self) -> str:
        """The command that makes the same analysis."""
        words = [*self.command.split(), self.comparison]
        words += [self.rewording or "--no-rewording"]
        for flag, values in (("--labeler", self.labelers), ("--model", self.models)):
            words += [word for value in values for word in (flag, value)]
        if self.before:
            words += ["--before", self.before, "--after", self.after]
        if self.control != "length":
            words += ["--control", self.control]
        if self.interaction:
            words += ["--interaction", self.interaction]
        if self.first_try:
            words.append("--first-try")
        return shlex.join(words)
