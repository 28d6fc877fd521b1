"""Who agrees with whom: only blind answers to random items count; numbers worked by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from given.made_labellings import FIRST, REFUSAL, SECOND, SENTIMENT, TOPICS, Labellings, four_pairs
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file
from given.support import write_pairs

from ivan_core.annotations.queues import Queues
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets, figures as of_run
from ivan_core.engine.figures import caption, figure, figures, methods
from ivan_core.engine.opinions import ceiling_of, ceiling_sentence, second_choices, used_opinions
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.sentences import quotes
from ivan_core.review.agreement import (
    Beside,
    between_on_pairs,
    between_on_texts,
    cell_agreement,
    cells_beside,
    choices_beside,
)
from ivan_core.review.lists import (
    beside_listed,
    between_listed,
    cell_listed,
    cells_table,
    page_of,
    quick_table,
)
from ivan_core.review.sentences import cell_numbers, cell_sentence, reviews_id

CONTROL = "ivan/minilm-control"
ADA, BOB, CEM = "Ada", "Bob", "Cem"


@pytest.fixture
def forty(data_dir: Path, pairs_file: Path) -> PreparedDataset:
    finished(data_dir, spec_of_file(pairs_file))
    found = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert found is not None
    return found


@pytest.fixture
def four(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PreparedDataset:
    file = four_pairs(tmp_path)
    labellings = Labellings(data_dir, file, monkeypatch)
    labellings.made("first", FIRST)
    labellings.made("second", SECOND)
    found = datasets.find(DatasetRequest(source=str(file)))
    assert found is not None
    return found


def by_name(found: list[Beside]) -> dict[str, Beside]:
    return {one.who.name: one for one in found}


def test_only_blind_answers_to_random_items_count(data_dir: Path, forty: PreparedDataset) -> None:
    said = Said(data_dir, forty.fingerprint)
    random, again = said.pairs(4), said.pairs(4)
    picked = said.pairs(4, source="rows", first=[(9, "both")])
    said.choose(random, ADA, {0: "chosen", 1: None})
    said.choose(again, ADA, {0: "rejected"})
    said.choose(picked, ADA, {2: "rejected"})
    said.choose(random, BOB, {0: "rejected"}, blind=False)
    said.choose(random, "Dan", {0: "rejected"}, blind=False, prefill="a-run")
    said.choose(random, CEM, {3: "chosen"}, skipped=True)
    used = used_opinions(forty)
    assert used.choices == {ADA: {0: "chosen", 1: None}}
    assert used.people == (ADA,)
    assert used.left_out_sentence == (
        "Kept but in no rate: 1 on items that were not drawn at random, 1 given with labels shown"
        " beforehand, 1 changed once the choice could be known, 1 by somebody who had answered the"
        " same before, 1 skipped."
    )
    assert used.opinions == 2
    assert between_on_pairs(used) is None


def test_answers_in_under_a_second_are_counted_aloud_and_in_rates_only_if_asked_for(
    data_dir: Path, forty: PreparedDataset
) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue, picked = said.pairs(4), said.pairs(1, source="rows", first=[(9, "both")])
    said.choose(queue, ADA, {0: "chosen"}, seconds=0.9)
    said.choose(queue, ADA, {1: "rejected"}, seconds=1.0)
    said.choose(queue, ADA, {2: "none"})  # of a sheet: nobody knows how long
    said.choose(queue, BOB, {0: "rejected"}, seconds=0.1)
    said.choose(picked, BOB, {0: "rejected"}, seconds=0.1)
    used = used_opinions(forty)
    assert used.choices == {ADA: {1: "rejected", 2: "none"}}
    assert used.left_out_sentence == (
        "Kept but in no rate: 1 on items that were not drawn at random, 2 given in under a second."
    )
    table = quick_table(used)
    assert table[["Pair", "Who", "Seconds", "Answer"]].values.tolist() == [
        [0, BOB, 0.1, "the rejected reply"],
        [0, ADA, 0.9, "the chosen reply"],
    ]
    every = used_opinions(forty, quick=True)
    assert every.choices == {ADA: {0: "chosen", 1: "rejected", 2: "none"}, BOB: {0: "rejected"}}
    assert every.left_out_sentence == (
        "Kept but in no rate: 1 on items that were not drawn at random. Counted although given in"
        " under a second: 2."
    )
    assert between_on_pairs(used) is None and between_on_pairs(every) is not None
    # What Bob says once more of the same pair counts once, and is told once.
    said.choose(said.pairs(1), BOB, {0: "rejected"}, seconds=0.2)
    again = used_opinions(forty, quick=True)
    assert (again.opinions, again.left_out["repeated"], len(again.quick)) == (4, 1, 3)
    assert again.left_out_sentence.endswith("Counted although given in under a second: 2.")


def test_an_answer_changed_before_anything_was_told_counts_as_it_stands(
    data_dir: Path, forty: PreparedDataset
) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(1)
    said.choose(queue, ADA, {0: "chosen"})
    said.choose(queue, ADA, {0: "rejected"})
    assert used_opinions(forty).choices == {ADA: {0: "rejected"}}


def test_the_first_items_of_another_queue_count(data_dir: Path, forty: PreparedDataset) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(2, source="rows", first=[(9, "both")])
    said.choose(Queues(data_dir).get(queue.companion), ADA, {9: "chosen"})
    assert used_opinions(forty).choices == {ADA: {9: "chosen"}}


def test_people_the_choice_and_models_stand_beside_the_reviewers(
    data_dir: Path, forty: PreparedDataset
) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(6)
    said.choose(queue, ADA, dict(enumerate(["chosen"] * 4 + ["none", "chosen"])))
    said.choose(queue, BOB, dict(enumerate(["chosen", "chosen", "rejected", "chosen", "none"])))
    said.choose(queue, CEM, dict(enumerate(["chosen", "rejected", "rejected", "chosen", "none"])))
    used = used_opinions(forty)
    found = by_name(choices_beside(forty, used))
    # Bob and Cem agree on rows 0, 2, 3 (and see no difference on 4): Ada shares 0 and 3.
    assert found[ADA].sentence == (
        "Ada and the other reviewers agree on 2 of 3 pairs (67% [21, 94]); 1 more, on which either"
        " saw no difference, left out."
    )
    # Ada and Cem agree on 0, 3, 4, and Ada alone says chosen on 5, which Bob did not judge.
    assert (found[BOB].rate.count, found[BOB].rate.n) == (2, 2)  # type: ignore[union-attr]
    # Majorities: chosen on 0, 1, 3, 5, rejected on 2, none on 4.
    choice = found["the recorded choice"]
    assert (choice.rate.count, choice.rate.n, choice.no_difference) == (4, 5, 1)  # type: ignore[union-attr]
    assert [row for row, *_ in choice.rows] == [0, 1, 2, 3, 4, 5]
    verdicts = open_results(found["ivan/minilm-harmless"].who.run).table
    verdicts = verdicts[verdicts["model"] == "ivan/minilm-harmless"].set_index("row_id")["verdict"]
    sides = {0: "agree", 1: "agree", 2: "disagree", 3: "agree", 5: "agree"}
    model = found["ivan/minilm-harmless"]
    assert model.rate is not None and model.rate.n == 5
    assert model.rate.count == sum(verdicts[row] == side for row, side in sides.items())
    table = between_on_pairs(used)
    assert table is not None
    # All three agree on 0, 3, 4 of the five that two or more judged.
    assert (table.iloc[0]["measure"], table.iloc[0]["n"], table.iloc[0]["same"]) == ("alpha", 5, 3)


def test_models_beside_the_reviewers_say_on_how_many_of_the_pairs_they_were_trained(
    data_dir: Path, pairs_file: Path, tmp_path: Path
) -> None:
    model = str(tmp_path / "models" / "my-rm")
    run_id = finished(data_dir, spec_of_file(pairs_file, (model, CONTROL)))
    dataset = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert dataset is not None
    path = data_dir / "runs" / run_id / "table.parquet"
    table = pd.read_parquet(path)
    seen = (table["model"].eq(model) & table["row_id"].lt(3)).astype("boolean")
    table["seen"] = seen.mask(table["model"].eq(CONTROL))
    table.to_parquet(path, index=False)
    said = Said(data_dir, dataset.fingerprint)
    # No pair on which somebody sees no difference enters a rate: rows 0, 1, 2 and 4 are left.
    said.choose(said.pairs(5), ADA, {0: "chosen", 1: "chosen", 2: "chosen", 3: "none", 4: "chosen"})
    found = by_name(choices_beside(dataset, used_opinions(dataset)))
    verdicts = table[table["model"].eq(model) & table["row_id"].isin([0, 1, 2, 4])]
    assert "tie" not in set(verdicts["verdict"])
    assert found[model].sentence.endswith(f" {model} was trained on 3 of 4 pairs.")
    assert found[CONTROL].trained == f"Nobody says on how many of 4 pairs {CONTROL} was trained."
    assert found["the recorded choice"].trained == ""
    name = reviews_id(dataset)
    told = caption(name, "review-choices")
    assert "my-rm was trained on 3 of 4 pairs." in told and "5 blind opinions by 1 person" in told
    quoted = [quote.sentence for quote in of_run.quotes(name)]
    drawn = figure(name, "review-choices").decode()
    for text in (told, methods(name, "review-choices"), drawn, *quoted):
        assert str(tmp_path) not in text


def test_the_agreement_changes_with_what_is_saved(data_dir: Path, forty: PreparedDataset) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(3)
    said.choose(queue, ADA, {0: "chosen", 1: "rejected"})
    said.choose(queue, BOB, {0: "chosen", 1: "chosen"})
    table = between_on_pairs(used_opinions(forty))
    assert table is not None and table.iloc[0]["same"] == 1
    said.choose(queue, BOB, {2: "rejected"})
    said.choose(queue, ADA, {2: "rejected"})
    table = between_on_pairs(used_opinions(forty))
    assert table is not None and (table.iloc[0]["same"], table.iloc[0]["n"]) == (2, 3)


def test_a_choice_that_was_changed_after_the_other_was_told_counts_as_it_was_first_given(
    data_dir: Path, forty: PreparedDataset
) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(3, tells=True)
    said.choose(queue, ADA, {0: "rejected", 1: "none"})
    said.choose(queue, ADA, {2: None}, skipped=True)
    said.choose(queue, ADA, {0: "chosen", 2: "rejected"}, skipped=False)
    used = used_opinions(forty)
    assert used.choices == {ADA: {0: "rejected", 1: "none", 2: "rejected"}}
    assert second_choices(used) == (0, 2, 1)


def test_reviewers_and_labelers_are_compared_question_by_question(
    data_dir: Path, four: PreparedDataset
) -> None:
    said = Said(data_dir, four.fingerprint)
    queue = said.queue([(row, "chosen") for row in range(4)], (REFUSAL, SENTIMENT))
    for row, refusal in enumerate([True, False, False, True]):
        said.say(queue, ADA, row, "chosen", {REFUSAL: refusal, SENTIMENT: "neutral"})
    for row, refusal in enumerate([True, True, False, None]):
        said.say(queue, BOB, row, "chosen", {REFUSAL: refusal, SENTIMENT: "neutral"})
    used = used_opinions(four)
    table = between_on_texts(used)
    assert table is not None
    refusals = table[table["key"] == REFUSAL].iloc[0]
    # Three texts with two answers: yes yes, no yes, no no. Expected 4/9; (2/3 - 4/9) / (5/9) = .4.
    assert (refusals["measure"], refusals["n"], refusals["same"]) == ("kappa", 3, 2)
    assert refusals["coefficient"] == pytest.approx(0.4)
    assert refusals["few"] and (refusals["both"], refusals["either"]) == (1, 2)
    cells = {(one.who.name, one.key): one for one in cells_beside(four, used)}
    # The reviewers say yes on 0 and 3 (only Ada answered) and no on 2; on 1 they differ.
    first, second = cells["first", REFUSAL], cells["second", REFUSAL]
    assert (first.n, first.same, first.both, first.either) == (3, 3, 2, 2)
    # Yes, no, yes from both: no chance of more, kappa 1.
    assert cell_agreement(first)["measure"] == "kappa"
    assert cell_agreement(first)["coefficient"] == pytest.approx(1)
    assert cell_sentence(first).startswith(
        "first and the reviewers gave the same answer on Refusal in 3 of 3 texts (100% [44, 100])."
        " Of 2 texts that either called so, both did 2. Too few to say more: "
    )
    assert "kappa" not in cell_sentence(first) and "kappa 1.00" in cell_numbers(first)
    # Ada yes, no, no beside Bob's yes, yes, no: chance 4/9, (2/3 - 4/9) / (5/9) = .4.
    assert cell_agreement(cells[ADA, REFUSAL])["coefficient"] == pytest.approx(0.4)
    assert (second.n, second.same) == (2, 2)  # it refused to label 3.chosen
    assert [text for text, *_ in first.texts] == [TextKey(row, "chosen") for row in (0, 2, 3)]
    assert (cells[ADA, REFUSAL].n, cells[ADA, REFUSAL].same) == (3, 2)
    # All four neutral for the reviewers; first says negative of 1.chosen.
    assert (cells["first", SENTIMENT].n, cells["first", SENTIMENT].same) == (4, 3)
    assert (cells["first", SENTIMENT].both, cells["first", SENTIMENT].either) == (0, 1)
    assert ("first", TOPICS) not in cells


def test_a_hundred_blind_second_choices_give_a_ceiling_with_its_assumption(
    data_dir: Path, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "many.jsonl", 130)
    run_id = finished(data_dir, spec_of_file(file))
    dataset = datasets.find(DatasetRequest(source=str(file)))
    assert dataset is not None
    said = Said(data_dir, dataset.fingerprint)
    queue = said.pairs(110)
    assert ceiling_sentence(used_opinions(dataset)) == ""
    said.choose(queue, ADA, dict.fromkeys(range(82), "chosen"))
    said.choose(queue, ADA, dict.fromkeys(range(82, 99), "rejected"))
    said.choose(queue, BOB, {0: "rejected", 100: "none", 101: None})  # row 0 has its second choice
    assert second_choices(used_opinions(dataset)) == (82, 99, 2)
    assert ceiling_of(dataset) is None
    assert ceiling_sentence(used_opinions(dataset)).startswith("On 99 random pairs somebody chose")
    said.choose(queue, BOB, {99: "rejected"})
    best = ceiling_of(dataset)
    assert best is not None and best.rate == pytest.approx(0.9)
    told = [quote.sentence for quote in quotes(open_results(run_id))]
    assert best.sentence in told and "It assumes" in best.sentence
    assert best.sentence in caption(run_id, "agreement")
    said.choose(queue, BOB, dict.fromkeys(range(102, 110), "chosen"))
    better = ceiling_of(dataset)
    assert better is not None and (better.agreed.count, better.agreed.n) == (90, 108)
    assert better.sentence in caption(run_id, "agreement")


def test_reviews_give_figures_and_sentences_with_their_command(
    data_dir: Path, four: PreparedDataset
) -> None:
    name = reviews_id(four)
    assert figures(name) == []
    with pytest.raises(BadInput, match="nothing to draw"):
        figure(name, "review-choices", "csv")
    said = Said(data_dir, four.fingerprint)
    pairs, texts = said.pairs(3), said.queue([(0, "chosen"), (1, "chosen")], (REFUSAL,))
    for person, other in ((ADA, "rejected"), (BOB, "chosen")):
        said.choose(pairs, person, {0: "chosen", 1: other})
        said.say(texts, person, 0, "chosen", {REFUSAL: True})
        said.say(texts, person, 1, "chosen", {REFUSAL: person == ADA})
    assert [chart.name for chart in figures(name)] == [
        "review-choices",
        "review-same-answers",
        "review-questions",
        "review-cells",
    ]
    table = figure(name, "review-choices", "csv").decode()
    assert "choice::the recorded choice,The recorded choice,choice,1,1,1.0," in table
    told = "Two people gave the same answer in 1 of 2 pairs (50% [9, 91]): too few to say more."
    assert told in caption(name, "review-choices")
    assert "kappa" not in caption(name, "review-same-answers") + caption(name, "review-choices")
    assert "kappa" in methods(name, "review-questions")
    assert "8 blind opinions on random items by 2 people." in methods(name, "review-choices")
    assert figure(name, "review-cells", "svg").startswith(b"<svg")
    assert figure(name, "review-questions", "svg").startswith(b"<svg")
    assert any(told in quote.sentence for quote in of_run.quotes(name))
    for quote in of_run.quotes(name):
        coefficients = quote.question == "Numbers for the paper"
        assert coefficients == ("kappa" in quote.sentence or "coefficient" in quote.sentence)
    assert {quote.command.partition(" --")[0] for quote in of_run.quotes(name)} == {
        *(f"ivan figure {name} {chart.name}" for chart in figures(name)),
        f"ivan runs sentences {name}",
    }
    with pytest.raises(BadInput, match="no chart"):
        figure(name, "beauty")


def test_names_that_mean_something_else_stand_apart(data_dir: Path, four: PreparedDataset) -> None:
    said = Said(data_dir, four.fingerprint)
    queue = said.queue([(0, "chosen")], (REFUSAL,))
    for person in ("Pair", "first", "the other reviewers", "Zoe"):
        said.say(queue, person, 0, "chosen", {REFUSAL: person != "Pair"})
    used = used_opinions(four)
    (one,) = between_listed(used, REFUSAL)
    assert not one.alike
    table = page_of(four, [one], REFUSAL, 1)
    assert table.loc[0, ["Pair", "Pair (reviewer)", "first"]].tolist() == [0, "no", "yes"]
    cells = cells_beside(four, used)
    assert set(cells_table(cells)["name"]) == {
        "Pair",
        "Zoe",
        "first (person)",
        "first (labeler)",
        "second",
        "the other reviewers",
    }
    (row,) = [cell for cell in cells if cell.who.name == "Pair"]
    assert cell_listed(row)[0].answers == {"Pair": False, "the other reviewers": True}
    (named,) = [cell for cell in cells if cell.who.name == "the other reviewers"]
    assert list(cell_listed(named)[0].answers) == [
        "the other reviewers (person)",
        "the other reviewers",
    ]


def test_the_pairs_behind_a_share_are_listed(data_dir: Path, forty: PreparedDataset) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(4)
    said.choose(queue, ADA, {0: "chosen", 1: "rejected", 2: "none", 3: None})
    said.choose(queue, BOB, {0: "chosen", 1: "chosen", 3: "chosen"})
    used = used_opinions(forty)
    listed = between_listed(used, "better")
    assert [(one.row_id, one.alike) for one in listed] == [(0, True), (1, False)]
    bob = by_name(choices_beside(forty, used))[BOB]
    assert [dict(one.answers) for one in beside_listed(bob)] == [
        {BOB: "chosen", "the other reviewers": "chosen"},
        {BOB: "chosen", "the other reviewers": "rejected"},
    ]
    assert page_of(forty, listed, "better", 1)["Ada"].tolist() == [
        "the chosen reply",
        "the rejected reply",
    ]
