"""The pairs and texts behind a number of agreement: what everybody said of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.domain.labels import Label, TextKey
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, ItemSide
from ivan_core.engine.opinions import Used
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.numbers import in_words
from ivan_core.lists import page
from ivan_core.lists.short import snippet
from ivan_core.metrics.labels.answers import same_answer
from ivan_core.metrics.sentences import PROMPTS_SHARED, as_if, interval, percent, share_in_full
from ivan_core.review.agreement import Beside, Cell, Who

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.datasets.prepared import PreparedDataset

REVIEWERS = "reviewers"
"""Stands for the reviewers among themselves where somebody is chosen."""
_COLUMNS = ("Pair", "Side", "Chosen", "Rejected", "Reply")
CHOICE_WORDS = {
    "chosen": "the chosen reply",
    "rejected": "the rejected reply",
    NO_DIFFERENCE: "no difference",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One pair (side both) or text, and the answer of each who gave one, by name."""

    row_id: int
    side: ItemSide
    answers: Mapping[str, Label]

    @property
    def alike(self) -> bool:
        """Whether all who answered gave the same answer."""
        first, *others = self.answers.values()
        return all(same_answer(first, other) for other in others)


def between_listed(used: Used, key: str) -> list[Listed]:
    """The pairs (key BETTER) or texts on which two or more reviewers gave an answer."""
    found: dict[tuple[int, ItemSide], dict[str, Label]] = {}
    for name in used.people:
        if key == BETTER:
            said: Mapping[tuple[int, ItemSide], Label] = {
                (row, "both"): side for row, side in used.choices.get(name, {}).items()
            }
        else:
            said = {
                (text.row_id, text.preference): own.get(key)
                for text, own in used.texts.get(name, {}).items()
            }
        for at, answer in said.items():
            if answer is not None:
                found.setdefault(at, {})[name] = answer
    return [Listed(*at, said) for at, said in sorted(found.items()) if len(said) > 1]


def beside_listed(beside: Beside) -> list[Listed]:
    """The pairs that somebody and the reviewers judged."""
    return [
        Listed(row, "both", _two(beside.who, ours, theirs)) for row, ours, theirs in beside.rows
    ]


def cell_listed(cell: Cell) -> list[Listed]:
    """The texts of a cell: what somebody and the reviewers answered."""
    return [
        Listed(text.row_id, text.preference, _two(cell.who, ours, theirs))
        for text, ours, theirs in sorted(cell.texts, key=_order)
    ]


def _order(one: tuple[TextKey, Label, Label]) -> tuple[int, str]:
    return one[0].row_id, one[0].preference


def _two(who: Who, ours: Label, theirs: Label) -> dict[str, Label]:
    others = "the other reviewers" if who.reviews else "the reviewers"
    return {who.name if who.name != others else f"{who.name} ({who.kind})": ours, others: theirs}


def answer_in_words(key: str, answer: Label) -> str:
    """An answer as a person reads it."""
    if key == BETTER:
        return CHOICE_WORDS.get(str(answer), "can't tell")
    return in_words(answer) or "can't tell"


def quick_table(used: Used) -> pd.DataFrame:
    """The answers given in under a second, quickest first, to read: where, who, how quick."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "Queue": one.queue,
                "Pair": one.row_id,
                "Side": "" if one.side == "both" else one.side,
                "Who": one.reviewer,
                "Seconds": one.seconds,
                "Answer": "; ".join(
                    f"{answer_in_words(key, answer)}"
                    if key == BETTER
                    else f"{label_name(key)}: {answer_in_words(key, answer)}"
                    for key, answer in one.answers.items()
                ),
            }
            for one in sorted(used.quick, key=lambda one: one.seconds)
        ]
    )


def page_of(
    dataset: PreparedDataset, listed: Sequence[Listed], key: str, number: int
) -> pd.DataFrame:
    """Fifty of them to read: row, side, the replies' first words, and each answer in words."""
    import pandas as pd

    shown = page.page_of(listed, number)
    pairs = {one.row_id: one for one in dataset.pairs(sorted({one.row_id for one in shown}))}
    names = dict.fromkeys(name for one in listed for name in one.answers)
    columns = {name: f"{name} (reviewer)" if name in _COLUMNS else name for name in names}
    records = []
    for one in shown:
        pair = pairs[one.row_id]
        replies = {
            side: snippet(dialogue.reply)
            for side, dialogue in (("chosen", pair.chosen), ("rejected", pair.rejected))
        }
        said = {
            column: answer_in_words(key, one.answers[name]) if name in one.answers else ""
            for name, column in columns.items()
        }
        if one.side == "both":
            records.append(
                {
                    "Pair": one.row_id,
                    **said,
                    "Chosen": replies["chosen"],
                    "Rejected": replies["rejected"],
                }
            )
        else:
            records.append(
                {"Pair": one.row_id, "Side": one.side, **said, "Reply": replies[one.side]}
            )
    return pd.DataFrame.from_records(records)


def choices_table(found: Sequence[Beside]) -> pd.DataFrame:
    """Who chose as the reviewers do, as `charts.annotators.who_dots` draws it."""
    import pandas as pd

    nan = float("nan")
    return pd.DataFrame.from_records(
        [
            {
                "who": one.who.id,
                "name": _first_upper(one.who.name),
                "kind": one.who.kind,
                "n": one.rate.n if one.rate else 0,
                "same": one.rate.count if one.rate else 0,
                "rate": one.rate.rate if one.rate else nan,
                "low": one.rate.low if one.rate else nan,
                "high": one.rate.high if one.rate else nan,
                "label": share_in_full(one.rate) if one.rate else "no pair to tell from",
                "effective_n": one.rate.effective_n if one.rate else 0,
            }
            for one in found
        ]
    )


def cells_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """Who answers as the reviewers do, as `charts.annotators.question_cells` draws it."""
    import pandas as pd

    who = {cell.who.id: cell.who for cell in cells}
    told = [one.name for one in who.values()]
    names = {
        at: one.name if told.count(one.name) == 1 else f"{one.name} ({one.kind})"
        for at, one in who.items()
    }
    return pd.DataFrame.from_records(
        [
            {
                "who": cell.who.id,
                "name": names[cell.who.id],
                "key": cell.key,
                "question": label_name(cell.key),
                "n": cell.n,
                "same": cell.same,
                "share": cell.same / cell.n,
                "label": f"{cell.same:,} of {cell.n:,}",
                "positives": f"{cell.both:,} of {cell.either:,}",
                "few": cell.few,
                "told": f"{cell.same:,} of {cell.n:,} ({percent(rate.rate, cell.n)}"
                f" {interval(rate)}{as_if(rate, PROMPTS_SHARED)})",
                "low": rate.low,
                "high": rate.high,
                "effective_n": rate.effective_n,
            }
            for cell in cells
            if (rate := cell.rate) is not None
        ]
    )


def _first_upper(name: str) -> str:
    return name[:1].upper() + name[1:] if name.startswith("the ") else name
