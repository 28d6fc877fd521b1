"""Figures and sentences of the reviews of a dataset, asked for as `reviews-FINGERPRINT`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core import __version__
from ivan_core.domain.errors import BadInput
from ivan_core.engine import datasets
from ivan_core.engine import handling as runs
from ivan_core.engine.opinions import Used, used_opinions
from ivan_core.experiments.labels.numbers import TITLES
from ivan_core.figures.chart import WILSON, Drawn
from ivan_core.figures.command import figure_command
from ivan_core.figures.picks import Picked, Quote, TakeAway, Wish, is_sample, only
from ivan_core.review.agreement import between_on_texts, cells_beside, choices_beside
from ivan_core.review.lists import cells_table, choices_table
from ivan_core.review.runs_on_pairs import comparisons, newest_labelings
from ivan_core.review.sentences import (
    cell_sentence,
    pairs_sentence,
    review_quotes,
    said_by,
    source_line,
    texts_sentence,
)

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

PREFIX = "reviews-"
_METHODS = (
    "Only blind answers to randomly drawn items entered, one a person and item; none that was"
    " changed once the choice could be known, and none given in under a second. The reviewers'"
    " answer is that of more than half of those who answered; a person was compared with the"
    " others."
)


@dataclass(frozen=True, slots=True)
class ReviewChart:
    """A chart of reviews: its name, what it shows, and whether there is anything to show."""

    name: str
    title: str
    draw: Callable[[PreparedDataset, Used], Drawn | None]
    options: tuple[str, ...] = ()


def reviews_id(dataset: PreparedDataset) -> str:
    """What stands for a run where figures and sentences of its reviews are asked for."""
    return f"{PREFIX}{dataset.fingerprint}"


def stamp(reviews: str) -> object:
    """What changes with every opinion that is saved."""
    return used_opinions(dataset_of(reviews)).stamp[3]


def sources(reviews: str) -> list[str]:
    """All of whom figures and sentences of reviews tell and that may be a path: the dataset, and
    the models and labelers beside the reviewers."""
    dataset = dataset_of(reviews)
    models = {model for run in comparisons(dataset) for model in runs.spec_of(run).models}
    labelers = {one.labeler for one in newest_labelings(dataset)}
    return [str(dataset.about["label"]), *sorted(models | labelers)]


def dataset_of(reviews: str) -> PreparedDataset:
    return datasets.by_fingerprint(reviews.removeprefix(PREFIX))


def _charts(reviews: str) -> list[ReviewChart]:
    dataset = dataset_of(reviews)
    used = used_opinions(dataset)
    return [chart for chart in CHARTS if chart.draw(dataset, used) is not None]


def _pick(reviews: str, name: str, wish: Wish) -> Picked:
    only(name, wish)
    dataset = dataset_of(reviews)
    used = used_opinions(dataset)
    chart = next((chart for chart in CHARTS if chart.name == name), None)
    if chart is None:
        known = ", ".join(chart.name for chart in CHARTS)
        raise BadInput(f"There is no chart {name!r}.", f"Choose one of {known}.")
    drawn = chart.draw(dataset, used)
    if drawn is None:
        raise BadInput(
            f"There is nothing to draw for {name} yet.",
            "It needs blind opinions of two people, or of one beside a labeler, on random items.",
        )
    about = dataset.about
    revision = f"revision {about['revision']}" if about["revision"] else "no revision"
    rows = (
        f"{said_by(used)} on items of {about['label']} ({revision}, fingerprint"
        f" {dataset.fingerprint})"
    )
    return Picked(
        lambda: drawn, (), (), rows, is_sample(dataset),
        lambda made: f"{source_line(dataset, used)} {_METHODS} {made.methods} Computed with IVAN"
        f" {__version__}.",
    )  # fmt: skip


def _choices(dataset: PreparedDataset, used: Used) -> Drawn | None:
    from ivan_core.charts.review_agreement import who_dots

    found = choices_beside(dataset, used)
    if not found:
        return None
    table = choices_table(found)
    told = " ".join(one.sentence for one in found)
    return Drawn(
        lambda: who_dots(table, dark=False),
        table,
        f"Who chooses the better reply as the reviewers do. {pairs_sentence(used)} {told}".strip(),
        f"Pairs on which either saw no difference, or a model gave equal rewards, were left out."
        f" {WILSON}",
    )


def _questions(_: PreparedDataset, used: Used) -> Drawn | None:
    from ivan_core.charts.annotators import agreement_dots

    table = between_on_texts(used)
    if table is None:
        return None
    title = "How far the reviewers agree"
    return Drawn(
        lambda: agreement_dots(table, TITLES, title=title, dark=False),
        table,
        f"{title} on each question. {texts_sentence(used)}",
        "Coefficients with 95% BCa intervals by prompt, all that share their first human turn"
        " together (1,000 bootstrap draws, seed 0): Cohen's kappa of two people, Krippendorff's"
        " alpha of more or where answers are missing, weighted for the sentiment; Jaccard's index"
        " of lists; Gwet's AC1 beside. “Can't tell” is no answer.",
    )


def _cells(dataset: PreparedDataset, used: Used) -> Drawn | None:
    from ivan_core.charts.review_agreement import question_cells

    cells = cells_beside(dataset, used)
    if not cells:
        return None
    table = cells_table(cells)
    return Drawn(
        lambda: question_cells(table, dark=False),
        table,
        "Who answers as the reviewers do: of the texts that both answered, those with the same"
        f" answer, by question. {' '.join(cell_sentence(cell) for cell in cells[:3])}",
        f"Lists count as the same if they name the same words. {WILSON} Both texts of a pair are"
        " one group.",
    )


CHARTS = (
    ReviewChart("review-choices", "Who chooses as the reviewers do", _choices),
    ReviewChart("review-questions", "How far the reviewers agree, by question", _questions),
    ReviewChart("review-cells", "Who answers as the reviewers do, by question", _cells),
)
_CHART_OF = {
    "Which reply is better?": "review-choices", "Do the reviewers agree?": "review-questions",
}  # fmt: skip


def _source(reviews: str) -> str:
    dataset = dataset_of(reviews)
    return source_line(dataset, used_opinions(dataset))


def _quotes(reviews: str) -> list[Quote]:
    dataset = dataset_of(reviews)
    return [
        Quote(
            one.question, one.sentence,
            figure_command(reviews, _CHART_OF.get(one.question, "review-cells"), "csv"),
        )
        for one in review_quotes(dataset, used_opinions(dataset))
    ]  # fmt: skip


REVIEWS = TakeAway(_charts, _pick, _source, _quotes)
