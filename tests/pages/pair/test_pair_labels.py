"""The labels of a pair, a labelling at work, and hostile text wherever labels are shown."""

from __future__ import annotations

import pytest
from given import hostile, made_runs
from given.made_labellings import ARTS, FIRST, REFUSAL, TOPICS, Labellings, says
from streamlit.testing.v1 import AppTest

from ivan_core.domain.models import ModelReply
from ivan_core.labels.table import read_labels, write_labels
from pages.components.labels.one_run import label_rows, states_sentence

TAXONOMY = "pages/taxonomy.py"
LEAK = "http://leak.invalid"
PAIR = """
from ivan_core.experiments.labels.results import open_labels
from pages.components.pair.labels import pair_labels
results = open_labels({run!r})
pair_labels(results.dataset.about["content"], results.dataset.pair({row}))
"""


@pytest.fixture
def opened_pair(data_dir):
    """The labels of one pair, as a page shows them."""

    def open_it(run: str, row: int) -> AppTest:
        app = AppTest.from_string(PAIR.format(run=run, row=row), default_timeout=300).run()
        assert not app.exception, app.exception[0].value
        return app

    return open_it


def html_of(app: AppTest) -> str:
    return "\n".join(element.body for element in app.get("html"))


def markdown_of(app: AppTest) -> str:
    """Everything on a page that Streamlit renders as markdown."""
    bodies = [element.value for kind in ("markdown", "caption") for element in app.get(kind)]
    kinds = ("button", "toggle", "selectbox", "multiselect", "expander", "segmented_control")
    labels = [element.label for kind in kinds for element in app.get(kind)]
    return "\n".join(str(text) for text in (*bodies, *labels))


def test_a_pair_shows_what_differs_first_and_the_rest_when_asked(first, second, opened_pair):
    app = opened_pair(first, 0)
    said = html_of(app)
    assert "first: 3 of 3 labels differ: Refusal, Sentiment, Topics." in said
    assert "second: 2 of 3 labels differ: Sentiment, Topics." in said
    assert said.index(">Sentiment<") < said.index(">Refusal<")
    app = opened_pair(first, 2)
    assert ">Refusal<" not in html_of(app)
    app.toggle(key="labels-all").set_value(True).run()
    assert ">Refusal<" in html_of(app)


def test_a_pair_of_which_one_text_has_no_labels_says_which(first, opened_pair):
    app = opened_pair(first, 3)
    assert "first: no usable labels of the rejected reply." in html_of(app)
    assert ">Refusal<" not in html_of(app)
    app.toggle(key="labels-all").set_value(True).run()
    assert ">no label<" in html_of(app)


def test_the_rule_of_a_label_is_shown_with_its_words(labellings, opened_pair):
    app = opened_pair(labellings.by_rules(), 0)
    assert "Rule: " not in html_of(app)  # the rules read the texts when asked
    app.session_state["why"] = True
    said = html_of(app.run())
    assert "ivan/lexicon (rule-based): " in said and "Rule: " in said
    assert ">I can&#x27;t help</mark>" in said


def test_nothing_is_shown_of_a_pair_that_nobody_labelled(labellings, opened_pair):
    run = labellings.made("first", FIRST, row_ids=(0,))
    assert not html_of(opened_pair(run, 2))


def test_hostile_text_stays_text(data_dir, tmp_path, monkeypatch, open_page, opened_pair):
    file = made_runs.write_rows(
        tmp_path / "hostile.jsonl",
        [
            {
                "chosen": f"\n\nHuman: {text}\n\nAssistant: {text}",
                "rejected": f"\n\nHuman: {text}\n\nAssistant: no",
            }
            for text in hostile.texts(LEAK)
        ],
    )
    labellings = Labellings(data_dir, file, monkeypatch)
    names = [f"![n]({LEAK}/n) <img src={LEAK}/m> $x$ :red[r]", f"<script>{LEAK}</script> *b*"]
    texts = hostile.texts(LEAK)

    def answer(prompt):
        if prompt.key.preference == "rejected":
            return ModelReply(texts[prompt.key.row_id % len(texts)])
        return says(True, topics=(ARTS,))

    ids = [labellings.made(name, answer) for name in names]
    for run_id in ids:
        path = data_dir / "runs" / run_id / "labels.parquet"
        table = read_labels(path)
        chosen = table["preference"] == "chosen"
        table.loc[chosen, TOPICS] = table.loc[chosen, "row_id"].map(lambda row: (texts[row][:190],))
        write_labels(path, table)
    pages = [open_page(TAXONOMY, run=ids[0], view=view).app for view in "01"]
    pages.append(open_page(TAXONOMY, run=ids[0], state="invalid", text="1.rejected").app)
    pages.append(
        open_page(
            TAXONOMY,
            run=ids[0],
            label=TOPICS,
            value=texts[2],
            view="3",
            compared=f"{TOPICS}:{texts[2]}",
        ).app
    )
    pages += [opened_pair(ids[0], row) for row in (0, 2, 9)]
    for app in pages:
        drawn, escaped = html_of(app), markdown_of(app)
        assert f"]({LEAK}" not in escaped and f"<img src={LEAK}" not in escaped
        assert "<img src=" not in drawn and "<iframe" not in drawn and "<script>f" not in drawn


def test_a_labelling_at_work_tells_states_labels_and_can_be_cancelled(labellings, open_page):
    with labellings.at_work("first", FIRST, 5) as run_id:
        page = open_page(TAXONOMY, run=run_id)
        assert "Labelling " in page.said and "of 8 texts" in page.said
        assert "So far: " in page.said and "cancel" in page.buttons


def test_what_came_so_far_is_counted_by_side():
    labels = {
        REFUSAL: {"chosen": {"True": 1, "False": 3}, "rejected": {"False": 2}},
        "last_response_sentiment": {"chosen": {"neutral": 4}, "rejected": {"negative": 2}},
    }
    assert label_rows(labels) == [
        {"label": "Refusal", "chosen": 25.0, "rejected": 0.0, "texts": 6},
        {"label": "Sentiment: negative", "chosen": 0.0, "rejected": 100.0, "texts": 6},
        {"label": "Sentiment: neutral", "chosen": 100.0, "rejected": 0.0, "texts": 6},
    ]
    assert states_sentence({"invalid": 1, "valid": 1200}) == "So far: 1,200 valid, 1 invalid."
