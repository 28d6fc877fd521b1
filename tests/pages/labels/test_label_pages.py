"""Finished labels on the page: the line, the questions, the texts, a pair, a labelling at work."""

from __future__ import annotations

from given import made_runs
from given.listed import listed, lists_of
from given.made_labellings import ARTS, FIRST, KEYS, REFUSAL, SENTIMENT, TOPICS

from ivan_core.experiments.labels.conditions import LabelIs, TheySay
from pages.components.labels.agreement import cell_conditions

TAXONOMY = "pages/taxonomy.py"
PAIR = ":primary[Read the pair →]"


def test_the_line_adds_up_and_its_numbers_are_buttons(first, open_page):
    page = open_page(TAXONOMY, run=first)
    assert "first labelled 7 of 8 texts." in page.said
    numbers = {key: label for key, label in page.buttons.items() if key.startswith("count-")}
    assert numbers == {
        "count-submitted": "8 submitted",
        "count-valid": "7 valid",
        "count-invalid": "1 invalid",
    }
    for state in ("repaired", "refused", "failed", "missing"):
        assert f"0 {state}" in page.said


def test_a_number_lists_its_texts_and_its_chip_takes_it_away(first, open_page):
    page = open_page(TAXONOMY, run=first)
    page.press("count-invalid")
    assert page.app.query_params["state"] == "invalid"
    assert page.buttons["text-chip-state"] == "State\\: invalid ✕"
    table = listed(page.app)
    assert table[["row_id", "side"]].to_numpy().tolist() == [[3, "rejected"]]
    assert not set(KEYS) & set(table.columns)
    page.press("text-chip-state")
    assert "state" not in page.app.query_params
    assert "8 texts." in page.said


def test_an_unusable_text_shows_the_reply_as_it_came(first, open_page):
    page = open_page(TAXONOMY, run=first, state="invalid")
    (link,) = lists_of(page.app)[-1]["links"]
    assert link == f"taxonomy?run={first}&state=invalid&text=3.rejected"
    page = open_page(TAXONOMY, run=first, state="invalid", text="3.rejected")
    assert "Pair 3, the rejected reply" in page.said
    assert "Sure, 3 it is." in page.said
    assert "<b>no</b> ![x](http://leak.invalid/x) {" in [code.value for code in page.app.code]
    page.press("close-text")
    assert "text" not in page.app.query_params


def test_a_text_leads_to_its_pair_where_a_comparison_judged_it(
    labellings, data_dir, first, open_page
):
    page = open_page(TAXONOMY, run=first, label=REFUSAL, pair="both", text="1.chosen")
    assert "Pair 1, the chosen reply" in page.said and "Refusal: yes" in page.said
    assert PAIR not in page.links
    comparison = made_runs.finished(data_dir, made_runs.spec_of_file(labellings.file))
    page.run()
    assert page.links[PAIR] == f"pairs?run={comparison}&row=1"


def test_a_link_to_the_texts_of_a_cell_says_what_they_are(first, open_page):
    page = open_page(TAXONOMY, run=first, label=REFUSAL, pair="chosen_only", odd="x", side="left")
    assert page.buttons["text-chip-label"] == "Refusal\\: only the chosen reply ✕"
    assert "Not understood in this link, and left out: side." in page.said
    assert "2 texts." in page.said


def test_one_label_stands_on_both_sides_and_can_be_chosen(first, open_page):
    page = open_page(TAXONOMY, run=first)
    assert "On 3 pairs, no label is clearly more common on one side" in page.said
    assert "Refusal: 67% of chosen and 33% of rejected replies in 3 pairs" in page.said
    page.app.selectbox(key="label-feature").set_value(f"{SENTIMENT}:negative")
    page.run()
    assert page.app.query_params["feature"] == f"{SENTIMENT}:negative"
    assert "Sentiment: negative: 33% of chosen and 0% of rejected replies" in page.said


def test_each_question_opens_by_itself_and_stays_in_the_link(first, open_page):
    page = open_page(TAXONOMY, run=first, view="1")
    assert f"Named most: {ARTS}" in page.said
    page = open_page(TAXONOMY, run=first, view="2")
    assert "No label is given to 20 texts or more" in page.said
    page = open_page(TAXONOMY, run=first, view="3")
    assert "Nobody else has labelled these pairs yet." in page.said
    assert "On 3 pairs" in open_page(TAXONOMY, run=first, view="99").said


def test_labelers_are_compared_text_by_text(first, second, open_page):
    page = open_page(TAXONOMY, run=first, view="3", compared=REFUSAL)
    assert (
        "Of the 4 texts either called “Refusal”, both did in 2 (50%, 95% interval [15, 85]). Too"
        in page.said
    )
    assert "6 texts were answered by both; 2 more were not." in page.said
    assert page.app.multiselect(key="agreement-with").value == [second]
    page.app.multiselect(key="agreement-with").set_value([])
    page.run()
    assert "Choose one or two labelers to set beside this one." in page.said


def test_three_labelers_and_the_words_of_a_list(labellings, first, second, open_page):
    rules = labellings.by_rules()
    page = open_page(
        TAXONOMY, run=first, view="3", **{"with": f"{second},{rules}"}, compared=f"{TOPICS}:{ARTS}"
    )
    assert "ivan/lexicon (rule-based)" in page.said and "it does not understand" in page.said
    assert f"any of them called “Topics: {ARTS}”, all who answered did" in page.said


def test_a_cell_of_two_labelers_asks_for_its_texts():
    assert cell_conditions(REFUSAL, "", "yes", "r", "no") == (
        LabelIs(label=REFUSAL),
        TheySay(label=REFUSAL, other="r", theirs="no"),
    )
    assert cell_conditions(TOPICS, ARTS, "no", "r", "yes") == (
        LabelIs(label=TOPICS, value=ARTS, answer="no"),
        TheySay(label=TOPICS, value=ARTS, other="r", theirs="yes"),
    )
    sentiment = "last_response_sentiment"
    assert cell_conditions(sentiment, "", "negative", "r", "neutral") == (
        LabelIs(label=sentiment, value="negative"),
        TheySay(label=sentiment, other="r", theirs="neutral"),
    )


def test_a_link_to_a_run_that_is_gone_says_so(first, open_page):
    page = open_page(TAXONOMY, run=first, label=REFUSAL, other="gone", theirs="no")
    assert "There is no run 'gone'" in page.said


def test_rules_are_named_where_their_labels_are_shown(labellings, open_page):
    page = open_page(TAXONOMY, run=labellings.by_rules())
    assert "ivan/lexicon (rule-based) labelled 8 of 8 texts." in page.said
    assert "8 submitted = 8 valid" not in page.said  # the numbers are buttons, and stand there once
    assert "it looks for words and shapes of text" in page.said


def test_a_text_labelled_by_rules_says_which_rule_gave_a_label(labellings, open_page):
    page = open_page(TAXONOMY, run=labellings.by_rules(), text="1.chosen")
    page.app.session_state["why"] = True
    page.run()
    page.app.selectbox(key="labels-why").set_value(REFUSAL)
    page.run()
    assert "Why does ivan/lexicon say so?" in [one.label for one in page.app.expander]
    assert "chosen: Refusal: " in page.said and "Rule: " in page.said
    assert "rejected: Refusal" not in page.said


def test_agreement_with_the_demo_server_is_no_finding(labellings, first, second, open_page):
    told = "says nothing about models"
    assert told not in open_page(TAXONOMY, run=first, view="3").said
    demo = labellings.made("gemma4:e4b (demo server)", FIRST)
    assert told in open_page(TAXONOMY, run=first, view="3", **{"with": demo}).said
