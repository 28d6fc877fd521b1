"""How labelers are checked in an analysis, and what people's labels of some pairs add to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_analyses import INSULT, KEYS, OTHER, PLAIN, SIDES, UNLABELLED, UNRATED, Analysing
from given.made_labellings import REFUSAL
from given.made_reviews import Said

from ivan_core.annotations.queues import Queues
from ivan_core.charts.imprint import imprint_dots
from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import Item, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import archive, datasets, figures as of_run, zips
from ivan_core.experiments.analysis.figures import imprint_rows
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences.noise import (
    labeler_sentence,
    people_rows,
    reviewed_sentence,
)
from ivan_core.experiments.analysis.sentences.quotes import quotes
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence
from ivan_core.experiments.analysis.sentences.several import difference_rows
from ivan_core.experiments.labels.results import open_labels
from ivan_core.labels.table import read_labels, write_labels
from ivan_core.review.queues import make_queue, queue_request
from ivan_core.review.whole_pairs import (
    Described,
    asking_of_pairs,
    described,
    usable_rows,
    whole_rows,
)
from ivan_core.runs.registry import Registry

ASKED = KEYS[:3]
MANY = 320


class Describing:
    """People who describe replies of the pairs of a study."""

    def __init__(self, analysing: Analysing) -> None:
        self.analysing = analysing
        found = datasets.find(DatasetRequest(source=str(analysing.file)))
        assert found is not None
        self.said = Said(analysing.data_dir, found.fingerprint)

    def queue(self, rows: int, **fields: object) -> Queue:
        items = [(row, side) for row in range(rows) for side in SIDES]
        return self.said.queue(items, ASKED, **fields)  # type: ignore[arg-type]

    def describe(
        self, queue: Queue, rows: int, wrong: set[int] | None = None, **how: object
    ) -> None:
        """Ada describes both replies of the first rows, and mistakes a refusal in some chosen."""
        for row in range(rows):
            for side in SIDES:
                answers: dict[str, Label] = self.analysing.right(row, side)
                if side == "chosen" and row in (wrong or set()):
                    answers[REFUSAL] = not answers[REFUSAL]
                self.said.say(queue, "Ada", row, side, answers, **how)  # type: ignore[arg-type]


def analysed(analysing: Analysing, *labelled: str) -> Analysed:
    compared = analysing.compared((PLAIN, OTHER))
    return open_analysis(analysing.analysed(compared, *(labelled or (analysing.labelled(),))))


def sentence(found: Analysed) -> str:
    return labeler_sentence(found, found.labelers[0])


def test_a_labeler_whom_nobody_checked_says_so(analysing: Analysing) -> None:
    found = analysed(analysing)
    assert found.labelers[0].checked is None
    assert sentence(found).startswith("Labels by reader:1b: nobody has checked this labeler. Its")
    assert "there were 0 when" in reviewed_sentence(found, found.labelers[0].run_id)


def test_it_is_checked_by_blind_answers_to_random_items_alone(analysing: Analysing) -> None:
    compared, labelled = analysing.compared((PLAIN,)), analysing.labelled()
    people = Describing(analysing)
    people.describe(people.queue(8), 8, wrong={0, 1})
    people.describe(people.queue(20, source="starred"), 20)
    people.describe(people.queue(20), 20, prefill=labelled)
    found = open_analysis(analysing.analysed(compared, labelled))
    checked = found.labelers[0].checked
    assert checked is not None and (checked["by"], checked["who"]) == ("people", 1)
    # Of 8 pairs, one reply has no labels: 15 texts, three answers each, two of them mistaken.
    assert checked["texts"] == 15 and UNLABELLED < 8
    assert (checked["same"]["count"], checked["same"]["n"]) == (43, 45)
    assert checked["same"]["low"] < 43 / 45 < checked["same"]["high"]
    told = sentence(found)
    assert told.startswith("Labels by reader:1b: the same answer as people in 96% [")
    assert "of 45 answers (1 person, blind, on 15 texts drawn at random" in told
    assert found.used(PLAIN, labelled)["reviewed"] == 6  # row 3 is not rated, row 5 not labelled
    assert "there were 6 when" in reviewed_sentence(found, labelled)
    assert "corrected" not in found.tables


def test_without_people_labelers_are_set_beside_each_other(analysing: Analysing) -> None:
    found = analysed(analysing, analysing.labelled(), analysing.labelled("other:1b"))
    checked = found.labelers[0].checked
    assert checked is not None and (checked["by"], checked["who"]) == ("labelers", 1)
    assert (checked["texts"], checked["same"]["count"]) == (119, 3 * 119)
    assert "which people have not checked: the same answer as other:1b in 100%" in sentence(found)


@pytest.fixture
def many(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Analysing:
    return Analysing(data_dir, monkeypatch, count=MANY)


def test_from_300_described_pairs_on_effects_stand_beside_as_people_label(many: Analysing) -> None:
    compared, labelled = many.compared((PLAIN, OTHER)), many.labelled()
    people = Describing(many)
    queue = people.queue(MANY)
    people.describe(queue, 300)
    few = open_analysis(many.analysed(compared, labelled))
    # One is not rated and one not labelled: 298 of the 300 enter.
    assert few.used(PLAIN, labelled)["reviewed"] == 298 and "corrected" not in few.tables
    alone = few.table("imprint", model=PLAIN, view="together", control="length")
    people.describe(queue, MANY)
    found = open_analysis(many.analysed(compared, labelled))
    table = found.table("corrected", model=PLAIN, before="", labeler=labelled)
    table = table.set_index("feature")
    assert set(table.index) == {*ASKED, "log_length"} and set(table["reviewed"]) == {MANY - 2}
    own = found.table("imprint", model=PLAIN, before="", view="together", control="length")
    own = own.set_index("feature")
    # People and labeler say the same of all pairs, so nothing is corrected.
    for name in table.index:
        assert table.loc[name, "estimate"] == pytest.approx(own.loc[name, "estimate"])
    assert own.loc[REFUSAL, "clear"] == "clear"
    # So is the difference of two models: on the same rows it is that of their corrected imprints.
    apart = found.table("corrected", model=PLAIN, before=OTHER).set_index("feature")
    other = found.table("corrected", model=OTHER, before="").set_index("feature")
    change = table["estimate"] - other["estimate"]
    assert apart["estimate"].tolist() == pytest.approx(change.tolist())
    drawn = difference_rows(found, PLAIN, OTHER, labelled)
    assert set(drawn["before"]) == {OTHER} and "as people label" in set(drawn["clear"])
    assert set(people_rows(found, labelled, "together", "length")["before"]) == {""}
    before = alone[alone["before"] == ""].set_index("feature")
    assert before.loc[REFUSAL, "clear"] == "clear for this labeler"
    beside = imprint_rows(found, labelled, "together", "length")
    assert set(beside["clear"]) >= {"clear", "as people label"}
    heading = imprint_dots(beside, {}).to_dict()["title"]
    assert heading["subtitle"][1:] == ["diamond: as people label"], "a narrow chart cuts no line"
    assert people_rows(found, labelled, "alone", "").empty
    row = people_rows(found, labelled, "together", "length").to_dict("records")[0]
    told = effect_sentence(row, found.labelers[0])
    assert told.startswith("As people label, alike in all else in this table, org/plain gives a")
    assert "people described 318 of 318 pairs" in told
    assert "Diamonds: as people label." in reviewed_sentence(found, labelled)
    assert "drawn where all else" in reviewed_sentence(found, labelled, "alone", "")
    assert told in [one.sentence for one in quotes(found)]


def test_a_queue_of_pairs_that_people_answer_gives_effects_as_people_label(many: Analysing) -> None:
    """From the offer of an analysis to its diamonds: who answers is written down here."""
    compared, labelled = many.compared((PLAIN,)), many.labelled()
    before = open_analysis(many.analysed(compared, labelled))
    asking = asking_of_pairs(before, labelled, described(before, labelled))
    assert asking is not None and asking.runs == (before.run.id, labelled)
    assert asking.does == "Ask people to describe both replies of 300 pairs"
    assert asking.terms == "free, about 15 hours in all"  # 600 replies at 90 s
    asked: dict[str, object] = {
        "dataset": before.dataset.fingerprint,
        "task": "describe",
        "sides": "both",
        "runs": asking.runs,
        "count": 2 * asking.count,
        "keys": ASKED,
    }
    queue = make_queue(queue_request(asked))
    items = Queues(many.data_dir).items(queue.id)
    rows = whole_rows(items)
    assert len(items) == 600 and len(rows) == 300
    assert rows <= set(usable_rows(before, labelled))
    assert not {UNRATED, UNLABELLED} & rows, "they would not enter its numbers"
    assert asking_of_pairs(before, labelled, described(before, labelled)) is None, "they are asked"
    said = Describing(many).said

    def answer(some: list[Item]) -> None:
        for one in some:
            said.say(queue, "Ada", one.row_id, one.side, many.right(one.row_id, one.side))

    answer(items[:595])
    now = described(before, labelled)
    assert now.whole + now.half == 300 and 0 < now.half <= 5 and not now.unsure
    told = f"By now people have described both replies of {now.whole} of 300 pairs. "
    assert now.sentence == f"{told}Not counted: {now.half} more by one reply alone."
    answer(items[595:])
    one = items[-1]
    unsure = many.right(one.row_id, one.side) | {REFUSAL: None}
    said.say(queue, "Ada", one.row_id, one.side, unsure)
    now = described(before, labelled)
    assert now == Described(299, 0, 1) and "with a “can't tell” or as many" in now.sentence
    more = asking_of_pairs(before, labelled, now)
    assert more is not None and more.count == 1, "a pair that does not count is made up for"
    answer(items[-1:])
    assert described(before, labelled) == Described(300)
    found = open_analysis(many.analysed(compared, labelled))
    table = found.table("corrected", model=PLAIN, labeler=labelled)
    assert set(table["reviewed"]) == {300} and REFUSAL in set(table["feature"])
    beside = imprint_rows(found, labelled, "together", "length")
    assert "as people label" in set(beside["clear"])
    rest = make_queue(queue_request(asked))
    left = whole_rows(Queues(many.data_dir).items(rest.id))
    assert left == set(usable_rows(before, labelled)) - rows, (
        "a further draw takes pairs of which nobody was asked"
    )


def test_what_people_say_otherwise_is_not_clear_and_is_corrected(many: Analysing) -> None:
    """People see insults where the labeler sees none, in as many replies as it sees them."""
    compared, labelled = many.compared((PLAIN,)), many.labelled()
    people = Describing(many)
    queue = people.queue(MANY)
    for row in range(MANY):
        for side in SIDES:
            answers = many.right(row, side)
            answers[INSULT] = many.right((row + 7) % MANY, side)[INSULT]
            people.said.say(queue, "Ada", row, side, answers)
    found = open_analysis(many.analysed(compared, labelled))
    own = found.table("imprint", view="together", control="length").set_index("feature")
    table = found.table("corrected").set_index("feature")
    assert own.loc[INSULT, "high"] < 0 and own.loc[INSULT, "clear"] == ""
    assert table.loc[INSULT, "low"] < 0 < table.loc[INSULT, "high"]
    assert own.loc[REFUSAL, "clear"] == "clear"


def test_it_leaves_as_a_zip_and_comes_back_with_figure_and_all(
    many: Analysing, tmp_path: Path
) -> None:
    compared, labelled = many.compared((PLAIN,)), many.labelled()
    people = Describing(many)
    people.describe(people.queue(MANY), MANY)
    before = open_analysis(many.analysed(compared, labelled))
    zips.export(before.run.id, tmp_path / "run.zip")
    archive.delete(before.run.id)
    open_analysis.cache_clear()
    after = open_analysis(zips.import_zip(tmp_path / "run.zip").run_id)
    assert after.labelers[0].checked == before.labelers[0].checked is not None
    assert after.table("corrected").equals(before.table("corrected"))
    assert "as people label" in of_run.figure(after.run.id, "imprint", "csv").decode()


def test_labels_that_were_mended_or_asked_again_are_left_out_where_that_is_asked(
    analysing: Analysing,
) -> None:
    compared, labelled = analysing.compared((PLAIN,)), analysing.labelled()
    path = Registry(analysing.data_dir).folder(labelled) / "labels.parquet"
    table = read_labels(path)
    mended = table["row_id"].eq(7) & table["preference"].eq("chosen")
    again = table["row_id"].eq(9) & table["preference"].eq("rejected")
    table.loc[mended, "status"] = "repaired"
    table.loc[again, "attempt"] = 2
    write_labels(path, table)
    open_labels.cache_clear()
    every = open_analysis(analysing.analysed(compared, labelled))
    first = open_analysis(analysing.analysed(compared, labelled, first_try=True))
    out = {"not rated": 1, "not labelled on both sides": 1}
    assert every.used(PLAIN, labelled)["out"] == out
    own = first.used(PLAIN, labelled)
    assert own["used"] == every.used(PLAIN, labelled)["used"] - 2
    assert own["out"] == {**out, "labels mended or asked again": 2}
    assert sentence(first).endswith(" Only replies whose labels came valid at first try.")
    assert first.spec.command_line.endswith(" --first-try")
