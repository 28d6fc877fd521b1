"""Sentences to copy of finished labels: numbers by hand, and commands that give them again."""

from __future__ import annotations

import shlex
from io import StringIO

import pytest
from given import made_runs
from given.made_labellings import (
    ARTS,
    BROKEN,
    FIRST,
    KEYS,
    PLACES,
    SECOND,
    TOPICS,
    Answer,
    Labellings,
    four_pairs,
    says,
)

from ivan_core.cli.main import run as ivan
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, LabelPrompt
from ivan_core.domain.pairs import SIDES
from ivan_core.engine.figures import charts_and_sentences, quotes, source_line
from ivan_core.experiments.compare.figures import FIGURES as comparison
from ivan_core.experiments.labels import numbers as label_numbers, sentences as label_sentences
from ivan_core.experiments.labels.report import print_labels
from ivan_core.experiments.labels.results import open_labels
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.sentences import interval
from ivan_core.runs.registry import Registry


@pytest.fixture
def first(data_dir, tmp_path, monkeypatch) -> str:
    """The newer of two labellings of four pairs."""
    labellings = Labellings(data_dir, four_pairs(tmp_path), monkeypatch)
    labellings.made("second", SECOND)
    return labellings.made("first", FIRST)


def sentences(run_id: str) -> list[str]:
    return [quote.sentence for quote in quotes(run_id)]


def test_the_line_accounts_for_every_text(first):
    told = sentences(first)
    assert told[0] == (
        "first: 8 submitted = 7 valid + 0 repaired + 0 refused + 0 failed + 1 invalid + 0 missing"
        " texts."
    )
    assert told[1] == "first gives usable labels in 88% of 8 texts (95% interval [53, 98])."


def test_shares_of_texts_that_share_prompts_say_as_if_n(data_dir, tmp_path, monkeypatch):
    """Twelve prompts of two pairs: all four texts of every fourth have no usable answer, and of
    the others every third is called a refusal."""
    rows = [
        {side: f"\n\nHuman: Ask {row // 2}\n\nAssistant: {side} {row}" for side in SIDES}
        for row in range(24)
    ]
    file = made_runs.write_rows(tmp_path / "repeated.jsonl", rows)

    def answer(prompt: LabelPrompt) -> Answer:
        prompt_of = prompt.key.row_id // 2
        return says(prompt_of % 4 == 1) if prompt_of % 4 else BROKEN

    run_id = Labellings(data_dir, file, monkeypatch).made("first", answer)
    # (4 * 12/11) / (48/47) = 4.27, and 48 / 4.27 = 11.2.
    usable = wilson(36, 48, design=4 * 12 / 11 * 47 / 48)
    assert usable is not None
    assert sentences(run_id)[1] == (
        f"first gives usable labels in 75% of 48 texts (95% interval {interval(usable)}; texts"
        " share prompts: as if n = 11)."
    )
    out = StringIO()
    print_labels(run_id, out)
    # Of nine prompts three: (2 * 9/8) / (18/17) = 2.125, and 18 / 2.125 = 8.5.
    refusals = wilson(6, 18, design=2.125)
    assert refusals is not None
    told = f"33% {interval(refusals)} of 18; prompts repeat: as if n = 8"
    assert f"{told}  {told}\n" in out.getvalue()


def test_differences_words_and_agreement_have_n_and_interval(first):
    told = sentences(first)
    (refusals,) = [one for one in told if "are called “Refusal”" in one]
    assert refusals.startswith("first: 67% of chosen and 33% of rejected replies are called")
    assert "on 3 pairs (95% interval of the difference [−32, 72] points)" in refusals
    assert (
        f"first names “Topics: {ARTS}” in 33% of 3 rejected replies (95% interval [6, 79])." in told
    )
    agreed = [one for one in told if one.startswith("first and second: ")]
    assert len(agreed) == len(KEYS)
    assert agreed[0].startswith(
        "first and second: Of the 4 texts either called “Refusal”, both did in 2 (50%, 95%"
        " interval [15, 85])."
    )
    assert agreed[0].endswith("The same answer in 67% of 6 texts [30, 90].")
    assert not any("kappa" in one for one in agreed)
    (measured,) = [one for one in told if one.startswith("first and second, “Refusal”: ")]
    assert "Cohen's kappa 0.33" in measured and "67% of 6 texts" in measured


def test_words_and_labels_together_are_as_wide_as_repeated_prompts_ask(
    data_dir, tmp_path, monkeypatch
):
    """Of six prompts with two pairs each, three are about the arts: 6 of 12 as if 3 of 6."""
    rows = [
        {
            "chosen": f"\n\nHuman: Ask {row // 2}\n\nAssistant: Yes {row}",
            "rejected": f"\n\nHuman: Ask {row // 2}\n\nAssistant: No {row}",
        }
        for row in range(12)
    ]
    file = made_runs.write_rows(tmp_path / "twelve.jsonl", rows)
    answers = {
        f"{row}.{side}": says(side == "chosen", topics=(ARTS,) if row < 6 else (PLACES,))
        for row in range(12)
        for side in ("chosen", "rejected")
    }
    run_id = Labellings(data_dir, file, monkeypatch).made("first", answers)
    # Design effect (6 * 1 * 6/5) / (12 * .25 * 12/11) = 2.2: Wilson's ends of 2.727 in 5.4545.
    ends = "[18, 82]; prompts repeat: as if n = 5"
    told = sentences(run_id)
    arts = f"first names “Topics: {ARTS}” in 50% of 12 chosen replies"
    assert f"{arts} (95% interval {ends})." in told
    counts = label_numbers.word_shares(open_labels(run_id), TOPICS)
    shares = "50% [18, 82] (prompts repeat: as if n = 5) of 12"
    assert f"({shares} chosen, {shares} rejected)" in label_sentences.words_sentence(
        counts, "Topics"
    )


def test_the_command_of_every_sentence_works(first, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    commands = dict.fromkeys(quote.command for quote in quotes(first))
    assert len(commands) == 5
    for told in commands:
        program, *arguments = shlex.split(told)
        assert program == "ivan"
        assert ivan(arguments) == 0, capsys.readouterr().err
    assert len(list(tmp_path.glob("*.csv"))) == 4


def test_the_command_line_prints_them_below_what_they_rest_on(first, capsys):
    assert ivan(["runs", "sentences", first]) == 0
    told = capsys.readouterr().out
    assert told.startswith(source_line(first))
    assert f"4 of 4 pairs, labelled by first, run {first}: ivan taxonomy run-control-batch" in told
    for sentence in sentences(first):
        assert sentence in told


def test_rules_are_named_in_every_sentence(data_dir, tmp_path, monkeypatch):
    run_id = Labellings(data_dir, four_pairs(tmp_path), monkeypatch).by_rules()
    assert len(sentences(run_id)) > len(FEATURES)
    assert all("ivan/lexicon (rule-based)" in one for one in sentences(run_id))


def test_a_kind_without_figures_says_so(data_dir):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=5))
    assert charts_and_sentences(run_id) is comparison
    column, _ = Registry(data_dir).add("column", "{}", "a fingerprint")
    with pytest.raises(BadInput, match="it is a column") as told:
        charts_and_sentences(column)
    assert "compare" in told.value.hint
