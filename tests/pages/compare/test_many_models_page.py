"""Compare with many models: one picture in place of thirty, lists in place of long lines."""

from __future__ import annotations

from given import made_runs
from given.listed import lists_of

COMPARE = "pages/compare.py"
MODELS = made_runs.many(30)
SIX = MODELS[:6]


def columns_of(page):
    """The columns of the list of pairs."""
    return [column["name"] for column in lists_of(page.app)[-1]["columns"]]


def test_thirty_models_open_with_one_sentence_a_grid_and_how_alike_they_are(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(MODELS, limit=60))
    page = open_page(COMPARE, run=run_id)
    assert "Of 30 models made/model-" in page.said
    assert "Each of the 30 models rated 60 of 60 pairs." in page.said
    assert "and 24 others" in page.said.splitlines()[0]
    # The grid, the likeness of each two, and the few that show most.
    assert page.kinds.count("vega_lite_chart") == 3
    assert "Most alike are made/model-" in page.said
    assert "the majority vote" in page.said.lower()
    assert "was picked as the best single model on these very 60 pairs" in page.said
    assert len(page.said.splitlines()) < 40
    assert columns_of(page) == ["row_id", "subset", "parted", "chosen", "rejected"]
    told = lists_of(page.app)[-1]["rows"][0][2]
    assert sum(int(part.split()[0]) for part in told.split(", ")) == 30


def test_models_that_a_condition_names_have_a_column_of_the_pairs(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(SIX, limit=40))
    page = open_page(COMPARE, run=run_id, part=f"{SIX[1]}~{SIX[4]}", sort=f"margin~1~{SIX[0]}")
    assert columns_of(page)[2:5] == ["parted", SIX[1], SIX[4]]
    assert SIX[0] in columns_of(page)
    verdicts = [(row[3]["words"], row[4]["words"]) for row in lists_of(page.app)[-1]["rows"]]
    assert verdicts and all(first != second for first, second in verdicts)
    assert any(label.endswith("05 part ✕") for label in page.buttons.values())


def test_every_question_of_many_models_is_answered(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(SIX, limit=120))
    page = open_page(COMPARE, run=run_id, view="0")
    assert [box.label for box in page.app.selectbox][2:4] == ["One model", "Another"]
    page.app.selectbox(key="differ-one").select(SIX[1]).run()
    assert SIX[1] not in page.app.selectbox(key="differ-another").options
    for view, words in (
        ("1", "sides with the choice"),
        ("2", "A model that only sees length has cells far apart."),
        ("3", ""),
        ("4", "Most alike are"),
    ):
        other = open_page(COMPARE, run=run_id, view=view)
        assert words in other.said
        assert other.kinds.count("vega_lite_chart") >= 2


def test_three_models_keep_their_bars_and_can_be_asked_how_alike_they_are(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(SIX[:3], limit=40))
    page = open_page(COMPARE, run=run_id)
    assert "sides with the author's choice in" in page.said and "Most alike" not in page.said
    assert "Most alike are" in open_page(COMPARE, run=run_id, view="4").said
    assert "How alike are they?" not in str(
        open_page(
            COMPARE, run=made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
        ).app.get("button_group")
    )


def test_a_pair_that_many_models_judged_is_told_by_counts(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(SIX, limit=20))
    page = open_page("pages/pairs.py", run=run_id, row="3")
    assert " of 6 models prefer" in page.said.splitlines()[0]
    assert "reward: " not in page.said
    page.app.selectbox(key="marked-words").select(SIX[2]).run()
    assert page.app.query_params["marked"] == SIX[2]
    assert page.said.count("reward: ") == 2
    page.app.selectbox(key="marked-words").set_value(None).run()
    assert page.app.query_params["marked"] == "nothing"


def test_the_finding_of_many_models_is_told_by_counts_on_home(data_dir, open_page):
    made_runs.finished(data_dir, made_runs.spec_of_sample(SIX, limit=60))
    told = open_page("streamlit_app.py").said
    assert "The 6 models disagree on" in told and " of 6 models prefer" in told
    assert "model-06 clearly" not in told


def test_of_very_many_sentences_the_first_are_shown_and_words_find_the_others(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(MODELS, limit=20))
    page = open_page(COMPARE, run=run_id)
    page.app.session_state["sentences"] = True
    page.run()
    told = [block.value for block in page.app.code][1:]
    # One about each model's agreement, one about its training, and two rules of length.
    assert "30 of 62 sentences" in page.said
    assert len([one for one in told if "ivan figure" in one]) == 30
    page.app.text_input(key="sentences-words").input("MODEL-29").run()
    found = [block.value for block in page.app.code if "ivan figure" in block.value]
    assert len(found) == 2 and all("made/model-29" in one for one in found)
    assert "2 of 62 sentences" in page.said


def test_many_models_at_work_stand_in_one_chart_and_one_sentence(data_dir, open_page):
    with made_runs.at_work(data_dir, made_runs.spec_of_sample(MODELS)) as run_id:
        page = open_page(COMPARE, run=run_id)
        assert "30 models rated 80 of 480 pairs so far." in page.said
        assert "Which of several stands first or last is partly chance." in page.said
        assert page.kinds.count("vega_lite_chart") == 1
        assert len(page.said.splitlines()) < 12
