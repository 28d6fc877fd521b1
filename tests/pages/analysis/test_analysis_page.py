"""The page Analysis: what it joins, what is missing, what it found and the pairs behind that."""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from given.listed import listed, lists_of
from given.made_analyses import INSULT, MOVED, OTHER, PLAIN, Analysing
from given.made_labellings import REFUSAL, SENTIMENT
from given.made_reviews import Said
from given.made_runs import finished

from ivan_core.annotations.queues import Queues
from ivan_core.domain.labels import AUTHOR
from ivan_core.domain.specs import LEXICON, CompareSpec, LabelSpec
from ivan_core.engine import archive, handling as runs, studies
from ivan_core.engine.kind import kind_of
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.sentences.against import NO_WHY
from ivan_core.experiments.analysis.sentences.beside import TEACHES
from ivan_core.review.queues import queues_of
from ivan_core.runs.registry import Registry
from ivan_core.worker import work
from pages.components.analysis.results import _TABS

ANALYSIS = "pages/analysis.py"
BREAKS = str(list(_TABS).index("What breaks it?"))
SECOND = str(list(_TABS).index("Worth a second look"))


def study_of(run_id: str) -> str:
    about = studies.about_run(run_id)
    assert about is not None
    return about.id


def leads_to(page, words: str) -> list[str]:
    return [to for label, to in page.links.items() if words in label]


def test_two_labels_are_chosen_and_told_together_and_two_models_beside_each_other(
    analysing: Analysing, open_page, spawned, data_dir
):
    compared, labelled = analysing.compared((PLAIN, OTHER)), analysing.labelled()
    page = open_page(ANALYSIS, study=study_of(compared))
    page.app.selectbox(key="analysis-together").set_value(REFUSAL)
    page.run()
    page.app.selectbox(key="analysis-together-other").set_value(INSULT)
    page.run()
    page.press("analyse")
    (run_id,) = spawned
    asked = spec_of_runs([compared, labelled], interaction=f"{REFUSAL}:{INSULT}")
    assert runs.any_spec_of(runs.get(run_id)) == asked
    work(Registry(data_dir), run_id)
    page = open_page(ANALYSIS, run=run_id)
    assert f"{PLAIN} gives both together (a refusing reply, a reply with an insult)" in page.said
    assert f"{PLAIN} and {OTHER} do not reward these 3 labels alike: one test of all" in page.said
    assert f"typical margins less than {OTHER}" not in page.said, "folded"
    page.app.session_state["analysis-differ"] = True
    page.run()
    assert f"typical margins less than {OTHER}" in page.said and not page.app.error


def test_results_say_how_much_is_explained_who_labelled_and_one_effect(
    analysing: Analysing, open_page
):
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    page = open_page(ANALYSIS, run=run_id)
    assert f"of what {PLAIN} prefers" in page.said
    assert "58 pairs used; out: 1 not rated, 1 not labelled on both sides." in page.said
    assert "Clear for this labeler are Refusal −1." in page.said
    assert "Labels by reader:1b: nobody has checked this labeler." in page.said
    assert "from 300 pairs on" in page.said and "there were 0 when" in page.said
    assert not leads_to(page, "Ask people"), "of 58 pairs nobody can describe 300"
    assert page.kinds.count("vega_lite_chart") == 1
    assert "Alike in all else in this table, " in page.said and "typical margins" in page.said
    assert not page.app.error


def test_what_stands_beside_is_drawn_when_its_fold_is_opened(analysing: Analysing, open_page):
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    page = open_page(ANALYSIS, run=run_id)
    assert "Of two replies alike in all else" not in page.said
    for key in ("beside-_choice", "beside-_topics", "beside-_shares"):
        page.app.session_state[key] = True
    page.run()
    assert "Of two replies alike in all else, a refusing reply is chosen in" in page.said
    assert "No topic or subset has ten pairs that differ in a feature" in page.said
    assert f"{PLAIN}: of the " in page.said
    assert page.kinds.count("vega_lite_chart") == 2
    page.app.query_params["effect"] = f"{INSULT}~choice"
    page.run()
    assert "Of two replies alike in all else, a reply with an insult is chosen in" in page.said
    assert "Of two replies alike in all else, a refusing reply" not in page.said
    differs = open_analysis(run_id).table("choice", who="choice", feature=INSULT)["differs"].iloc[0]
    (to,) = [one for one in leads_to(page, f"See the {differs} pairs of plain") if "rated" in one]
    assert all(quote(model, safe="") in to for model in (MOVED, OTHER))


def test_a_mark_in_the_address_says_its_effect_and_opens_its_pairs(analysing: Analysing, open_page):
    labelled = analysing.labelled()
    compared = analysing.compared()
    run_id = analysing.analysed(compared, labelled)
    page = open_page(ANALYSIS, run=run_id, effect=f"{INSULT}~{OTHER}")
    assert f"{OTHER} gives a reply with an insult" in page.said
    to = leads_to(page, "pairs of other")[0]
    page_name, _, query = to.partition("?")
    assert page_name == "compare" and f"run={compared}" in query and INSULT in query


def test_another_labeler_is_chosen_and_stands_in_the_address(analysing: Analysing, open_page):
    labelers = [analysing.labelled(), analysing.labelled("other:1b")]
    run_id = analysing.analysed(analysing.compared((PLAIN, MOVED)), *labelers)
    page = open_page(ANALYSIS, run=run_id)
    assert "labels: reader:1b)" in page.said
    page.app.segmented_control(key=f"analysis-labeler-{labelers[0]}").set_value(labelers[1])
    page.run()
    assert "labels: other:1b)" in page.said and "labels: reader:1b)" not in page.said
    assert page.app.query_params["labeler"] in (labelers[1], [labelers[1]])
    again = open_page(ANALYSIS, run=run_id, labeler=labelers[1])
    assert "labels: other:1b)" in again.said


def test_home_has_its_tile_begins_it_and_shows_the_strongest_reward(
    analysing: Analysing, data_dir, open_page, spawned
):
    study = study_of(analysing.compared())
    page = open_page(study=study)
    assert "Analysis–pairs analysed" in page.said and "begin-Analysis" not in page.buttons
    analysing.labelled()
    page = open_page(study=study)
    assert page.buttons["begin-Analysis"].startswith("Analyse the 60 pairs, ")
    page.press("begin-Analysis")
    (run_id,) = spawned
    work(Registry(data_dir), run_id)
    page = open_page(study=study)
    assert "Analysis60pairs analysed" in page.said
    (to,) = leads_to(page, "See what else it rewards")
    assert to.startswith(f"analysis?run={run_id}&effect={REFUSAL}")
    assert "gives a refusing reply" in page.said
    assert kind_of(runs.get(run_id)).name == "analysis"


def test_what_next_on_compare_and_taxonomy_leads_to_it(analysing: Analysing, open_page):
    compared, labelled = analysing.compared(), analysing.labelled()
    for name, run_id in (("compare", compared), ("taxonomy", labelled)):
        page = open_page(f"pages/{name}.py", run=run_id)
        assert page.buttons.get("next-analysis", "").startswith("Start: regressions, free")


def test_authored_labels_stand_beside_a_labeler_and_tell_nothing_of_either_reply(
    data_dir, open_page
):
    compared = finished(data_dir, runs.located(CompareSpec(models=(PLAIN, OTHER))))
    rules, authored = (
        begun(runs.located(LabelSpec(labeler=labeler))) for labeler in (LEXICON, AUTHOR)
    )
    run_id = begun(spec_of_runs([compared]))
    page = open_page(ANALYSIS, run=run_id)
    assert "On the same 300 pairs, ivan/lexicon (rule-based) finds" in page.said
    assert "by authored labels alone" in page.said and TEACHES in page.said
    assert page.kinds.count("vega_lite_chart") == 2
    for who in ("authored labels", r"ivan\/lexicon"):
        (to,) = leads_to(page, f"pairs by {who}")
        assert to.startswith("compare?") and to.count("analysis.behind") == 2
    page = open_page(ANALYSIS, run=run_id, labeler=authored)
    assert "; authored labels)" in page.said and TEACHES not in page.said
    page = open_page(ANALYSIS, run=run_id, labeler=authored, view=1)
    assert NO_WHY in page.said and "of 260 where the labels prefer neither" in page.said
    page = open_page(ANALYSIS, run=run_id, labeler=rules, view=1)
    assert NO_WHY not in page.said and not page.app.error


def begun(spec) -> str:
    run_id, _ = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(runs.registry(), run_id)
    return run_id


def test_worth_a_second_look_begins_with_its_numbers_and_leads_to_each_pair(
    analysing: Analysing, open_page
):
    compared = analysing.compared((PLAIN, OTHER))
    run_id = analysing.analysed(compared, analysing.labelled())
    table = open_analysis(run_id).tables["second-look"]
    page = open_page(ANALYSIS, run=run_id, view=SECOND)
    two = int((table["against"] == 2).sum())
    assert f"In {len(table)} of 60 pairs at least one voice goes against " in page.said
    assert f", in {two} at least two do (voices: 2 models)." in page.said
    assert "wrong" not in page.said.lower() and "error" not in page.said.lower()
    drawn = listed(page.app)
    assert [int(row) for row in drawn["row_id"]] == table["row_id"].tolist()
    assert drawn["voices"][0] == "2 of 2"
    (sent,) = lists_of(page.app)
    assert sent["links"][0] == f"pairs?run={compared}&row={table['row_id'][0]}"


def test_an_analysis_without_the_list_says_how_to_get_it(analysing: Analysing, open_page, data_dir):
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    (Registry(data_dir).folder(run_id) / "second-look.parquet").unlink()
    open_analysis.cache_clear()
    page = open_page(ANALYSIS, run=run_id, view=SECOND)
    assert "This analysis lists no pairs yet." in page.said and not page.app.error


def test_the_list_without_its_comparison_says_that_it_is_gone(
    analysing: Analysing, open_page, data_dir
):
    compared = analysing.compared()
    run_id = analysing.analysed(compared, analysing.labelled())
    archive.delete(compared)
    page = open_page(ANALYSIS, run=run_id, view=SECOND)
    assert "at least one voice goes against" in page.said
    assert f"Not here: the comparison (run {compared})." in page.said


def test_people_are_asked_about_listed_and_random_pairs_and_what_they_say_is_told(
    analysing: Analysing, open_page, data_dir
):
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    dataset = open_analysis(run_id).dataset.fingerprint
    page = open_page(ANALYSIS, run=run_id, view=SECOND)
    assert page.buttons["second-look-go"] == "Have people look at 60"
    assert "prefer the other reply in" not in page.said and "People gave" not in page.said
    page.app.number_input[0].set_value(21)
    page.run()
    assert page.buttons["second-look-go"] == "Have people look at 20"
    page.app.number_input[0].set_value(60)
    page.run()
    page.press("second-look-go")
    (queue,) = queues_of(dataset)
    asked = len(Queues(data_dir).items(queue.id))
    assert f"Queues ask about {asked} pairs already: " in page.said
    assert f"Queue {queue.id} is made." in page.said and leads_to(page, "Invite people on Review")
    assert "People gave 0 answers on listed pairs and 0 on random ones" in page.said
    said = Said(data_dir, dataset)
    said.choose(queue, "Ada", {row: "chosen" for row in range(60) if row not in (3,)})
    again = open_page(ANALYSIS, run=run_id, view=SECOND)
    assert "answers on listed pairs" in again.said
    while "second-look-go" in again.buttons:
        again.press("second-look-go")
    assert "already: that is all of the list." in again.said
    assert leads_to(again, "See these queues on Review")


def test_both_replies_of_random_pairs_are_asked_by_one_press_that_fills_in_the_form(
    data_dir, monkeypatch, open_page, spawned
):
    many = Analysing(data_dir, monkeypatch, count=306)
    run_id = many.analysed(many.compared((PLAIN,)), labelled := many.labelled())
    analysed = open_analysis(run_id)
    page = open_page(ANALYSIS, run=run_id)
    words = "Ask people to describe both replies of 300 pairs: free, about 15 hours in all"
    (to,) = leads_to(page, words)
    name, _, query = to.partition("?")
    asked = {key: value[0] for key, value in parse_qs(query).items()}
    assert name == "review" and asked["ask"] == f"{run_id}~{labelled}"
    monkeypatch.setattr("ivan_core.review.queues._OPENED", 0)  # as if others were newer
    review = open_page("pages/review.py", **asked)
    assert review.app.selectbox(key="make-source").value == "random-pairs"
    assert review.app.number_input(key="make-pairs").value == 300
    assert f"300 of 304 pairs of run {run_id} with labels of reader:1b" in review.said
    assert "About 15 hours of describing in all, at 90 s a reply" in review.said
    assert "Everybody first judges" not in review.said
    assert review.buttons["make"] == "Make a queue of 600 items"
    review.press("make")
    (queue,) = queues_of(analysed.dataset.fingerprint)
    assert queue.title == "Describe both replies of 300 random pairs" and queue.random
    assert set(queue.keys) == {REFUSAL, SENTIMENT, INSULT}, "what this labeler was asked"
    assert "Of 0 of 300 pairs both replies are described." in review.said
    said = Said(data_dir, analysed.dataset.fingerprint)
    items = Queues(data_dir).items(queue.id)

    def answer(some) -> None:
        for one in some:
            said.say(queue, "Ada", one.row_id, one.side, many.right(one.row_id, one.side))

    answer(items[:3])
    page = open_page(ANALYSIS, run=run_id)
    late = open_page("pages/review.py", **asked)
    assert "Nothing is left to ask of these pairs." in late.said
    assert late.app.selectbox(key="make-source").value == "random"
    assert "described both replies of 0 of 300 pairs. Not counted: 3 more by one" in page.said
    assert leads_to(page, "See how far they are on Review") and not leads_to(page, "Ask people")
    answer(items[3:])
    page = open_page(ANALYSIS, run=run_id)
    assert "described both replies of 300 pairs, 300 are needed." in page.said
    page.press("analysis-people")
    (again,) = spawned
    assert runs.any_spec_of(runs.get(again)) == analysed.spec
    work(Registry(data_dir), again)
    assert "Diamonds: as people label." in open_page(ANALYSIS, run=again).said


def test_the_files_hold_the_pairs_as_other_tools_read_them(
    analysing: Analysing, open_page, data_dir
):
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    page = open_page(ANALYSIS, run=run_id)
    page.unfold("files")
    page.unfold("files-for-others")
    assert "They hold all pairs, with their texts." in page.said
    formats = [f"analysis-export-{name}" for name in ("annotated-pairs", "llm-comparator", "dpo")]
    buttons = {one.key for one in page.app.get("download_button")}
    assert {*formats, "analysis-report-texts", f"file-{run_id}-report.html"} <= buttons
    assert "People settled" not in page.said
    dataset = open_analysis(run_id).dataset.fingerprint
    said = Said(data_dir, dataset)
    queue = said.pairs(4)
    for name in ("Ann", "Bob"):
        said.choose(queue, name, {0: "rejected", 1: "chosen", 2: "rejected", 3: "none"})
    page = open_page(ANALYSIS, run=run_id)
    page.unfold("files-for-others")
    assert "in 1 the chosen reply, in 2 the other one, in 1 neither." in page.said
    choice = page.app.segmented_control(key="analysis-settled")
    assert choice.options == ["For training, keep all as they are", "Turn 2 round", "Leave 3 out"]
    assert not any("--settled" in one.value for one in page.app.code)
    choice.set_value("drop")
    page.run()
    assert any("--export dpo --settled drop" in one.value for one in page.app.code)


def test_without_a_rewording_the_tab_says_so_and_leads_to_it(analysing: Analysing, open_page):
    compared, labelled = analysing.compared(), analysing.labelled()
    run_id = analysing.analysed(compared, labelled)
    page = open_page(ANALYSIS, run=run_id, view=BREAKS)
    assert "This analysis has no rewording of its pairs." in page.said
    assert leads_to(page, "Reword them") == [f"rewrite?study={study_of(compared)}"]


def test_a_rewording_that_came_later_is_joined_by_one_button(
    analysing: Analysing, open_page, spawned
):
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    rewording = analysing.reworded()
    page = open_page(ANALYSIS, run=run_id, view=BREAKS)
    assert f"Run {rewording} reworded pairs of this dataset." in page.said
    page.press("analyse-reworded")
    (again,) = spawned
    spec = runs.any_spec_of(runs.get(run_id))
    assert runs.any_spec_of(runs.get(again)) == spec.model_copy(update={"rewording": rewording})


def test_what_breaks_it_says_flips_moves_and_the_labelers_own_flips(
    analysing: Analysing, open_page
):
    compared, labelled = analysing.compared(), analysing.labelled()
    rewording = analysing.reworded()
    run_id = analysing.analysed(compared, labelled)
    page = open_page(ANALYSIS, run=run_id, view=BREAKS)
    assert "Meaning kept in 98%" in page.said and "no longer agree" in page.said
    assert "punctuation" in page.said
    assert "Where a reworded text gains “Helpful”, all else in this table alike" in page.said
    assert "rewording itself moves the reward" in page.said
    assert "the labeler by itself in 0% of 80" in page.said
    (to,) = leads_to(page, "texts in which it flips")
    assert to.startswith(f"rewrite?run={rewording}&") and "flipped" in to
    archive.delete(rewording)
    gone = open_page(ANALYSIS, run=run_id, view=BREAKS)
    assert f"What Rewrite says of run {rewording} is not here" in gone.said
    assert "Where a reworded text gains “Helpful”" in gone.said


def test_a_rewording_that_nobody_labelled_shows_flips_alone(analysing: Analysing, open_page):
    compared, labelled = analysing.compared(), analysing.labelled()
    analysing.reworded(labeler="")
    run_id = analysing.analysed(compared, labelled)
    page = open_page(ANALYSIS, run=run_id, view=BREAKS)
    assert "no longer agree" in page.said
    assert "Nobody labelled the texts of this rewording" in page.said
    assert leads_to(page, "Reword them again")


def test_published_numbers_are_folded_beside_ours(analysing: Analysing, open_page):
    runs_of = analysing.compared((PLAIN, OTHER)), analysing.choosing()
    alone = open_page(ANALYSIS, run=analysing.analysed(*runs_of))
    assert "no differences are computed" not in alone.said, "it is drawn when it is asked for"
    alone.app.session_state["as-published"] = True
    alone.run()
    assert f"Labels by chooser:1b; {PLAIN} stands for the trained one" in alone.said
    page = open_page(ANALYSIS, run=analysing.analysed(*runs_of, before=OTHER, after=PLAIN))
    page.app.session_state["as-published"] = True
    page.run()
    assert page.kinds.count("vega_lite_chart") == 2
    assert f"Labels by chooser:1b; before: {OTHER}, after: {PLAIN}." in page.said
    assert "no differences are computed" in page.said
    (table,) = [one.value for one in page.app.dataframe if "here_as_published" in one.value]
    told = table.set_index("name")
    assert told.loc["labeler:none", "paper"] == "121,517"
    assert told.loc["regime:got,labeler:chosen", "here"].isdigit()
    assert "2024" in told.loc["agreement:after", "source"]
