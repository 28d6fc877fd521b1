"""The charts of the reviews of a dataset, asked for as `reviews-FINGERPRINT`, and their words; as
`reviews-unnamed-FINGERPRINT` people have numbers in place of names.
"""

from __future__ import annotations

from collections.abc import Callable

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.figures import REVIEWS, UNNAMED
from ivan_core.engine.opinions import Used, unnamed, used_opinions
from ivan_core.experiments.labels.numbers import TITLES
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn
from ivan_core.figures.words import WILSON
from ivan_core.metrics.labels.agreement import SHARES
from ivan_core.review.agreement import between_on_texts, cells_beside, choices_beside
from ivan_core.review.lists import cells_table, choices_table
from ivan_core.review.runs_on_pairs import comparisons, newest_labellings
from ivan_core.review.sentences import (
    cell_sentence,
    dataset_of,
    pairs_sentence,
    review_quotes,
    said_by,
    source_line,
    texts_sentence,
)

_METHODS = (
    "Only blind answers to randomly drawn items entered, one a person and item; none that was"
    " changed once the choice could be known, and none given in under a second. The reviewers'"
    " answer is that of more than half of those who answered; each of them was compared with the"
    " others."
)


def _open(reviews: str) -> Used:
    if reviews.startswith(UNNAMED):
        return unnamed(_open(reviews.replace(UNNAMED, REVIEWS, 1)))
    return used_opinions(datasets.by_fingerprint(reviews.removeprefix(REVIEWS)))


def _choices(used: Used) -> Drawn:
    from ivan_core.charts.annotators import who_dots

    found = choices_beside(dataset_of(used), used)
    table = choices_table(found)
    told = " ".join(one.sentence for one in found)
    return Drawn(
        lambda: who_dots(table, dark=False),
        table,
        f"Who chooses the better reply as the reviewers do. {pairs_sentence(used)} {told}".strip(),
        f"Pairs on which either saw no difference, or a model gave equal rewards, were left out."
        f" {WILSON}",
    )


def _same_answers(used: Used) -> Drawn:
    from ivan_core.charts.same_answers import same_answer_dots

    table = between_on_texts(used)
    if table is None:
        raise _nothing_yet("review-same-answers")
    title = "How often the reviewers give the same answer"
    return Drawn(
        lambda: same_answer_dots(table, TITLES, title=title, dark=False),
        table[SHARES],
        f"{title}, by question. {texts_sentence(used)}",
        "Shares are of the texts that two people or more answered; lists count as the same if they"
        f" name the same words. “Can't tell” is no answer. {WILSON}",
    )


def _questions(used: Used) -> Drawn:
    from ivan_core.charts.annotators import agreement_dots

    table = between_on_texts(used)
    if table is None:
        raise _nothing_yet("review-questions")
    title = "How far the reviewers agree beyond chance"
    return Drawn(
        lambda: agreement_dots(table, TITLES, title=title, dark=False),
        table,
        f"{title} on each question. {texts_sentence(used, in_full=True)}",
        "Coefficients with 95% BCa intervals by prompt, all that share their first human turn"
        " together (1,000 bootstrap draws, seed 0): Cohen's kappa of two people, Krippendorff's"
        " alpha of more or where answers are missing, weighted for the sentiment; Jaccard's index"
        " of lists; Gwet's AC1 beside. “Can't tell” is no answer.",
    )


def _cells(used: Used) -> Drawn:
    from ivan_core.charts.annotators import question_cells

    cells = cells_beside(dataset_of(used), used)
    table = cells_table(cells)
    return Drawn(
        lambda: question_cells(table, dark=False),
        table,
        "Who answers as the reviewers do: of the texts that both answered, those with the same"
        f" answer, by question. {' '.join(cell_sentence(one) for one in cells[:3])}",
        f"Lists count as the same if they name the same words. {WILSON} Both texts of a pair are"
        " one group.",
    )


def _nothing_yet(chart: str) -> BadInput:
    return BadInput(
        f"There is nothing to draw for {chart} yet.",
        "It needs blind opinions of two people, or of one beside a labeler, on random items.",
    )


def _needs(there: Callable[[Used], object]) -> Callable[[str, Used], BadInput | None]:
    """Whether there is anything to draw."""
    return lambda chart, used: None if there(used) else _nothing_yet(chart)


CHARTS = (
    Chart(
        "review-choices",
        "Who chooses as the reviewers do",
        _choices,
        lacks=_needs(lambda used: choices_beside(dataset_of(used), used)),
    ),
    Chart(
        "review-same-answers",
        "How often the reviewers give the same answer, by question",
        _same_answers,
        lacks=_needs(lambda used: between_on_texts(used) is not None),
    ),
    Chart(
        "review-questions",
        "How far the reviewers agree beyond chance, by question (kappa or alpha, AC1)",
        _questions,
        lacks=_needs(lambda used: between_on_texts(used) is not None),
    ),
    Chart(
        "review-cells",
        "Who answers as the reviewers do, by question",
        _cells,
        lacks=_needs(lambda used: cells_beside(dataset_of(used), used)),
    ),
)


def _rows(used: Used) -> str:
    dataset = dataset_of(used)
    about = dataset.about
    revision = f"revision {about['revision']}" if about["revision"] else "no revision"
    return (
        f"{said_by(used)} on items of {about['label']} ({revision}, fingerprint"
        f" {dataset.fingerprint})"
    )


def _methods(used: Used, chosen: Chosen) -> str:
    return f"{source_line(used)} {_METHODS}"


def _paths(used: Used) -> list[str]:
    """The dataset, and the models and labelers beside the reviewers: each may be a path."""
    dataset = dataset_of(used)
    specs = (runs.spec_of(run, CompareSpec) for run in comparisons(dataset))
    models = {model for spec in specs for model in spec.models}
    labelers = {one.labeler for one in newest_labellings(dataset)}
    return [str(dataset.about["label"]), *sorted(models | labelers)]


FIGURES = ChartsAndSentences(
    CHARTS,
    _open,
    _rows,
    _methods,
    lambda used: "",
    source_line,
    review_quotes,
    moves=lambda used: used.stamp[3],
    paths=_paths,
    title=lambda used: f"Reviews of {dataset_of(used).about['label']}",
)
