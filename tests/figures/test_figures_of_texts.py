"""Figures of the texts that conditions pick of a labelling: numbers by hand, and what is said."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import quote

import pandas as pd
import pytest
from given.made_labellings import (
    ARTS,
    FIRST,
    PLACES,
    REFUSAL,
    SECOND,
    SENTIMENT,
    TOPICS,
    Labellings,
)
from given.made_runs import write_rows
from given.support import settings_of

from ivan_core.domain.errors import BadInput
from ivan_core.engine.figures import (
    caption,
    conditions_of,
    figure,
    methods,
    quotes,
    rows_listed,
    rows_picked,
    whole,
)
from ivan_core.experiments.labels.figures import CHARTS
from ivan_core.experiments.labels.numbers import others
from ivan_core.experiments.labels.results import open_labels

HOSTILE = "<script>alert(1)</script>\u202e & 50% +#"
A_SUBSET = "subset=a"
"""Rows 0 and 1: refusals of the chosen and the rejected reply are yes no, and yes yes."""
REFUSALS = f"label={REFUSAL}"
"""The texts 0.chosen, 1.chosen, 1.rejected and 3.chosen."""


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Four pairs labelled twice, the first two of subset a; that of the last is hostile."""
    folder = tmp_path_factory.mktemp("texts")
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, folder)
        rows = [
            {
                "chosen": f"\n\nHuman: Ask {row}\n\nAssistant: I can't help with {row}.",
                "rejected": f"\n\nHuman: Ask {row}\n\nAssistant: Sure, {row} it is.",
                "subset": "a" if row < 2 else "b" if row < 3 else HOSTILE,
            }
            for row in range(4)
        ]
        labellings = Labellings(data_dir, write_rows(folder / "four.jsonl", rows), patch)
        labellings.made("second", SECOND)
        yield labellings.made("first", FIRST)


def data(run_id: str, chart: str, **wish: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(figure(run_id, chart, "csv", **wish)))  # type: ignore[arg-type]


def refusals(run_id: str, where: str) -> dict[str, tuple[int, int]]:
    """Of how many texts of each side with an answer how many are called a refusal."""
    found = data(run_id, "prevalence", where=where)
    own = found[found["key"] == REFUSAL].set_index("side")
    return {side: (int(own.loc[side, "count"]), int(own.loc[side, "n"])) for side in own.index}


def test_shares_of_a_subset_keep_their_intervals_but_nothing_is_clear(run_id: str) -> None:
    assert refusals(run_id, A_SUBSET) == {"chosen": (2, 2), "rejected": (1, 2)}
    found = data(run_id, "prevalence", where=A_SUBSET)
    assert found[["low", "high", "difference_low"]].notna().all(axis=None)
    assert found["holm_p"].isna().all() and not found["clear"].any()
    told = caption(run_id, "prevalence", where=A_SUBSET)
    assert "Only 4 of 8 texts count, picked by: subset: a. Picked texts, not a sample." in told
    assert "On 2 pairs, furthest apart: Refusal, 100% against 50% (+50 points [" in told
    assert "chosen after looking, so no difference is called clear" in told
    assert "random draw of all texts that would be picked so" in told
    assert "Data: all 4 pairs of" in told
    said = methods(run_id, "prevalence", where=A_SUBSET)
    assert "never called clear" in said and "Holm" not in said


def test_a_condition_on_labels_takes_the_intervals_away(run_id: str) -> None:
    assert refusals(run_id, REFUSALS) == {"chosen": (3, 3), "rejected": (1, 1)}
    found = data(run_id, "prevalence", where=REFUSALS)
    ends = ["low", "high", "effective_n", "difference_low", "difference_high", "effective_pairs"]
    assert found[[*ends, "mid_p", "holm_p"]].isna().all(axis=None)
    told = caption(run_id, "prevalence", where=REFUSALS)
    assert "Only 4 of 8 texts count, picked by: Refusal: yes." in told
    assert "1 text has no value for “Refusal: yes” and does not count." in told
    # On the pair of row 1 both are refusals, the chosen one negative, the rejected one neutral.
    assert "On 1 pair, furthest apart: Sentiment: negative, 100% against 0% (+100 points);" in told
    assert "rates follow from it" in told and "[" not in told
    said = methods(run_id, "prevalence", where=REFUSALS)
    assert "Wilson" not in said and "Newcombe" not in said


def test_conditions_on_texts_and_pairs_combine(run_id: str) -> None:
    assert refusals(run_id, f"{REFUSALS}&{A_SUBSET}&side=chosen") == {
        "chosen": (2, 2),
        "rejected": (0, 0),
    }
    told = caption(run_id, "prevalence", where="side=chosen")
    assert "None of the picked texts make a pair with labels on both sides." in told
    assert rows_listed(run_id, "side=chosen") == "4 texts"


def test_the_answer_of_another_labeler_is_on_what_is_drawn_too(run_id: str) -> None:
    """The second labeler calls 1.chosen no refusal."""
    second = next(one.run.id for one in others(open_labels(run_id)))
    where = f"{REFUSALS}&other={second}&theirs=no"
    assert rows_picked(run_id, where) == 1
    assert "rates follow from it" in caption(run_id, "prevalence", where=where)


def test_one_label_on_the_two_sides_of_picked_pairs(run_id: str) -> None:
    found = data(run_id, "sides", label=REFUSAL, where=A_SUBSET).set_index(["chosen", "rejected"])
    assert found["count"].to_dict() == {
        ("no", "no"): 0,
        ("no", "yes"): 0,
        ("yes", "no"): 1,
        ("yes", "yes"): 1,
    }
    told = caption(run_id, "sides", label=REFUSAL, where=A_SUBSET)
    assert "+50 points (95% interval [" in told and "so not called clear" in told
    bare = caption(run_id, "sides", label=REFUSAL, where=REFUSALS)
    assert "in 1 pair; 0 points, chosen after looking" in bare and "[" not in bare


def test_words_of_picked_texts(run_id: str) -> None:
    found = data(run_id, "topics", where=A_SUBSET).set_index(["value", "side"])["count"]
    assert found.to_dict() == {
        (ARTS, "chosen"): 1,
        (ARTS, "rejected"): 1,
        (PLACES, "chosen"): 0,
        (PLACES, "rejected"): 1,
    }
    bare = caption(run_id, "topics", where=REFUSALS)
    assert f"Named most: {ARTS} (33% of 3 chosen, 0% of 1 rejected)." in bare and "[" not in bare
    # Nobody named it in these pairs, and it can be chosen all the same.
    found = data(run_id, "sides", label=f"{TOPICS}:{ARTS}", where="subset=b")
    assert found["count"].tolist() == [1, 0, 0, 0]


def test_labels_that_go_together_in_picked_texts(run_id: str) -> None:
    found = data(run_id, "together", where=A_SUBSET)
    own = found[(found["first_key"] == REFUSAL) & (found["second_value"] == "neutral")].iloc[0]
    assert (own["both"], own["first"], own["n"]) == (2, 3, 4) and own["low"] > 0
    bare = data(run_id, "together", where=REFUSALS)
    assert bare[["low", "high", "effective_n"]].isna().all(axis=None)
    assert "Wilson" not in methods(run_id, "together", where=REFUSALS)


def test_agreement_of_labelers_on_picked_texts(run_id: str) -> None:
    """Of the texts of rows 0 and 1 they call 0.chosen and 1.rejected a refusal, and one calls
    each other so: half are the same, by chance 10 of 16 would be."""
    found = data(run_id, "labeler-agreement", where=A_SUBSET).set_index("key").loc[REFUSAL]
    assert (found["n"], found["same"], found["both"], found["either"]) == (4, 2, 2, 4)
    assert found["coefficient"] == pytest.approx((8 / 16 - 10 / 16) / (1 - 10 / 16))
    assert found["share_low"] > 0
    told = caption(run_id, "answers", label=REFUSAL, where=A_SUBSET)
    assert "4 texts were answered by both." in told and "(50%, 95% interval [15, 85])" in told
    bare = data(run_id, "labeler-agreement", where=REFUSALS)
    ends = [name for name in bare.columns if name.endswith(("low", "high", "effective_n"))]
    assert len(ends) == 10 and bare[ends].isna().all(axis=None)
    told = caption(run_id, "answers", label=REFUSAL, where=REFUSALS)
    # 0.chosen and 1.rejected by both, 1.chosen by the first alone; 3.chosen was refused.
    assert "3 texts were answered by both; 1 more was not." in told
    assert "both did in 2 (67%)." in told and "The same answer in 67% of 3 texts." in told
    assert "[" not in told and "bootstrap" not in methods(
        run_id, "answers", label=REFUSAL, where=REFUSALS
    )


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
@pytest.mark.parametrize("where", [A_SUBSET, REFUSALS, "side=chosen", "state=invalid"])
def test_every_chart_can_be_drawn(run_id: str, chart: str, where: str) -> None:
    wish = {"label": REFUSAL} if chart in ("sides", "answers") else {}
    drawn = figure(run_id, chart, "svg", where=where, **wish)  # type: ignore[arg-type]
    assert b"Picked texts, not a sample" in drawn and b"NaN" not in drawn
    assert "nan" not in caption(run_id, chart, where=where, **wish).lower()  # type: ignore[arg-type]
    assert not whole(run_id, chart)


def test_hostile_words_are_plain(run_id: str) -> None:
    where = f"subset={quote(HOSTILE)}"
    assert refusals(run_id, where) == {"chosen": (1, 1), "rejected": (0, 0)}
    assert "picked by: subset: <script>alert(1)</script> & 50% +#." in caption(
        run_id, "prevalence", where=where
    )
    assert b"<script>" not in figure(run_id, "prevalence", "svg", where=where)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("label=topics", "Not understood"),
        ("label=last_response_is_harmless", "was not asked for the label"),
        ("state=gone", "Not understood"),
        ("state=missing", "No text of run"),
        (f"{REFUSALS}&other=gone-1&theirs=no", "gone-1"),
    ],
)
def test_what_picks_nothing_is_a_sentence(run_id: str, where: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        figure(run_id, "prevalence", "csv", where=where)
    assert said in refused.value.message and refused.value.hint


def test_the_address_of_the_page_is_what_a_figure_takes(run_id: str) -> None:
    where = conditions_of(run_id, {"run": run_id, "label": SENTIMENT, "value": "negative"})
    assert where == f"label={SENTIMENT}&value=negative" and rows_picked(run_id, where) == 1


def test_sentences_of_picked_texts(run_id: str) -> None:
    found = quotes(run_id, REFUSALS)
    (refusal,) = (one for one in found if "are called “Refusal”" in one.sentence)
    assert refusal.sentence.startswith(
        "first: 100% of chosen and 100% of rejected replies are called “Refusal”, on 1 pair. These"
        " pairs were chosen after looking, so this shows no more than a hint. Only 4 of 8 texts"
        " count, picked by: Refusal: yes."
    )
    assert refusal.command == f"ivan figure {run_id} prevalence --format csv --where {REFUSALS}"
    picked = [one.sentence for one in found if one.where]
    assert f"first names “Topics: {ARTS}” in 33% of 3 chosen replies. Only" in " ".join(picked)
    assert "both did in 2 (67%)." in " ".join(picked)
    assert not any("[" in told or "nan" in told for told in picked)
    whole_run = [one.sentence for one in found if not one.where]
    assert whole_run == [
        f"{one.sentence} This is of the whole run, whatever is picked."
        for one in quotes(run_id)
        if one.question == "Is every text accounted for?"
    ]
