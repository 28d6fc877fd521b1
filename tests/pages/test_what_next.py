"""What next, at the end of each result: three cards at most, what they cost, where they lead."""

from __future__ import annotations

from dataclasses import replace

from given.made_labellings import FIRST, SECOND, Labellings
from given.made_runs import finished, spec_of_sample
from given.word_counts import kind as word_counts
from given.word_counts.kind import WordsSpec

from ivan_core.annotations.queues import Queues
from ivan_core.domain.runs import Span
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import access, handling as runs, studies
from ivan_core.engine.kind import _loaded
from ivan_core.engine.plan import Proposal
from ivan_core.experiments import EXPERIMENTS
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels import plan as labels
from ivan_core.review.queues import make_queue, queue_request, queues_of, state_of

COMPARE, TAXONOMY = "pages/compare.py", "pages/taxonomy.py"


def study_of(run_id: str) -> str:
    about = studies.about_run(run_id)
    assert about is not None
    return about.id


def titles(page) -> list[str]:
    """The first line of each card."""
    begins = ("Judge ", "Label ", "Reword ", "Ask people ", "Take it with you")
    lines = page.said.splitlines()
    return [line for line in lines if line.startswith(begins) and not line.endswith(".")]


def test_after_a_comparison_labels_people_and_rewordings_come_next(data_dir, open_page):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    page = open_page("pages/compare.py", run=run_id)
    label, ask, reword = titles(page)
    assert (label, reword) == ("Label the 40 texts", "Reword the 20 pairs")
    assert ask.startswith("Ask people about the ") and ask.endswith(" pairs where the models part")
    assert page.buttons["next-labels"].startswith("Start: rules, free, ")
    assert page.buttons["next-people"].startswith("Invite: free, about ")
    paid = next(to for label, to in page.links.items() if "gpt" in label)
    assert paid == f"taxonomy?study={study_of(run_id)}&form=gpt-6-luna"


def test_a_press_on_a_free_one_starts_it_with_the_rows_of_the_study(data_dir, open_page, spawned):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    page = open_page("pages/compare.py", run=run_id)
    page.press("next-labels")
    (started,) = spawned
    assert page.app.query_params["run"] == started
    assert runs.any_spec_of(runs.get(started)).limit == 20
    again = open_page("pages/compare.py", run=run_id)
    assert "next-labels" not in again.buttons, "it is at work"


def test_the_paid_one_leads_to_its_form_and_starts_nothing(data_dir, open_page, spawned):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    page = open_page("pages/taxonomy.py", study=study_of(run_id), form="gpt-6-luna")
    assert page.app.selectbox(key="label-labeler").value == "gpt-6-luna"
    assert page.buttons["prepare"] == "Prepare the batch and see the cost"
    assert not spawned
    made_up = open_page("pages/taxonomy.py", study=study_of(run_id), form="nobody")
    assert made_up.app.selectbox(key="label-labeler").value == "ivan/lexicon"


def test_people_are_asked_about_the_pairs_where_the_models_part(data_dir, open_page):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    page = open_page("pages/compare.py", run=run_id)
    count = int(titles(page)[1].split()[4])
    page.press("next-people")
    page.press("next-queue-go")
    (queue,) = queues_of()
    assert (queue.source, state_of(queue).items) == ("rows", count)
    again = open_page("pages/compare.py", run=run_id)
    assert titles(again) == ["Label the 40 texts", "Reword the 20 pairs", "Take it with you"]


def test_people_who_were_asked_in_one_study_may_be_asked_in_another_on_the_same_dataset(
    data_dir, open_page
):
    asked = finished(data_dir, spec_of_sample(limit=20))
    other = finished(data_dir, spec_of_sample(row_ids=tuple(range(20, 40))))
    dataset = open_results(asked).dataset.fingerprint
    make_queue(queue_request({"dataset": dataset, "source": "rows", "row_ids": (1,)}))
    assert not any(title.startswith("Ask") for title in titles(open_page(COMPARE, run=asked)))
    _, ask, _ = titles(open_page(COMPARE, run=other))
    assert ask.startswith("Ask people about the ")
    make_queue(queue_request({"dataset": dataset, "source": "rows", "row_ids": (25,)}))
    assert not any(title.startswith("Ask") for title in titles(open_page(COMPARE, run=other)))


def test_after_labels_alone_models_and_a_second_labeler_are_left(labellings: Labellings, open_page):
    run_id = labellings.by_rules()
    page = open_page("pages/taxonomy.py", run=run_id)
    assert titles(page) == [
        "Judge the 4 pairs",
        "Ask people about 4 random pairs",
        "Reword the 4 pairs",
    ]


def test_who_may_only_read_is_offered_nothing(data_dir, open_page, monkeypatch):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    monkeypatch.setattr(access, "_provider", lambda: access.Visitor(local=False))
    page = open_page("pages/compare.py", run=run_id)
    assert not titles(page) and "next-labels" not in page.buttons


def test_people_who_agreed_are_followed_by_what_the_study_lacks(data_dir, open_page):
    run_id = finished(data_dir, spec_of_sample())
    page = open_page("pages/review.py", study=study_of(run_id), view="1")
    assert titles(page)[0] == "Label the 960 texts"
    assert not titles(open_page("pages/review.py", study=study_of(run_id), view="0"))


def test_a_run_of_hours_is_begun_at_its_form(data_dir, open_page, monkeypatch):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    monkeypatch.setattr(labels, "lexicon_time", lambda texts: Span(1_800, 180 * texts))
    page = open_page("pages/compare.py", run=run_id)
    assert "next-labels" not in page.buttons
    (to,) = [to for label, to in page.links.items() if "rules" in label]
    assert to == f"taxonomy?study={study_of(run_id)}&form=rules"
    form = open_page("pages/taxonomy.py", study=study_of(run_id), form="rules")
    assert form.buttons["label"] == "Label 40 texts"


def test_an_experiment_that_proposes_itself_stands_among_them(data_dir, open_page, monkeypatch):
    def propose(rows: RowsSpec) -> Proposal:
        return Proposal(
            "words", "Count the words", "Which side has more?", "counting", WordsSpec(), 20, None
        )

    monkeypatch.setitem(EXPERIMENTS, "words", "given.word_counts.kind")
    kind = replace(word_counts.KIND, proposes=propose, page="")
    monkeypatch.setattr(word_counts, "KIND", kind)
    _loaded.cache_clear()
    try:
        run_id = finished(data_dir, spec_of_sample(limit=20))
        dataset = open_results(run_id).dataset.fingerprint
        make_queue(queue_request({"dataset": dataset, "source": "rows", "row_ids": (1,)}))
        page = open_page("pages/compare.py", run=run_id)
        assert titles(page) == ["Label the 40 texts", "Reword the 20 pairs"]
        assert "Count the words" in page.said
    finally:
        _loaded.cache_clear()


def test_people_are_asked_about_the_replies_where_two_labelers_differ(
    labellings: Labellings, data_dir, open_page
):
    first = labellings.made("first:1b", FIRST)
    assert not any("labelers" in title for title in titles(open_page(TAXONOMY, run=first)))
    second = labellings.made("second:1b", SECOND, seed=1)
    page = open_page(TAXONOMY, run=second)
    _, ask, _ = titles(page)
    # Of 0.rejected one says no and one yes, of 1.chosen yes and no; 3 has no answer of both.
    assert ask == "Ask people about the 2 replies where two labelers differ"
    assert "Who is right, second:1b or first:1b? Everybody first describes 4 random" in page.said
    # Two replies and four random ones, at a minute and a half each.
    assert page.buttons["next-describe"] == "Invite: free, about 9 min a person"
    page.press("next-describe")
    page.press("next-replies-go")
    (queue,) = queues_of()
    assert queue.task == "describe"
    assert {(item.row_id, item.side) for item in Queues(data_dir).items(queue.id)} == {
        (0, "rejected"),
        (1, "chosen"),
    }
    again = titles(open_page(TAXONOMY, run=second))
    assert again == ["Judge the 4 pairs", "Ask people about 4 random pairs", "Reword the 4 pairs"]
