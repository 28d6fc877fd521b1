"""What is read of finished labels: shares, cells, agreement, filters of texts, single texts."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest
from given import made_runs
from given.made_labellings import ARTS, FIRST, KEYS, PLACES, REFUSAL, SECOND, SENTIMENT, TOPICS

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.engine import opened
from ivan_core.experiments.labels import numbers as label_numbers, sentences as label_sentences
from ivan_core.experiments.labels.conditions import LANGUAGE, LabelIs, listing
from ivan_core.experiments.labels.reasons import marked, reasons, rules_changed
from ivan_core.experiments.labels.results import TextLabels, labels_of_row, open_labels
from ivan_core.lists.conditions import Filter, matching
from ivan_core.lists.url import query_of, read_filter
from ivan_core.metrics.labels.sentences import coefficient_sentence


def asked(**query: str) -> Filter:
    return read_filter(LANGUAGE, query)[0]


def texts(run_id: str, **conditions: str) -> list[str]:
    results = open_labels(run_id)
    found = results.table.iloc[matching(listing(results), asked(**conditions))]
    return [f"{row.row_id}.{row.preference}" for row in found.itertuples()]


def test_refusals_stand_in_four_cells_of_three_whole_pairs(first):
    cells = label_numbers.on_pairs(open_labels(first), REFUSAL, "yes")
    assert cells[["left", "right", "count"]].to_numpy().tolist() == [
        ["no", "no", 1],
        ["no", "yes", 0],
        ["yes", "no", 1],
        ["yes", "yes", 1],
    ]
    assert set(cells["n"]) == {3}


def test_only_what_has_a_label_on_both_sides_can_differ(first):
    content = open_labels(first).dataset.about["content"]
    (differs,), (broken,) = (labels_of_row(content, row) for row in (0, 3))
    assert differs.differing == KEYS
    assert broken.chosen[REFUSAL] is True and broken.rejected[REFUSAL] is None
    assert broken.differing == ()
    for ours, theirs, keys in (
        ({TOPICS: (ARTS, PLACES)}, {TOPICS: (PLACES, ARTS)}, ()),
        ({TOPICS: ()}, {TOPICS: (ARTS,)}, (TOPICS,)),
        ({REFUSAL: False}, {REFUSAL: True}, (REFUSAL,)),
        ({REFUSAL: True}, None, ()),
    ):
        assert TextLabels("run", "first", False, KEYS, ours, theirs).differing == keys


def test_the_words_of_a_list_stand_in_cells_too(first):
    cells = label_numbers.on_pairs(open_labels(first), TOPICS, ARTS)
    assert cells["count"].tolist() == [2, 0, 0, 1]
    assert label_numbers.on_pairs(open_labels(first), TOPICS, "no such word")["count"].tolist() == [
        0,
        0,
        0,
        0,
    ]


def test_shares_are_of_texts_with_an_answer(first):
    shares, differences = label_numbers.shares(open_labels(first))
    own = shares[shares["key"] == REFUSAL].set_index("side")
    assert own[["count", "n"]].to_numpy().tolist() == [[3, 4], [1, 3]]
    assert set(differences["key"]) == {REFUSAL, SENTIMENT}


def test_words_that_nobody_named_are_not_listed(first):
    named = label_numbers.word_shares(open_labels(first), TOPICS)
    assert dict.fromkeys(named["value"]) == {ARTS: None, PLACES: None}
    assert named["count"].tolist() == [1, 1, 1, 1]


def test_answers_of_two_labelers_are_crossed_by_row_and_side(first, second):
    cells = label_numbers.crossed(open_labels(first), open_labels(second), REFUSAL).set_index(
        ["left", "right"]
    )
    assert cells["count"].to_dict() == {
        ("no", "no"): 2,
        ("no", "yes"): 1,
        ("yes", "no"): 1,
        ("yes", "yes"): 2,
    }
    assert set(cells["n"]) == {6}
    assert texts(first, label=REFUSAL, other=second, theirs="no") == ["1.chosen"]
    assert texts(first, label=REFUSAL, answer="no", other=second, theirs="yes") == ["0.rejected"]
    assert texts(first, label=SENTIMENT, value="negative", other=second, theirs="positive") == [
        "1.chosen"
    ]
    assert texts(first, label=TOPICS, value=ARTS, other=second, theirs="no") == ["0.rejected"]


def test_agreement_says_how_many_of_those_called_so_both_called_so(first, second):
    row = (
        label_numbers.agreement([open_labels(first), open_labels(second)])
        .set_index("key")
        .loc[REFUSAL]
    )
    assert (row["both"], row["either"], row["n"], bool(row["few"])) == (2, 4, 6, True)
    assert row["coefficient"] == pytest.approx(1 / 3)
    words = label_numbers.agreement([open_labels(first), open_labels(second)], TOPICS)
    assert dict(zip(words["value"], words["either"], strict=True)) == {ARTS: 2, PLACES: 2}


def test_agreement_is_the_same_each_time(first, second):
    once = label_numbers.agreement([open_labels(first), open_labels(second)])
    label_numbers._agreement.cache_clear()
    assert once.equals(label_numbers.agreement([open_labels(first), open_labels(second)]))


def test_only_other_labellings_of_the_same_pairs_stand_beside(labellings, first, second):
    assert [one.run.id for one in label_numbers.others(open_labels(first))] == [second]
    pair = {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"}
    made_runs.write_rows(labellings.file, [pair])
    labellings.made("third", {"0.chosen": FIRST["0.chosen"], "0.rejected": FIRST["0.rejected"]})
    assert [one.run.id for one in label_numbers.others(open_labels(first))] == [second]


def test_two_runs_of_one_labeler_are_told_apart(labellings, first):
    again = labellings.made("first", SECOND, keys=(REFUSAL,))
    opened = [open_labels(run_id) for run_id in (first, again)]
    assert list(label_numbers.names_of(opened).values()) == [f"first, {first}", f"first, {again}"]
    assert label_numbers.shared_keys(opened) == (REFUSAL,)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({}, [f"{row}.{side}" for row in range(4) for side in ("chosen", "rejected")]),
        ({"state": "invalid"}, ["3.rejected"]),
        ({"state": "missing"}, []),
        ({"label": REFUSAL}, ["0.chosen", "1.chosen", "1.rejected", "3.chosen"]),
        ({"label": REFUSAL, "answer": "no"}, ["0.rejected", "2.chosen", "2.rejected"]),
        ({"label": REFUSAL, "side": "rejected"}, ["1.rejected"]),
        ({"label": REFUSAL, "pair": "chosen_only"}, ["0.chosen", "0.rejected"]),
        ({"label": REFUSAL, "pair": "chosen_only", "side": "chosen"}, ["0.chosen"]),
        ({"label": TOPICS, "value": PLACES}, ["0.rejected", "2.chosen"]),
        ({"label": REFUSAL, "also": f"{TOPICS}:{ARTS}"}, ["0.chosen"]),
        ({"label": TOPICS, "value": ARTS, "also": f"{SENTIMENT}:positive"}, ["0.rejected"]),
    ],
)
def test_a_filter_finds_the_texts_that_meet_all_its_conditions(first, conditions, found):
    assert texts(first, **conditions) == found


@pytest.mark.parametrize(
    ("query", "kept", "ignored"),
    [
        ({"state": "valid", "run": "x"}, {"state": "valid"}, ()),
        ({"state": "odd", "side": "left"}, {}, ("state", "side")),
        ({"answer": "no"}, {}, ("answer",)),
        ({"label": "no_such"}, {}, ("label",)),
        ({"label": TOPICS}, {}, ("label",)),
        ({"label": REFUSAL, "value": "x"}, {"label": REFUSAL}, ("value",)),
        ({"label": SENTIMENT, "value": "angry"}, {}, ("label", "value")),
        ({"label": REFUSAL, "theirs": "no"}, {"label": REFUSAL}, ("theirs",)),
        ({"label": REFUSAL, "other": "x"}, {"label": REFUSAL}, ("other",)),
        (
            {"label": REFUSAL, "other": "../x", "theirs": "no"},
            {"label": REFUSAL},
            ("other", "theirs"),
        ),
        ({"label": REFUSAL, "also": "odd:x"}, {"label": REFUSAL}, ("also",)),
        ({"label": TOPICS, "value": "w" * 201}, {}, ("label", "value")),
    ],
)
def test_what_makes_no_sense_in_a_link_is_left_out(query, kept, ignored):
    wanted, odd = read_filter(LANGUAGE, query)
    assert (query_of(wanted), tuple(odd)) == (kept, ignored)


def test_a_filter_comes_back_from_its_own_query():
    query = {
        "state": "valid",
        "side": "chosen",
        "label": TOPICS,
        "value": ARTS,
        "answer": "no",
        "also": f"{REFUSAL}:yes",
        "other": "run",
        "theirs": "no",
    }
    wanted, ignored = read_filter(LANGUAGE, query)
    assert (query_of(wanted), ignored) == (query, [])


def chips(wanted: Filter) -> list[tuple[str, str]]:
    return [(chip.name, chip.label) for chip in wanted.chips()]


def test_chips_name_conditions_and_each_is_taken_away_by_itself(first, second):
    wanted = asked(
        state="valid", label=SENTIMENT, value="negative", other=second, theirs="positive"
    )
    assert chips(wanted) == [
        ("state", "State: valid"),
        ("label", "Sentiment: negative"),
        ("theirs", "second says positive"),
    ]
    keys = {chip.name: chip.key for chip in wanted.chips()}
    assert query_of(wanted.without(keys["theirs"])).keys() == {"state", "label", "value"}
    theirs = wanted.without(keys["label"]).without(keys["state"])
    assert query_of(theirs) == {"and": f"!0~labels.theirs~{SENTIMENT}~{second}~positive"}
    assert read_filter(LANGUAGE, query_of(theirs)) == (theirs, [])
    for label, words in (
        (asked(label=REFUSAL, pair="neither"), "Refusal: on neither side"),
        (asked(label=REFUSAL, answer="no"), "Refusal: no"),
        (asked(label=TOPICS, value=ARTS, answer="no"), f"Not Topics: {ARTS}"),
    ):
        assert chips(label) == [("label", words)]


def test_two_labels_are_asked_for_at_once(first):
    both = asked(label=REFUSAL).add(LabelIs(label=TOPICS, value=ARTS))
    assert query_of(both) == {"label": REFUSAL, "and": f"!0~labels.label~{TOPICS}~{ARTS}"}
    results = open_labels(first)
    table = results.table.iloc[matching(listing(results), both)]
    assert [f"{row.row_id}.{row.preference}" for row in table.itertuples()] == ["0.chosen"]


def test_a_page_of_texts_has_the_asked_label_first(first):
    results = open_labels(first)
    page = label_numbers.texts_page(results, range(8), 9, TOPICS)
    assert list(page)[:6] == ["row_id", "side", "state", "reply", "problem", TOPICS]
    assert "".join(text for text, _ in page["reply"].iloc[0]) == "I can't help with 0."
    assert page[TOPICS].tolist()[:3] == [ARTS, f"{ARTS}, {PLACES}", "none"]
    assert page[REFUSAL].tolist()[-2:] == ["yes", ""]


def test_an_unusable_text_keeps_its_reply_and_what_is_wrong(first):
    one = label_numbers.labelled_text(open_labels(first), TextKey(3, "rejected"))
    assert (one.status, one.raw) == ("invalid", "<b>no</b> ![x](http://leak.invalid/x) {")
    assert one.text.endswith("Sure, 3 it is.")
    assert one.problems and dict(one.labels) == dict.fromkeys(KEYS)
    with pytest.raises(BadInput, match=r"has no text 9\.chosen"):
        label_numbers.labelled_text(open_labels(first), TextKey(9, "chosen"))


def test_a_comparison_is_found_by_its_pairs_and_row(labellings, data_dir, first):
    results = open_labels(first)
    assert opened.with_row(results.content, 1, kind="compare") is None
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=5))
    spec = made_runs.spec_of_file(labellings.file, row_ids=(0, 1))
    run_id = made_runs.finished(data_dir, spec)
    assert opened.with_row(results.content, 1, kind="compare") == run_id
    assert opened.with_row(results.content, 3, kind="compare") is None


def test_the_files_of_a_labelling_can_be_taken_away(first):
    names = list(label_numbers.files(open_labels(first)))
    assert names == [
        f"{first}-first-control.csv",
        f"{first}-first-control-failed.csv",
        f"{first}-labels.parquet",
    ]


def test_the_rule_of_a_label_marks_its_words(labellings):
    why = reasons("\n\nHuman: x\n\nAssistant: I can't help with <b>that</b>.", [REFUSAL])[REFUSAL]
    assert why.label is True and why.words
    assert [text for text, fired in why.pieces if fired] == list(why.words)
    assert "".join(text for text, _ in why.pieces).endswith("<b>that</b>.")
    assert not rules_changed(labellings.by_rules())


def test_marked_pieces_are_the_text_whatever_the_spans():
    assert marked("abcdef", [(1, 3), (2, 4), (5, 99), (2, 3)]) == (
        ("a", False),
        ("bc", True),
        ("d", True),
        ("e", False),
        ("f", True),
    )
    assert marked("", [(0, 3)]) == ()


def test_sentences_have_n_and_interval(first, second):
    _, differences = label_numbers.shares(open_labels(first))
    told = label_sentences.label_sentence(differences, REFUSAL, "yes")
    assert told.startswith(
        "Refusal: 67% of chosen and 33% of rejected replies in 3 pairs; +33 points (95% interval [−"
    )
    assert told.endswith("]), no clear difference.")
    row = label_numbers.agreement([open_labels(first), open_labels(second)]).iloc[0].to_dict()
    assert label_sentences.both_sentence(row) == (
        "Of the 4 texts either called “Refusal”, both did in 2 (50%, 95% interval [15, 85]). Too"
        " few to say more: the rarer answer was given to fewer than 20 texts."
    )
    assert coefficient_sentence(row).startswith(
        "The same answer in 67% of 6 texts [30, 90]. Cohen's kappa 0.33"
    )
    shown = label_sentences.agreement_rows(
        label_numbers.agreement([open_labels(first), open_labels(second)])
    ).iloc[0]
    assert (shown["Same answer"], shown["Texts"], shown["As if n"]) == ("67% [30, 90]", 6, 6)
    assert label_sentences.words_sentence(
        label_numbers.word_shares(open_labels(first), TOPICS), "Topics"
    ).startswith(f"Named most: {ARTS} (25% [5, 70] of 4 chosen, 33% [6, 79] of 3 rejected)")


def test_labelers_that_agree_equally_far_on_all_labels_have_no_best_and_worst_one():
    rows = [
        {
            "key": key,
            "value": "",
            "measure": "kappa",
            "n": 960,
            "same": 960,
            "share": 1.0,
            "coefficient": 1.0,
            "few": False,
        }
        | dict.fromkeys(["low", "high", "share_low", "share_high", "share_effective_n"], nan)
        for key in (REFUSAL, "last_response_is_helpful")
    ]
    told = "one and two, 960 texts. They agree equally far on all 2 labels"
    who = ["one", "two"]
    plain = label_sentences.agreement_sentence(pd.DataFrame(rows), who)
    assert plain == f"{told}: the same answer in 100% of 960 texts."
    in_full = label_sentences.agreement_sentence(pd.DataFrame(rows), who, in_full=True)
    assert in_full == f"{told}: kappa 1.00."
