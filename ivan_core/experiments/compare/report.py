"""What a comparison found, printed, and its rows as a file, with what people noted on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any, TextIO

from ivan_core.experiments.compare.published.told import (
    notes_on_benchmark,
    told_of_benchmark,
    told_of_best,
    told_of_strength,
)
from ivan_core.experiments.compare.results import Results, files, open_results
from ivan_core.experiments.compare.tables import UNKNOWN
from ivan_core.figures.chart import paths_of_run
from ivan_core.figures.files import file_names, named
from ivan_core.interchange.content import Beside, Known, reward_model
from ivan_core.lists.conditions import Ints
from ivan_core.lists.download import Columns
from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.models.judged import UNRATED
from ivan_core.metrics.sentences import (
    balanced_words,
    counts_sentence,
    headline,
    percent,
    share_in_full,
)
from ivan_core.metrics.subset_contrast import contrast_sentence, contrast_test_sentence
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.trust import eight_bits_sentence
from ivan_core.settings import data_dir


def print_results(run_id: str, out: TextIO) -> None:
    """Print what a run found, and where its files are."""
    results = open_results(run_id)
    computed = results.run.computed
    if computed == 0:
        print("All rewards were known already: nothing was computed.", file=out)
    else:
        print(f"{computed:,} rewards were computed.", file=out)
    if results.dataset.about["note"]:
        print(results.dataset.about["note"], file=out)
    print(file=out)
    contrast = results.contrast
    if contrast is not None:
        print(contrast_sentence(contrast, results.dataset.chosen_by), file=out)
        print(contrast_test_sentence(contrast) + "\n", file=out)
    print(headline(results.summaries, results.dataset.chosen_by), file=out)
    for summary in results.summaries:
        print(f"\n{summary.model}", file=out)
        for name, value in _lines(summary):
            print(f"  {name:<30}{value}", file=out)
        print(f"  {counts_sentence(summary)}", file=out)
        for sentence in results.learned_from(summary.model):
            print(f"  {sentence}", file=out)
        card = results.cards[summary.model]
        if card.server:
            print(f"  {card.server.sentence}", file=out)
        if card.eight_bits:
            print(f"  {eight_bits_sentence(card.eight_bits)}", file=out)
    told = [*told_of_best(results), *told_of_benchmark(results), *notes_on_benchmark(results)]
    for sentence in [*told, *told_of_strength(results)]:
        print(f"\n{sentence}", file=out)
    print("\nFiles:", file=out)
    for path in files(results):
        print(f"  {path}", file=out)


def _lines(summary: ModelSummary) -> list[tuple[str, str]]:
    balanced, rule = summary.length_balanced, summary.baselines
    lines = [("agreement", _rate(summary.agreement))]
    if summary.seen is not None:
        lines.append(("  on pairs seen in training", _rate(summary.seen)))
        lines.append(("  on unseen pairs", _rate(summary.unseen)))
    if rule is not None:
        lines.append(("always the longer reply", percent(rule.longer.rate, rule.longer.n)))
        lines.append(("always the shorter reply", percent(rule.shorter.rate, rule.shorter.n)))
    if balanced.rate is not None:
        lines.append(("length-balanced agreement", balanced_words(balanced)))
        lines.append(("  where the longer was chosen", _rate(balanced.longer_chosen)))
        lines.append(("  where the shorter was", _rate(balanced.shorter_chosen)))
    return lines


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "no rated pairs"
    return share_in_full(rate)


_OF_MODEL: dict[str, type] = {
    "verdict": str,
    "margin": float,
    "chosen_reward": float,
    "rejected_reward": float,
    "truncated": bool,
    "failure": str,
    "seen": bool,
}


def file_columns(results: Results) -> Columns:
    """The columns of a file; a model's are named `<what> (<model>)`."""
    of_models = {
        f"{what} ({model})": kind for model in results.models for what, kind in _OF_MODEL.items()
    }
    types = {
        "row_id": int,
        "subset": str,
        "chosen": str,
        "rejected": str,
        "length_difference": int,
        **of_models,
        "starred_by": str,
        "notes": str,
    }
    return Columns(types, lambda places, whole: _rows(results, places, whole))


def _rows(results: Results, at: Ints, whole: bool) -> Iterator[dict[str, Any]]:
    """The rows with their texts; what has no value is None.

    `whole`: a dialogue that no transcript holds is a list of messages, and reads back the same.
    """
    from ivan_core.annotations.notes import Reviews

    aligned = results.aligned
    starred: dict[int, list[str]] = defaultdict(list)
    notes: dict[int, list[str]] = defaultdict(list)
    for mark in Reviews(data_dir()).marks(results.dataset.fingerprint):
        if mark.starred:
            starred[mark.row_id].append(mark.author)
        if mark.note:
            notes[mark.row_id].append(f"{mark.author}: {mark.note}")
    failed = results.table.loc[results.table["failure"].notna(), ["model", "row_id", "failure"]]
    reasons = {(str(model), row_id): str(reason) for model, row_id, reason in failed.to_numpy()}
    places, row_ids = at.tolist(), aligned.row_ids[at].tolist()
    for pair, place in zip(results.dataset.pairs(row_ids), places, strict=True):
        row: dict[str, Any] = {
            "row_id": pair.row_id,
            "subset": pair.subset,
            "chosen": pair.chosen.readable if whole else pair.chosen.printed,
            "rejected": pair.rejected.readable if whole else pair.rejected.printed,
            "length_difference": int(aligned.length[place]),
        }
        for model, scores in aligned.models.items():
            verdict, seen = int(scores.verdict[place]), int(scores.seen[place])
            row[f"verdict ({model})"] = None if verdict == UNRATED else VERDICTS[verdict]
            row[f"margin ({model})"] = _number(scores.margin[place])
            row[f"chosen_reward ({model})"] = _number(scores.chosen_reward[place])
            row[f"rejected_reward ({model})"] = _number(scores.rejected_reward[place])
            row[f"truncated ({model})"] = bool(scores.truncated[place])
            row[f"failure ({model})"] = reasons.get((model, pair.row_id))
            row[f"seen ({model})"] = None if seen == UNKNOWN else bool(seen)
        row["starred_by"] = ", ".join(starred.get(pair.row_id, [])) or None
        row["notes"] = "\n".join(notes.get(pair.row_id, [])) or None
        yield row


def known(results: Results) -> Known:
    """What stands beside pairs in files for others: each model's margin."""
    called, aligned = file_names(paths_of_run(results)), results.aligned

    def rows(row_ids: Sequence[int]) -> Iterator[Beside]:
        places = aligned.at(row_ids)
        margins = [scores.margin[places].tolist() for scores in aligned.models.values()]
        for values in zip(*margins, strict=True):
            yield Beside(tuple(_number(value) for value in values))

    return Known(
        tuple(
            reward_model(str(named(model, called)), results.typical_margins[model])
            for model in aligned.models
        ),
        rows=rows,
    )


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)
