"""Figures of the rows that conditions pick: numbers by hand, and what is said of such rows."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from fakes.reward_models import Fakes, provider
from given.made_runs import OF_MANY, OF_PUBLISHED, TWO_MODELS, finished, spec_of_sample, write_rows
from given.support import settings_of

from ivan_core import settings
from ivan_core.annotations.notes import Reviews
from ivan_core.cli.main import run as command
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import Mark
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.figures import (
    caption,
    conditions_of,
    figure,
    file_name,
    methods,
    quotes,
    rows_picked,
    stamp,
    whole,
)
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.columns.results import known
from ivan_core.experiments.columns.work import column_spec
from ivan_core.experiments.compare.figures import CHARTS
from ivan_core.experiments.compare.results import open_results
from ivan_core.figures.choices import figure_command
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

ONE, TWO = "me/one", "me/two"
# The chosen reply's reward; the rejected one's is 0. So 0 to 3, 7 and 9 agree, 6 is a tie.
REWARDS = {ONE: (1, 2, 3, 4, -1, -2, 0, 1, -1, 5), TWO: (1, 1, -1, -1, -1, -1, 1, 1, -1, -1)}
A_SUBSET = "subset=a"
TWO_AGREES = f"verdict={TWO}~agree"
LENGTH = "len(reply)"
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m & 50% +#"


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Ten pairs, the first six of subset a; that of the last is hostile."""
    folder = tmp_path_factory.mktemp("rows")
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, folder)
        rows = [
            {
                "chosen": f"\n\nHuman: Q{n}\n\nAssistant: Yes, {n}.",
                "rejected": f"\n\nHuman: Q{n}\n\nAssistant: No, not {n}.",
                "subset": "a" if n < 6 else "b" if n < 9 else HOSTILE,
                "annotator": "Ada" if n < 5 else "Bob",
            }
            for n in range(10)
        ]
        dataset = read_dataset(DatasetRequest(source=str(write_rows(folder / "pairs.jsonl", rows))))
        files = [folder / "2024-08-19-10-30-stats.csv"]
        files[0].write_text(f"model_name,model_trained_on_dataset\n{ONE},False\n{TWO},False\n")
        for model, rewards in REWARDS.items():
            lines = [f"{n},{reward},0,{reward > 0}" for n, reward in enumerate(rewards)]
            head = "row_id,chosen_score,rejected_score,agreement"
            files.append(folder / f"2024-08-19-10-30-{model.removeprefix('me/')}.csv")
            files[-1].write_text("\n".join([head, *lines]) + "\n")
        (found,) = import_csvs(files, dataset)
        spec = column_spec(open_results(found.run_id).dataset.fingerprint, "expression", LENGTH)
        registry = Registry(data_dir)
        made, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
        work(registry, made, provider(Fakes()))
        yield found.run_id


def data(run_id: str, chart: str, **wish: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(figure(run_id, chart, "csv", **wish)))  # type: ignore[arg-type]


def agreeing(table: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Of how many rated pairs each model agrees with how many."""
    own = table[(table["subset"] == "all") & (table["verdict"] == "agree")]
    return {row.model: (int(row.count_), int(row.n)) for row in _plain(own)}


def _plain(table: pd.DataFrame) -> list:
    return list(table.rename(columns={"count": "count_"}).itertuples())


def test_agreement_of_a_subset_keeps_its_intervals(run_id: str) -> None:
    found = data(run_id, "agreement", where=A_SUBSET)
    assert agreeing(found) == {ONE: (4, 6), TWO: (2, 6)}
    own = found[found["subset"] == "all"]
    assert own["low"].notna().all() and own["high"].notna().all()
    told = caption(run_id, "agreement", where=A_SUBSET)
    assert "Only 6 of 10 pairs count, picked by: subset: a. Picked pairs, not a sample." in told
    assert f"{ONE} 67% [30, 90] of 6" in told  # Wilson's interval of 4 in 6
    assert "random draw of all pairs that would be picked so" in told
    assert "Data: all 10 pairs of" in told


def test_a_condition_on_what_is_drawn_takes_the_intervals_away(run_id: str) -> None:
    found = data(run_id, "agreement", where=TWO_AGREES)  # rows 0, 1, 6 and 7
    assert agreeing(found) == {ONE: (3, 4), TWO: (4, 4)}
    assert found[["low", "high"]].isna().all(axis=None)
    told = caption(run_id, "agreement", where=TWO_AGREES)
    assert f"Only 4 of 10 pairs count, picked by: {TWO} agrees." in told
    assert f"all picked pairs: {ONE} 75% of 4; {TWO} 100% of 4." in told
    assert "rates follow from it" in told
    assert "interval;" not in told and "[" not in told
    said = methods(run_id, "agreement", where=TWO_AGREES)
    assert "rates follow from it" in said and "Wilson" not in said


def test_conditions_combine(run_id: str) -> None:
    both = f"{A_SUBSET}&verdict={TWO}~disagree"  # rows 2 to 5
    assert rows_picked(run_id, both) == 4
    assert agreeing(data(run_id, "agreement", where=both)) == {ONE: (2, 4), TWO: (0, 4)}


def test_a_star_is_a_choice_by_hand(run_id: str) -> None:
    results = open_results(run_id)
    before = stamp(run_id, "starred=yes")
    reviews = Reviews(settings.data_dir())
    for row in (0, 4):
        reviews.save(Mark(results.dataset.fingerprint, row, "Ada", starred=True))
    assert stamp(run_id, "starred=yes") != before
    assert agreeing(data(run_id, "agreement", where="starred=yes")) == {ONE: (1, 2), TWO: (1, 2)}
    told = caption(run_id, "agreement", where="starred=yes")
    assert "marked the pairs by hand, so rates have no intervals" in told and "[" not in told


def test_without_conditions_all_is_as_before(run_id: str) -> None:
    assert "Picked" not in caption(run_id, "agreement")
    assert agreeing(data(run_id, "agreement")) == {ONE: (6, 10), TWO: (4, 10)}
    assert file_name(run_id, "agreement", "csv") == f"{run_id}-agreement.csv"


def test_each_choice_of_rows_has_a_file_of_its_own(run_id: str) -> None:
    names = {file_name(run_id, "agreement", "svg", where=where) for where in (A_SUBSET, TWO_AGREES)}
    assert len(names) == 2 and all("-picked-" in name for name in names)


def test_the_picture_says_that_its_rows_were_picked(run_id: str) -> None:
    drawn = figure(run_id, "agreement", "svg", where=A_SUBSET).decode()
    assert "Picked pairs, not a sample: 6 of 10 pairs." in drawn


def test_an_address_is_read_with_its_escapes_and_without_its_order(run_id: str) -> None:
    where = f"?run={run_id}&sort=margin~0~me%2Fone&verdict=me%2Ftwo~agree"
    assert caption(run_id, "agreement", where=where) == caption(
        run_id, "agreement", where=TWO_AGREES
    )


def test_hostile_words_are_plain_in_captions_and_pictures(run_id: str) -> None:
    where = f"subset={quote(HOSTILE)}"
    assert agreeing(data(run_id, "agreement", where=where)) == {ONE: (1, 1), TWO: (0, 1)}
    told = caption(run_id, "agreement", where=where)
    assert "picked by: subset: <script>alert(1)</script> [31m & 50% +#." in told
    assert "<script>" not in figure(run_id, "agreement", "svg", where=where).decode()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "no condition"),
        ("subset", "no part of an address"),
        ("subset=%ff", "no part of an address"),
        ("sort=margin~0~me/one", "no condition"),
        ("verdcit=me/one~agree", "verdcit"),
        ("verdict=me/one~likes", "verdict=me/one~likes"),
        ("subset=a&subset=b", "a name given twice"),
        (f"and={'x' * 70_000}", "Not understood"),
        ("run=another&subset=a", "is not that of run"),
        ("verdict=me/third~agree", "has no model me/third"),
        ("and=gone-1~compare.verdict~me/one~agree", "gone-1"),
        ("subset=nowhere", "No pair of run"),
    ],
)
def test_what_picks_nothing_is_a_sentence_and_no_figure(run_id: str, where: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        figure(run_id, "agreement", "csv", where=where)
    assert said in refused.value.message and refused.value.hint


def test_charts_of_the_whole_run_say_so(run_id: str) -> None:
    results = open_results(run_id)
    for chart in CHARTS:
        if chart.measure or chart.lacking(results):
            assert chart.lacking(results) or not whole(run_id, chart.name)
            continue
        assert whole(run_id, chart.name)
        with pytest.raises(BadInput) as refused:
            figure(run_id, chart.name, "csv", where=A_SUBSET)
        assert refused.value.hint == "Leave out --where."


def test_the_page_and_the_command_name_the_same_conditions(
    run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = {"run": run_id, "verdict": f"{TWO}~agree", "sort": f"margin~{ONE}", "show": "x"}
    where = conditions_of(run_id, address)
    assert where == TWO_AGREES
    assert conditions_of(run_id, {"verdict": "me/third~agree"}) == ""
    line = shlex.split(figure_command(run_id, "agreement", "csv", where=where))
    assert line[-2:] == ["--where", TWO_AGREES]
    out = tmp_path / "rows.csv"
    assert command([*line[1:], "--out", str(out)]) == 0
    assert out.read_bytes() == figure(run_id, "agreement", "csv", where=where)
    assert "rates follow from it" in capsys.readouterr().out


def test_verdicts_of_two_models_on_picked_rows(run_id: str) -> None:
    table = data(run_id, "verdicts", where=A_SUBSET)
    counts = {(row.first, row.second): row.count_ for row in _plain(table) if row.count_}
    assert counts == {("agree", "agree"): 2, ("agree", "disagree"): 2, ("disagree", "disagree"): 2}
    told = caption(run_id, "verdicts", where=A_SUBSET)
    assert "4 of 6" not in told and "67% of 6 pairs both rated" in told
    assert "chosen after looking" in told.lower() and "clear" not in told
    bare = caption(run_id, "verdicts", where=TWO_AGREES)
    assert "interval of" not in bare and "95%" not in bare
    assert "on 0 only me/one, on 1 only me/two" in bare  # row 6
    assert "Newcombe" not in methods(run_id, "verdicts", where=TWO_AGREES)


def test_margins_of_picked_rows_stay_in_the_units_of_the_run(run_id: str) -> None:
    own = data(run_id, "two-margins", where=A_SUBSET)
    every = data(run_id, "two-margins")
    assert own["count"].sum() == 6 and every["count"].sum() == 10
    # Squares of all ten margins are 62 together; the largest of the six is 4, of the ten 5.
    assert own["x1"].max() == pytest.approx(4 / sqrt(6.2))
    assert every["x1"].max() == pytest.approx(5 / sqrt(6.2))


def test_rewards_and_margins_of_picked_rows(run_id: str) -> None:
    for chart in ("rewards", "margins"):
        assert data(run_id, chart, model=ONE, where=TWO_AGREES)["count"].sum() == 4
        told = caption(run_id, chart, model=ONE, where=TWO_AGREES)
        assert "in 75% of 4 rated pairs." in told and "interval)" not in told
        assert "[30, 90] of 6 rated pairs (95% interval)" in caption(
            run_id, chart, model=ONE, where=A_SUBSET
        )
    # The root mean square of 1, 2, 0 and 1 is that of 6 / 4.
    assert "typical margin (root mean square of 4 margins) is 1.22." in caption(
        run_id, "margins", model=ONE, where=TWO_AGREES
    )


def test_length_of_picked_rows(run_id: str) -> None:
    """All chosen replies are the shorter ones: "Yes, n." against "No, not n."."""
    found = data(run_id, "length", where=TWO_AGREES).set_index("model")
    assert found.loc[ONE, ["agree", "n"]].tolist() == [3, 4]
    assert found.loc[ONE, ["low", "high"]].isna().all()
    told = caption(run_id, "length", where=TWO_AGREES)
    assert "75% of 4 where the shorter was, no rate if both counted the same" in told
    assert "interval" not in told.replace("they have no intervals", "")
    assert "MOVER" not in methods(run_id, "length", where=TWO_AGREES)
    kept = data(run_id, "length", where="longer=rejected").set_index("model")
    assert kept.loc[ONE, ["agree", "n"]].tolist() == [6, 10]
    assert kept[["low", "high"]].notna().all(axis=None)
    assert "follows from the condition on lengths" in caption(
        run_id, "length", where="longer=rejected"
    )


def test_agreement_by_a_column_of_the_dataset(run_id: str) -> None:
    found = data(run_id, "agreement-by", where=A_SUBSET)
    own = found[(found["model"] == ONE) & (found["verdict"] == "agree")].set_index("annotator")
    assert own.loc["Ada", ["count", "n"]].tolist() == [4, 5]
    assert own.loc["Bob", ["count", "n"]].tolist() == [0, 1]
    bare = data(run_id, "agreement-by", where=TWO_AGREES)
    assert bare[["low", "high"]].isna().all(axis=None)
    assert "Wilson" not in methods(run_id, "agreement-by", where=TWO_AGREES)


def test_a_user_column_on_picked_rows(run_id: str) -> None:
    """Chosen replies have 7 characters, rejected ones 10."""
    (spec,) = known(open_results(run_id).dataset.fingerprint)
    sides = data(run_id, "column", where=A_SUBSET)
    assert sides.groupby("side")["count"].sum().to_dict() == {"chosen": 6, "rejected": 6}
    agree = data(run_id, "column-agreement", where=A_SUBSET).set_index("model")
    assert agree.loc[ONE, ["larger", "agree", "n"]].tolist() == ["rejected", 4, 6]
    assert agree["rate_low"].notna().all()
    bare = data(run_id, "column-agreement", where=TWO_AGREES)
    assert bare[["rate_low", "rate_high"]].isna().all(axis=None)
    on_it = f"column={spec.id}~7~7~chosen"
    told = caption(run_id, "column", where=on_it)
    assert f"{spec.label} (chosen): 7" in told and "rates follow from it" in told
    assert "rates follow" not in caption(run_id, "column-agreement", where=on_it)


@pytest.mark.parametrize(
    "chart",
    [one.name for one in CHARTS if one.measure and one.name not in (*OF_MANY, *OF_PUBLISHED)],
)
@pytest.mark.parametrize("where", [A_SUBSET, TWO_AGREES, f"verdict={ONE}~tie"])
def test_every_chart_of_rows_can_be_drawn(run_id: str, chart: str, where: str) -> None:
    assert figure(run_id, chart, "svg", where=where).startswith(b"<svg")
    assert "NaN" not in caption(run_id, chart, where=where)


def test_rows_that_nobody_rated_have_no_bars(data_dir: Path) -> None:
    own = finished(data_dir, spec_of_sample(limit=40), Fakes(failing="01"))
    unrated = f"verdict={TWO_MODELS[0]}~unrated"
    assert rows_picked(own, unrated)
    for chart, wish in (("agreement", {}), ("agreement-by", {"column": "kind"})):
        with pytest.raises(BadInput, match="No model rated one of these pairs"):
            figure(own, chart, "csv", where=unrated, **wish)  # type: ignore[arg-type]


def test_a_verdict_of_another_run_is_on_what_is_drawn_too(data_dir: Path) -> None:
    own = finished(data_dir, spec_of_sample(limit=40))
    other = finished(data_dir, spec_of_sample(limit=30))
    where = f"and={other}~compare.verdict~{TWO_MODELS[1]}~agree"
    told = caption(own, "agreement", where=where)
    assert f"{TWO_MODELS[1]} agrees (run {other})" in told
    assert "10 pairs have no value for" in told and "rates follow from it" in told
    # The same model gives the same texts the same rewards, so the rate is the condition's.
    n = rows_picked(own, where)
    assert agreeing(data(own, "agreement", where=where))[TWO_MODELS[1]] == (n, n)


def told_of(run_id: str, where: str | None, question: str) -> list[str]:
    return [one.sentence for one in quotes(run_id, where) if one.question == question]


def test_sentences_of_a_subset_name_it_and_its_numbers(run_id: str) -> None:
    (first, *_) = quotes(run_id, A_SUBSET)
    assert first.sentence == (
        f"{ONE} sides with the recorded choice in 67% of 6 pairs (95% interval [30, 90]). Only 6 of"
        " 10 pairs count, picked by: subset: a. Picked pairs, not a sample. Rates are those of such"
        " pairs alone; an interval takes them for a random draw of all pairs that would be picked"
        " so."
    )
    assert first.command == f"ivan figure {run_id} agreement --format csv --where {A_SUBSET}"
    for one in quotes(run_id, A_SUBSET):
        assert ("picked by: subset: a." in one.sentence) == one.command.endswith(A_SUBSET)


def test_sentences_that_follow_from_a_condition_have_no_intervals(run_id: str) -> None:
    own = told_of(run_id, TWO_AGREES, "How often does it side with the choice?")
    assert own[0].startswith(f"{ONE} sides with the recorded choice in 75% of 4 pairs. Only 4 of")
    picked = [one.sentence for one in quotes(run_id, TWO_AGREES) if one.where]
    assert len(picked) > 12
    assert not any("[" in told or "clear" in told or "nan" in told.lower() for told in picked)
    (spec,) = known(open_results(run_id).dataset.fingerprint)
    assert any(told.startswith(f"{spec.label}: Mean 7 on the chosen side") for told in picked)


def test_sentences_that_rows_do_not_have_say_that_they_are_of_the_whole_run(run_id: str) -> None:
    sure = "How sure is it?"
    of_whole = "This is of the whole run, whatever is picked."
    assert told_of(run_id, A_SUBSET, sure) == [
        f"{sentence} {of_whole}" for sentence in told_of(run_id, None, sure)
    ]
    asked = [one.question for one in quotes(run_id, A_SUBSET)]
    assert asked == sorted(asked, key=[one.question for one in quotes(run_id)].index)


def test_length_is_told_of_picked_rows(data_dir: Path) -> None:
    own = finished(data_dir, spec_of_sample(limit=200))
    where = f"verdict={TWO_MODELS[0]}~agree"
    (first, *_) = told_of(own, where, "Is it just length?")
    assert "where the longer reply was chosen and in 100% of" in first and "[" not in first


def test_the_command_line_prints_the_sentences_of_picked_rows(
    run_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["runs", "sentences", run_id, "--where", TWO_AGREES]) == 0
    told = capsys.readouterr().out
    assert all(one.sentence in told for one in quotes(run_id, TWO_AGREES))
    assert "goes before this" in told.splitlines()[0]
    assert command(["runs", "sentences", run_id]) == 0
    assert "goes before this" not in capsys.readouterr().out
    assert command(["runs", "sentences", run_id, "--where", "subset=nowhere"]) != 0
    said = capsys.readouterr()
    assert "No pair of run" in said.err and not said.out
