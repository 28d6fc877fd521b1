"""What reviews say, in sentences with n and interval, to be read and to be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivan_core.domain.reviews import BETTER, Task, reviewers_in_words
from ivan_core.domain.words import number_of
from ivan_core.engine.figures import REVIEWS
from ivan_core.engine.opinions import Used, ceiling_sentence
from ivan_core.experiments.analysis.sentences.looks import SECOND_LOOK
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.sentences import agreement_sentence, both_sentence
from ivan_core.figures.words import FOR_THE_PAPER, Quote
from ivan_core.metrics.labels.sentences import (
    TOO_FEW,
    coefficient_sentence,
    coefficients,
    same_rate,
    same_sentence,
)
from ivan_core.metrics.sentences import PROMPTS_SHARED, count_of
from ivan_core.review.agreement import (
    Cell,
    between_on_pairs,
    between_on_texts,
    cell_agreement,
    cells_beside,
    choices_beside,
)
from ivan_core.review.pace import paces
from ivan_core.review.second_look import preferred, preferred_sentence

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

NOBODY = (
    "Nobody has judged a random item of this dataset blind yet. Make a queue of a random sample and"
    " invite two people or more: how far they agree, and labelers and models with them, is shown"
    " here."
)
NO_PERSON = "No person has answered: agreement of rules says nothing about people."
_MOST_NAMES = 3
LEAST_PAIRS = 20
"""Below so many pairs judged twice, more than the count is not said."""


def headline(used: Used, task: Task) -> str:
    """How many people said how much, and how far they agree on one of the tasks."""
    if not used.opinions:
        return NOBODY
    told = [
        f"{reviewers_in_words(used.people)} judged items drawn at random without knowing the"
        f" choice, {number_of(used.opinions, 'opinion')} in all."
    ]
    if used.all_rules:
        told.append(NO_PERSON)
    said = pairs_sentence(used) if task == BETTER else texts_sentence(used)
    told.append(said or "No item has two opinions yet: how far people agree cannot be told.")
    return " ".join(told)


def pairs_sentence(used: Used) -> str:
    """How far the reviewers agree on which reply is better; empty while no pair has two choices.

    As in "Two people gave the same answer in 1 of 5 pairs (20% [4, 62]): too few to say more."
    """
    table = between_on_pairs(used)
    rate = None if table is None else same_rate(table.iloc[0].to_dict())
    if rate is None:
        return ""
    two = "Two rules" if used.all_rules else "Two people"
    if len(used.choices) != 2 or reviewers_in_words(used.choices) not in ("2 rules", "2 people"):
        two = "All who judged the same pair"
    few = ": too few to say more" if rate.n < LEAST_PAIRS else ""
    return f"{two} gave the same answer in {count_of(rate, 'pair')}{few}."


def pairs_numbers(used: Used) -> str:
    """The same in coefficients, for a paper; empty while no pair has two choices."""
    table = between_on_pairs(used)
    return "" if table is None else coefficients(table.iloc[0].to_dict())


def texts_sentence(used: Used, *, in_full: bool = False) -> str:
    """On which questions the reviewers agree most and least; empty while no text has two."""
    table = between_on_texts(used)
    return "" if table is None else agreement_sentence(table, names_of(used), in_full=in_full)


def names_of(used: Used) -> list[str]:
    """Those who described replies; of many, the first three and how many more there are."""
    names = sorted(used.texts)
    if len(names) <= _MOST_NAMES + 1:
        return names
    return [*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES} more"]


def cell_sentence(cell: Cell) -> str:
    """One question and one who answers it beside the reviewers."""
    told = (
        f"{cell.who.name} and {others_of(cell)} gave the same answer on {label_name(cell.key)} in"
        f" {count_of(cell.rate, 'text', PROMPTS_SHARED)}."
    )
    if not cell.either:
        return f"{told} Neither called any text so."
    told += f" Of {number_of(cell.either, 'text')} that either called so, both did {cell.both:,}."
    return f"{told} {TOO_FEW}" if cell.few else told


def others_of(cell: Cell) -> str:
    """Whom the one of a cell is set beside."""
    return "the other reviewers" if cell.who.reviews else "the reviewers"


def cell_numbers(cell: Cell) -> str:
    """The same in coefficients, for a paper."""
    return coefficients(cell_agreement(cell))


def dataset_of(used: Used) -> PreparedDataset:
    """The dataset that opinions were asked for."""
    if used.dataset is None:
        raise ValueError("opinions at a stamp belong to no dataset")
    return used.dataset


def reviews_id(dataset: PreparedDataset) -> str:
    """What stands for a run where figures and sentences of its reviews are asked for."""
    return f"{REVIEWS}{dataset.fingerprint}"


def review_quotes(used: Used) -> list[Quote]:
    """All sentences of the reviews of a dataset, by question; coefficients apart, at the end."""
    dataset = dataset_of(used)
    found: list[Quote] = []
    numbers: list[Quote] = []

    def for_the_paper(about: str, told: str, chart: str = "") -> None:
        if told:
            numbers.append(Quote(FOR_THE_PAPER, f"{about}: {told}", chart))

    for_the_paper(f"The {used.called} on which reply is better", pairs_numbers(used))
    for sentence in (pairs_sentence(used), ceiling_sentence(used)):
        if sentence:
            found.append(Quote("Which reply is better?", sentence, "review-choices"))
    for one in choices_beside(dataset, used):
        found.append(Quote("Which reply is better?", one.sentence, "review-choices"))
    table = between_on_texts(used)
    if table is not None:
        for row in table.to_dict("records"):
            said = f"{both_sentence(row)} {same_sentence(row)}"
            found.append(Quote("Do the reviewers agree?", said, "review-same-answers"))
            about = f"The reviewers on “{label_name(str(row['key']))}”"
            for_the_paper(about, coefficient_sentence(row), "review-questions")
    for cell in cells_beside(dataset, used):
        question = "Labelers and people beside the reviewers"
        found.append(Quote(question, cell_sentence(cell), "review-cells"))
        about = f"{cell.who.name} and {others_of(cell)} on “{label_name(cell.key)}”"
        for_the_paper(about, cell_numbers(cell))
    looked = preferred(dataset)
    if looked is not None and looked.enough:
        found.append(Quote(SECOND_LOOK, preferred_sentence(looked)))
    for pace in paces(used).values():
        found.append(Quote("How long does an answer take?", pace.sentence))
    return [*found, *numbers]


def source_line(used: Used) -> str:
    """What every sentence rests on."""
    told = [
        f"{dataset_of(used).about['label']}: {number_of(used.opinions, 'blind opinion')} on random"
        f" items by {reviewers_in_words(used.people)}.",
        NO_PERSON if used.all_rules else "",
        used.left_out_sentence,
    ]
    return " ".join(filter(None, told))


def said_by(used: Used) -> str:
    """As in "12 blind opinions by 2 people"."""
    return f"{number_of(used.opinions, 'blind opinion')} by {reviewers_in_words(used.people)}"
