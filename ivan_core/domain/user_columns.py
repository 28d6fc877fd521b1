"""A column that a user asks for: what to count or compute over the texts of a dataset."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ivan_core.domain.specs import Frozen

LONGEST_EXPRESSION = 500
Form = Literal["regex", "expression", "search"]
Over = Literal["reply", "prompt", "text"]


def _a_text(value: str) -> str:
    value.encode()  # half a surrogate pair is no text; UnicodeError says so
    return value


class ColumnSpec(Frozen):
    """A regular expression, an expression or words to search for, over the texts of a dataset.

    The column's id is the spec's fingerprint, so the same column is never computed twice: what does
    not change its values is brought into one form.
    """

    kind: Literal["column"] = "column"
    dataset: Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{16}\z")] = Field(
        description="The fingerprint of a prepared dataset."
    )
    form: Form = Field(
        "expression",
        description="regex counts the matches of a regular expression, search counts words without "
        "minding upper and lower case, expression computes a number such as len(reply).",
    )
    expression: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST_EXPRESSION), AfterValidator(_a_text)
    ] = Field(description=f"The expression, at most {LONGEST_EXPRESSION} characters.")
    over: Over = Field(
        "reply",
        description="What a regular expression or a search reads: the last reply, what comes "
        "before it, or the whole text. An expression names what it reads.",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.form == "expression":
            object.__setattr__(self, "over", "reply")
            object.__setattr__(self, "expression", self.expression.strip())
        elif self.form == "search":
            object.__setattr__(self, "expression", self.expression.casefold())
        if not self.expression.strip():
            raise ValueError("is empty")
        return self

    @property
    def id(self) -> str:
        """The column's name in files and URLs, 16 hex digits."""
        return self.fingerprint

    @property
    def label(self) -> str:
        """The column in words; may hold any characters."""
        where = "" if self.over == "reply" else f" in the {self.over}"
        if self.form == "regex":
            return f"matches of {self.expression}{where}"
        if self.form == "search":
            return f"“{self.expression}”{where}"
        return self.expression
