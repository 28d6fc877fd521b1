"""Word counts as a kind of run: the words of both replies of every pair."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ivan_core.domain.options import Option
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine.kind import Kind, Transfer, late, record


class WordsSpec(RowsSpec):
    command: ClassVar[str] = "ivan wordiness"
    kind: Literal["words"] = "words"
    least: Annotated[int, Option("--least", "N")] = Field(1, description="Letters of a word.")


KIND = Kind(
    name="words",
    noun="word count",
    page="wordiness",
    stage="Words",
    folders=("words",),
    spec=WordsSpec,
    about=lambda spec: f"{spec.dataset.label} | words of {spec.least} letters",
    work=late("given.word_counts.work:work_words"),
    open=late("given.word_counts.results:open_words"),
    figures=record("given.word_counts.figures:FIGURES"),
    conditions=record("given.word_counts.results:LANGUAGE"),
    transfer=Transfer(archive=record("given.word_counts.results:ARCHIVE")),
)
