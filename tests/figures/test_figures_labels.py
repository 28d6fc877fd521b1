"""Figures of finished labels: their numbers by hand, their words, what they cannot show."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

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
    four_pairs,
    says,
)
from given.support import settings_of

from ivan_core.charts.printed import units
from ivan_core.cli.main import run as command
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.specs import DatasetRequest, LabelSpec
from ivan_core.engine import handling as runs
from ivan_core.engine.figures import caption, figure, figures, file_name, methods
from ivan_core.experiments.batches.import_files import import_files
from ivan_core.experiments.labels.results import open_labels
from ivan_core.figures.choices import figure_command
from ivan_core.labels.prompt import prompt_hash
from ivan_core.worker import work

ALL = ("prevalence", "sides", "topics", "together", "same-answers", "labeler-agreement", "answers")
OF_TWO = ALL[4:]
WISHES = {"sides": {"label": REFUSAL}, "answers": {"label": REFUSAL}}
HOSTILE = '<script>alert(1)</script>"\'&]]>{signal} datum["x"]'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Labels of four pairs by `third`, `first` and `second`, the newest last."""
    folder = tmp_path_factory.mktemp("figures-labels")
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, folder)
        data_dir.mkdir()
        with pytest.MonkeyPatch.context() as while_made:
            labellings = Labellings(data_dir, four_pairs(folder), while_made)
            third = labellings.made("third", SECOND)
            first = labellings.made("first", FIRST)
            second = labellings.made("second", SECOND)
        yield first, second, third


def text_of(svg: bytes) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


def csv_of(run_id: str, name: str, **wish: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(figure(run_id, name, "csv", **wish)))


def test_a_labelling_lists_its_charts_and_how_to_choose(made, capsys):
    assert [chart.name for chart in figures(made[0])] == list(ALL)
    assert command(["figure", made[0]]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(ALL)
    assert listed[-1].endswith("(--label, --other)")
    assert command(["figure", made[0], "answers", "--list"]) == 0
    offered = capsys.readouterr().out.splitlines()
    assert f"--label {REFUSAL}: Refusal" in offered
    assert f"--label {TOPICS}:{ARTS}: Topics: {ARTS}" in offered
    assert {f"--other {made[1]}: second", f"--other {made[2]}: third"} <= {*offered}


@pytest.mark.parametrize("name", ALL)
def test_every_chart_fits_its_width_and_names_its_labelers(made, name):
    for width in (85, 170):
        svg = figure(made[0], name, "svg", width, **WISHES.get(name, {}))
        root = ElementTree.fromstring(svg)
        assert float(root.attrib["viewBox"].split()[2]) == pytest.approx(units(width), abs=0.5)
        assert "first" in text_of(svg) and "Sample data" not in text_of(svg)
        assert ("second" in text_of(svg)) == (name in OF_TWO)


def test_the_csv_of_shares_has_counts_by_hand_and_the_differences(made):
    told = csv_of(made[0], "prevalence")
    own = told[told["key"] == REFUSAL].set_index("side")
    assert own[["count", "n", "pairs"]].to_numpy().tolist() == [[3, 4, 3], [1, 3, 3]]
    assert own["difference"].tolist() == pytest.approx([1 / 3, 1 / 3])
    # One pair stands apart, the other two do not: mid-p is half of 2 * (1/2).
    assert own["mid_p"].tolist() == [0.5, 0.5] and not own["clear"].any()
    assert set(told["key"]) == {REFUSAL, SENTIMENT}


def test_the_csv_of_the_other_charts_is_worked_by_hand(made):
    sides = csv_of(made[0], "sides", label=REFUSAL).set_index(["chosen", "rejected"])["count"]
    assert sides.to_dict() == {
        ("no", "no"): 1,
        ("no", "yes"): 0,
        ("yes", "no"): 1,
        ("yes", "yes"): 1,
    }
    topics = csv_of(made[0], "topics")
    assert topics["value"].tolist() == [ARTS, ARTS, PLACES, PLACES]
    assert topics["count"].tolist() == [1, 1, 1, 1] and topics["n"].tolist() == [4, 3, 4, 3]
    rows = csv_of(made[0], "together").set_index(["first_value", "second_value"])
    assert rows.loc[("yes", "negative"), ["n", "first", "both"]].tolist() == [7, 4, 1]
    cells = csv_of(made[0], "answers", label=REFUSAL).set_index(["first", "second"])
    assert cells["count"].tolist() == [2, 1, 1, 2] and set(cells["second_labeler"]) == {"second"}
    word = csv_of(made[0], "answers", label=f"{TOPICS}:{PLACES}").set_index(["first", "second"])
    assert word["count"].to_dict() == {
        ("no", "no"): 4,
        ("no", "yes"): 0,
        ("yes", "no"): 1,
        ("yes", "yes"): 1,
    }


def test_the_csv_of_agreement_has_kappa_by_hand(made):
    told = csv_of(made[0], "labeler-agreement", other=made[1])
    row = told.set_index("key").loc[REFUSAL]
    # Of 6 texts 4 have the same answer, and both say yes to half: (4/6 - 1/2) / (1 - 1/2).
    assert row["coefficient"] == pytest.approx(1 / 3)
    assert (row["both"], row["either"], row["n"]) == (2, 4, 6)
    assert set(told["labelers"]) == {"first; second"}
    three = csv_of(made[0], "labeler-agreement", other=(made[2], made[1]))
    assert set(three["labelers"]) == {"first; third; second"}
    assert three["measure"].tolist() == ["alpha", "ordinal alpha", "jaccard"]


def test_captions_have_numbers_with_n_and_interval(made):
    first = made[0]
    for name, told in (
        ("prevalence", "On 3 pairs, no label is clearly more common on one side, all 4 taken"),
        ("sides", "67% of chosen and 33% of rejected replies in 3 pairs; +33 points (95% interval"),
        ("topics", f"Named most: {ARTS} (25% [5, 70] of 4 chosen, 33% [6, 79] of 3 rejected)"),
        ("together", "No label is given to 20 texts or more"),
        ("labeler-agreement", "first and second, 6 texts: every label is too rare"),
        ("answers", "either called “Refusal”, both did in 2 (50%, 95% interval [15, 85]). Too"),
    ):
        said = caption(first, name, **WISHES.get(name, {}))
        assert told in said
        assert "Data: all 4 pairs of " in said and "four.jsonl (no revision, fingerprint" in said
    told = caption(first, "answers", label=REFUSAL)
    assert "6 texts were answered by both; 2 more were not." in told
    assert "The same answer in 67% of 6 texts [30, 90]." in told


def test_methods_name_labeler_prompt_texts_intervals_seed_version_and_command(made):
    told = methods(made[0], "prevalence")
    digits = prompt_hash((REFUSAL, SENTIMENT, TOPICS))
    assert f"by first (revision r1, prompt labels-v1, hash {digits})" in told
    assert "3 of 19 labels" in told and "Texts: 8 submitted = 7 valid + 0 repaired" in told
    assert "+ 1 invalid + 0 missing; labels of the 7 valid or repaired ones are used." in told
    assert "Wilson" in told and "Newcombe" in told
    assert "Holm over the family of 4 labels" in told
    assert re.search(r"Seed 0\. Computed with IVAN \d+\.\d+", told)
    assert f"run {made[0]}: `ivan taxonomy run-control-batch --model first" in told
    told = methods(made[0], "labeler-agreement", other=(made[1], made[2]))
    assert "Krippendorff's alpha" in told and "1,000 bootstrap draws by prompt" in told
    assert "(seed 0)" in told and "corrected for multiple comparisons" in told
    for other in made[1:]:
        assert f"Run {other}: `ivan taxonomy" in told
    for name in ("answers", "same-answers"):
        told = methods(made[0], name, **WISHES.get(name, {}))
        assert "Wilson" in told and "kappa" not in told


def test_rules_and_the_sample_are_named(data_dir):
    asked = runs.located(LabelSpec(limit=12))
    run_id, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(runs.registry(), run_id)
    assert [chart.name for chart in figures(run_id)] == list(ALL[:4])
    for name in ALL[:4]:
        wish = WISHES.get(name, {})
        svg = text_of(figure(run_id, name, "svg", 170, **wish))
        assert "Sample data" in svg and "ivan/lexicon (rule-based)" in svg
        assert "Sample data" in caption(run_id, name, **wish)
        told = methods(run_id, name, **wish)
        assert told.startswith("The first 12 of 480 pairs (not a random sample) of sample")
        assert "ivan/lexicon (rule-based, revision " in told
        assert "labels as in prompt labels-v1, hash " in told


def test_imported_labels_say_what_is_not_known(labellings, tmp_path):
    said = json.dumps({key: False for key in FEATURES if key.endswith("is_refusal")})
    body = {"model": "llama-9", "choices": [{"message": {"content": said}}]}
    answer = {"custom_id": "2.chosen", "response": {"status_code": 200, "body": body}}
    path = tmp_path / "out.jsonl"
    path.write_text(json.dumps(answer) + "\n")
    run_id = import_files([path], DatasetRequest(source=str(labellings.file))).run_id
    assert "Data: 1 pair (those in the imported files) of " in caption(run_id, "prevalence")
    told = methods(run_id, "prevalence")
    assert "llama-9 (revision unknown, prompt unknown)" in told and "import-file out.jsonl" in told


def test_a_chart_is_there_only_where_the_run_has_its_labels(labellings):
    answers = {key: {REFUSAL: True} for key in FIRST}
    run_id = labellings.made("one", answers, keys=(REFUSAL,))
    assert [chart.name for chart in figures(run_id)] == ["prevalence", "sides"]
    assert csv_of(run_id, "sides")["count"].tolist() == [0, 0, 0, 4]  # the only label there is
    for name, hint in (("topics", "no label"), ("together", "too few"), ("answers", "second")):
        with pytest.raises(BadInput, match=f"has no chart {name}") as told:
            figure(run_id, name)
        assert hint in told.value.hint
    labellings.made("two", {key: {TOPICS: []} for key in FIRST}, keys=(TOPICS,))
    with pytest.raises(BadInput, match="asked for different labels"):
        figure(run_id, "labeler-agreement")


@pytest.mark.parametrize(
    ("name", "wish", "words"),
    [
        ("nothing", {}, "no chart 'nothing' of labels"),
        ("prevalence", {"model": "x"}, "shows no single model"),
        ("prevalence", {"column": "x"}, "shows no user column"),
        ("prevalence", {"label": REFUSAL}, "shows all labels"),
        ("prevalence", {"gate": "0.9"}, "shows no gate on meaning"),
        ("prevalence", {"other": "x"}, "shows one run"),
        ("sides", {}, "Which label?"),
        ("answers", {"label": f"{TOPICS}:x"}, "no label 'topics:x'"),
        ("labeler-agreement", {"other": "x"}, "'x' cannot be set beside"),
        ("labeler-agreement", {"other": ("x", "y", "z")}, "one or two other runs"),
        ("answers", {"label": REFUSAL, "other": ("x", "y")}, "sets one other run"),
    ],
)
def test_wrong_wishes_are_sentences(made, name, wish, words):
    with pytest.raises(BadInput, match=words):
        figure(made[0], name, **wish)


def test_the_command_line_writes_what_it_repeats(made, tmp_path, capsys):
    path = tmp_path / "answers.csv"
    wish = {"label": f"{TOPICS}:{ARTS}", "other": made[2]}
    told = figure_command(made[0], "answers", "csv", **wish)
    assert told == (
        f"ivan figure {made[0]} answers --format csv --other {made[2]} --label '{TOPICS}:{ARTS}'"
    )
    words = [
        "figure",
        made[0],
        "answers",
        "--format",
        "csv",
        "--other",
        made[2],
        "--label",
        f"{TOPICS}:{ARTS}",
        "--out",
        str(path),
    ]
    assert command(words) == 0
    assert caption(made[0], "answers", **wish) in capsys.readouterr().out
    assert path.read_bytes() == figure(made[0], "answers", "csv", **wish)
    assert file_name(made[0], "answers", "csv", **wish) == (
        f"{made[0]}-answers-topics-Culture-and-the-arts-{made[2]}.csv"
    )
    assert file_name(made[0], "topics", "pdf") == f"{made[0]}-topics-85mm.pdf"


def test_hostile_labelers_and_words_stay_text(labellings):
    said = {key: says(True, topics=(ARTS,)) for key in FIRST}
    run_id, _ = labellings.made(HOSTILE, said), labellings.made(f"{HOSTILE}2", FIRST)
    assert open_labels(run_id).labeler == HOSTILE
    for name in ALL:
        svg = figure(run_id, name, "svg", 170, **WISHES.get(name, {}))
        kinds = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(svg).iter()}
        assert "script" not in kinds and "image" not in kinds
        assert "<script>" in text_of(svg), "as text"
