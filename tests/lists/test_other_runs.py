"""Rows of one run are asked for by what another run on the same pairs says of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given import made_runs
from given.made_labellings import FIRST, REFUSAL, SECOND, SENTIMENT, Labellings
from given.made_reviews import Said

from ivan_core.domain.rewriting import RewriteRequest
from ivan_core.experiments.compare import conditions as compare
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels import conditions as labels
from ivan_core.experiments.labels.report import file_columns as text_columns
from ivan_core.experiments.labels.results import open_labels
from ivan_core.experiments.rewrite import conditions as rewrite
from ivan_core.experiments.rewrite.conditions import FlipIs, SimilarityIn
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.report import file_columns as row_columns
from ivan_core.experiments.rewrite.results import Gate, open_rewrite
from ivan_core.lists.conditions import (
    Condition,
    Filter,
    Listing,
    fitting,
    matching,
    matching_rows,
    without_value,
)
from ivan_core.lists.download import write_rows
from ivan_core.lists.others import AllOf, Elsewhere, asked_elsewhere, called, offered, on_pairs
from ivan_core.lists.pairs import LongerIs
from ivan_core.lists.url import query_of, read_filter
from ivan_core.review.conditions import ReviewersSay

MODEL = made_runs.TWO_MODELS[0]


@pytest.fixture
def rows(labellings: Labellings) -> Listing:
    """The four rows of a comparison."""
    spec = made_runs.spec_of_file(labellings.file)
    return compare.listing(open_results(made_runs.finished(labellings.data_dir, spec)))


def found(listing: Listing, *asked: Condition) -> list[int]:
    return matching_rows(listing, Filter(compare.LANGUAGE, asked))


def unknown(listing: Listing, condition: Condition) -> int:
    return sum(count for _, count in without_value(listing, [condition]))


def by(run: str, asked: Condition) -> Elsewhere:
    return Elsewhere(run=run, of="labels", asked=asked)


@pytest.mark.parametrize(
    ("asked", "held", "without"),
    [
        # Refusals of the chosen and the rejected reply: yes no, yes yes, no no, yes and no answer.
        (labels.LabelIs(label=REFUSAL), [0, 1, 3], 0),
        (labels.LabelIs(label=REFUSAL, answer="no"), [0, 2], 1),
        (labels.LabelIs(label=REFUSAL, side="chosen"), [0, 1, 3], 0),
        (labels.LabelIs(label=REFUSAL, side="rejected"), [1], 1),
        (labels.LabelIs(label=REFUSAL, answer="no", side="rejected"), [0, 2], 1),
        (labels.OnPairs(label=REFUSAL, pair="neither"), [2], 1),
        (labels.SidesDiffer(label=REFUSAL), [0], 1),
        (labels.LabelIs(label=SENTIMENT, value="positive"), [0], 1),
    ],
)
def test_rows_of_a_comparison_by_labels(
    rows: Listing, first: str, asked: Condition, held: list[int], without: int
) -> None:
    assert found(rows, by(first, asked)) == held
    assert unknown(rows, by(first, asked)) == without


def test_two_labelers_differ_on_texts_and_on_their_rows(
    labellings: Labellings, rows: Listing, first: str
) -> None:
    second = labellings.made("second", SECOND)
    differ = labels.LabelersDiffer(label=REFUSAL, other=second)
    assert found(rows, by(first, differ)) == [0, 1]
    texts = labels.listing(open_labels(first))
    places = matching(texts, Filter(labels.LANGUAGE, (differ,)))
    assert [int(place) for place in places] == [1, 2]  # 0.rejected and 1.chosen
    assert unknown(texts, differ) == 2  # one has no answer of the one, one none of the other


def test_texts_by_the_verdict_on_their_pair_and_by_another_labeler(
    labellings: Labellings, rows: Listing, first: str
) -> None:
    texts = labels.listing(open_labels(first))
    agrees = compare.VerdictIs(model=MODEL, verdict="agree")
    elsewhere = Elsewhere(run=rows.run_id, of="compare", asked=agrees)
    on_rows = found(rows, agrees)
    places = matching(texts, Filter(labels.LANGUAGE, (elsewhere,)))
    assert texts.rows[places].tolist() == [row for row in on_rows for _ in range(2)]
    second = labellings.made("second", SECOND)
    theirs = by(second, labels.LabelIs(label=REFUSAL))
    both = Filter(labels.LANGUAGE, (labels.LabelIs(label=REFUSAL), theirs))
    assert matching(texts, both).tolist() == [0, 3]  # 0.chosen and 1.rejected


def _two_of_four(request: RewriteRequest) -> str:
    return f"{request.text} Indeed." if request.key.row_id < 2 else ""


def test_rows_by_a_rewording_of_some_of_them(labellings: Labellings, rows: Listing) -> None:
    run = added(labellings.data_dir, spec_of(labellings.file))
    tools = fake_tools(FakeRewriter(_two_of_four), Fakes(silent=True))
    work_here(labellings.data_dir, run, tools)
    alike = Elsewhere(run=run, of="rewrite", asked=SimilarityIn(low=-1.0))
    assert found(rows, alike) == [0, 1]
    assert unknown(rows, alike) == 2
    flip = Elsewhere(run=run, of="rewrite", asked=FlipIs(model="nobody", flip="any"))
    assert fitting(rows, Filter(compare.LANGUAGE, (flip,)))[1] == [
        f"Run {run} has no model nobody."
    ]


def test_conditions_of_several_runs_combine_and_go_through_a_link(
    rows: Listing, first: str
) -> None:
    wanted = Filter(
        compare.LANGUAGE,
        (
            compare.RatedBy(model=MODEL),
            by(first, labels.LabelIs(label=REFUSAL)),
            by(first, labels.SidesDiffer(label=REFUSAL)),
        ),
    )
    query = query_of(wanted)
    assert query == {
        "rated": MODEL,
        "and": f"{first}~labels.label~{REFUSAL}~~{first}~labels.sides~{REFUSAL}",
    }
    assert read_filter(compare.LANGUAGE, query) == (wanted, [])
    assert matching_rows(rows, wanted) == [0]
    names = called(rows, wanted)
    assert names == {first: f"first, run {first}"}
    assert [chip.label for chip in wanted.chips(names)][1] == f"Refusal: yes (first, run {first})"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "~",
        "run~labels",
        "run~labels.odd~1",
        "run~nobody.label~1",
        "../~labels.label~1",
        f"run~labels.label~{REFUSAL}~no such value",
        "run~labels.label~",
        "!0~labels.side~rejected",
        "!n~rewrite.state~kept",
        "run~people.reviewers~chosen",
        f"run~labels.theirs~{REFUSAL}~../x~yes",
        "run~labels.theirs~topics~other~yes",
        f"run~labels.labelers~{REFUSAL}~!0",
        "run~compare.find~words",
        "run~labels.find~words~reply~chosen",
    ],
)
def test_what_is_no_condition_of_another_run_is_named(text: str) -> None:
    wanted, ignored = read_filter(compare.LANGUAGE, {"and": text})
    assert not wanted.conditions and ignored


def test_a_run_that_is_gone_or_of_other_pairs_is_left_out_with_a_sentence(
    labellings: Labellings, rows: Listing
) -> None:
    sample = made_runs.finished(labellings.data_dir, made_runs.spec_of_sample(limit=5))
    for run, said in (
        ("2020-01-01-00-00", "There is no run '2020-01-01-00-00' here."),
        (sample, f"Run {sample} is not of the same pairs."),
    ):
        condition = Elsewhere(run=run, of="compare", asked=compare.ModelsDiffer())
        kept, ignored = fitting(rows, Filter(compare.LANGUAGE, (condition,)))
        assert not kept.conditions and ignored == [said]


def test_the_run_of_the_page_is_not_asked_for_what_another_kind_of_run_says(
    rows: Listing, first: str
) -> None:
    texts = labels.listing(open_labels(first))
    for listing, language, of, asked in (
        (rows, compare.LANGUAGE, "labels", labels.LabelIs(label=REFUSAL)),
        (rows, compare.LANGUAGE, "rewrite", SimilarityIn(low=0.0)),
        (texts, labels.LANGUAGE, "compare", compare.ModelsDiffer()),
    ):
        condition = Elsewhere(run=listing.run_id, of=of, asked=asked)
        kept, ignored = fitting(listing, Filter(language, (condition,)))
        assert not kept.conditions
        assert len(ignored) == 1 and ignored[0].startswith(f"Run {listing.run_id} is no ")


def test_a_second_label_that_the_run_was_not_asked_for_is_left_out(first: str) -> None:
    texts = labels.listing(open_labels(first))
    wanted, ignored = read_filter(
        labels.LANGUAGE, {"label": REFUSAL, "also": "assistant_is_coherent"}
    )
    assert not ignored
    kept, reasons = fitting(texts, wanted)
    assert query_of(kept) == {"label": REFUSAL}
    assert reasons == [f"Run {first} was not asked for the label Assistant coherent."]


def test_reviewers_choose_alike_or_differ(labellings: Labellings, rows: Listing) -> None:
    people = Said(labellings.data_dir, rows.dataset.fingerprint)
    queue = people.pairs(4)
    people.choose(queue, "Ann", {0: "chosen", 1: "chosen", 2: "none", 3: None})
    people.choose(queue, "Ben", {0: "chosen", 1: "rejected"})
    said = {
        what: found(rows, Elsewhere(run="", of="people", asked=ReviewersSay(said=what)))
        for what in ("chosen", "rejected", "alike", "differ")
    }
    assert said == {"chosen": [0], "rejected": [], "alike": [2], "differ": [1]}
    assert unknown(rows, Elsewhere(run="", of="people", asked=ReviewersSay(said="chosen"))) == 1
    assert unknown(rows, Elsewhere(run="", of="people", asked=ReviewersSay(said="differ"))) == 2


def test_only_what_exists_on_these_pairs_is_offered(labellings: Labellings, rows: Listing) -> None:
    alone = offered(rows, compare.LANGUAGE)
    assert list(alone)[:3] == ["Verdict", "Margin", "Models disagree"]
    assert "Label" not in alone and "Flip when reworded" not in alone
    assert "What reviewers said" not in alone
    first = labellings.made("first", FIRST)
    both = offered(rows, compare.LANGUAGE)
    assert "Two labelers differ" not in both
    assert both["Label"].runs == {first: f"first, run {first}"}
    assert both["Verdict"].runs == {rows.run_id: "this run"}
    condition = both["Label"].condition(rows, compare.LANGUAGE, first, {"label": REFUSAL})
    assert condition == by(first, labels.LabelIs(label=REFUSAL))
    own = both["Verdict"].condition(
        rows, compare.LANGUAGE, rows.run_id, {"model": MODEL, "verdict": "tie"}
    )
    assert own == compare.VerdictIs(model=MODEL, verdict="tie")
    second = labellings.made("second", SECOND)
    two = offered(rows, compare.LANGUAGE)["Two labelers differ"]
    assert list(two.runs) == [second, first]
    asked = two.asked_of(rows, first)
    options = {choice.field: choice.options(asked, {}) for choice in two.offer.choices}
    assert list(options["other"]) == [second]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_texts_and_rewordings_that_are_listed_go_into_a_file(
    labellings: Labellings, rows: Listing, first: str
) -> None:
    results = open_labels(first)
    texts = labels.listing(results)
    rated = Elsewhere(run=rows.run_id, of="compare", asked=compare.RatedBy(model=MODEL))
    wanted = Filter(labels.LANGUAGE, (labels.LabelIs(label=REFUSAL), rated))
    held = _read(write_rows(texts, wanted, "csv", text_columns(results), {}))
    assert [(row["row_id"], row["preference"]) for row in held] == [
        ("0", "chosen"),
        ("1", "chosen"),
        ("1", "rejected"),
        ("3", "chosen"),
    ]
    assert held[0][REFUSAL] == "yes" and held[0]["text"].endswith("I can't help with 0.")
    ids = write_rows(texts, wanted, "row-ids", text_columns(results), {})
    assert ids.read_text("ascii").split() == ["0", "1", "3"]

    run = added(labellings.data_dir, spec_of(labellings.file))
    tools = fake_tools(FakeRewriter(_two_of_four), Fakes(silent=True))
    work_here(labellings.data_dir, run, tools)
    reworded = open_rewrite(run)
    listed = rewrite.listing(reworded, numbers(reworded, Gate(0.0, 0.0, 5.0)))
    every = Filter(rewrite.LANGUAGE)
    file = _read(write_rows(listed, every, "csv", row_columns(reworded), {}))
    assert [row["row_id"] for row in file] == ["0", "1", "2", "3"]
    assert file[0]["chosen_reworded"].endswith("Indeed.") and file[0]["problem"] == ""
    assert file[2]["chosen_reworded"] == "" and file[2]["problem"]
    assert write_rows(listed, every, "parquet", row_columns(reworded), {}).stat().st_size


def test_conditions_of_one_text_stay_together_when_pairs_are_asked(labellings, rows):
    """Refusals in the chosen reply: apart, either condition is met by another text of row 1."""
    first = labellings.made("first", FIRST)
    texts = labels.listing(open_labels(first))
    both = (labels.SideIs(side="rejected"), labels.LabelIs(label=REFUSAL))
    there = on_pairs(texts, Filter(labels.LANGUAGE, both), rows, compare.LANGUAGE)
    assert there is not None and found(rows, *there.conditions) == [1]
    (one,) = there.conditions
    assert one == by(first, AllOf(asked=both))
    assert found(rows, by(first, both[0]), by(first, both[1])) == [0, 1, 3]
    query = query_of(there)
    assert read_filter(compare.LANGUAGE, query) == (there, [])
    assert asked_elsewhere(there) == (first, Filter(labels.LANGUAGE, both))


def test_what_both_can_be_asked_for_stays_the_pairs_own(labellings, rows):
    first = labellings.made("first", FIRST)
    texts = labels.listing(open_labels(first))
    longer, refusal = LongerIs(longer="chosen"), labels.LabelIs(label=REFUSAL)
    there = on_pairs(texts, Filter(labels.LANGUAGE, (refusal, longer)), rows, compare.LANGUAGE)
    assert there is not None
    assert there.conditions == (longer, by(first, refusal))
    assert asked_elsewhere(there) == (first, Filter(labels.LANGUAGE, (refusal, longer)))


def test_rows_past_another_gate_are_no_filter_of_pairs(labellings, rows, data_dir):
    run = added(data_dir, spec_of(labellings.file))
    work_here(data_dir, run, fake_tools(FakeRewriter(), Fakes(silent=True)))
    results = open_rewrite(run)
    kept = Filter(rewrite.LANGUAGE, (rewrite.StateIs(state="kept"),))
    strict = rewrite.listing(results, numbers(results, Gate(1.0)))
    usual = rewrite.listing(results, numbers(results, Gate()))
    same = matching_rows(strict, kept) == matching_rows(usual, kept)
    assert (on_pairs(strict, kept, rows, compare.LANGUAGE) is not None) == same
    assert on_pairs(usual, kept, rows, compare.LANGUAGE) is not None


@pytest.mark.parametrize(
    "text", ["some-run~labels.all~", "some-run~labels.all~label", "some-run~labels.all~x!ty"]
)
def test_conditions_together_that_make_no_sense_are_named(text):
    wanted, ignored = read_filter(compare.LANGUAGE, {"and": text})
    assert not wanted.conditions and len(ignored) == 1
