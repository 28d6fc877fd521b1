"""What a rewording found, printed, and its rows as a file: what flipped, and is that noise?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TextIO

import numpy as np

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, files, open_rewrite
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON, notes_of
from ivan_core.experiments.rewrite.units import Variant
from ivan_core.figures.chart import paths_of_run
from ivan_core.figures.files import file_names, named
from ivan_core.interchange.content import Beside, Known, Text, reward_model
from ivan_core.labels.schema import features
from ivan_core.lists.conditions import Floats, Ints
from ivan_core.lists.download import Columns

_VARIANTS_OF_FILE: Mapping[str, Variant] = {"": "original", "_reworded": "reworded"}
_WHEN: Mapping[str, Variant] = {"before": "original", "after": "reworded"}


def print_rewordings(run_id: str, out: TextIO) -> None:
    """Print what a run found, and where its files are."""
    results = open_rewrite(run_id)
    for line in _lines(results):
        print(line, file=out)
    print("\nFiles:", file=out)
    for path in files(results):
        print(f"  {path}", file=out)


def _lines(results: RewriteResults) -> Iterator[str]:
    from ivan_core.metrics.robustness import sentences as say

    there, texts = results.texts_reworded
    share = f" ({there / texts:.0%})" if texts else ""
    yield f"{there:,} of {texts:,} texts reworded{share}."
    for reason, count in results.reasons:
        yield f"  {count:,} not: {reason}"
    if note := results.dataset.about["note"]:
        yield str(note)
    gate = Gate()
    found = numbers(results, gate)
    yield ""
    yield found.headline
    yield (
        f"Meaning counts as kept at a similarity of {gate.similarity:g} and a length between "
        f"{gate.shortest:g} and {gate.longest:g} times the original's."
    )
    for model in found.models:
        own = found.of(model)
        if own is None:
            continue
        yield ""
        yield say.flips_sentence(model, own.flips)
        yield from filter(None, (say.needed_sentence(own.flips), say.change_sentence(own)))
        yield say.margin_sentence(own)
        sides = (("chosen", own.chosen_correlation), ("rejected", own.rejected_correlation))
        yield from (say.correlation_sentence(model, side, value) for side, value in sides)
        yield say.beyond_sentence(model, found.beyond(model, "surface"))
        if results.spec.second:
            yield say.twice_sentence(model, found.twice(model))
            if (beyond := found.beyond(model, "second")) is not None:
                yield say.beyond_sentence(model, beyond)
    if found.tests:
        yield ""
        yield say.together_sentence(found.tests)
    yield from _label_lines(results, found)


def _label_lines(results: RewriteResults, found: Numbers) -> Iterator[str]:
    """How often each label flipped, beside how often the labeler changes its own mind."""
    if results.labels.empty:
        return
    from ivan_core.metrics.robustness.sentences import label_flip_sentence

    names = {feature.key: feature.title for feature in features(REWRITE_FEATURES)}
    yield ""
    evidence = RULES_AND_LEXICON not in notes_of(results.spec)
    if not evidence:
        yield RULES_AND_LEXICON
    for _, row in found.flip_rates.iterrows():
        name = names[str(row["feature"])]
        if evidence:
            yield label_flip_sentence(dict(row), name)
        else:
            moved = row["lost"] + row["gained"]
            yield f"“{name}” moves in {moved:,} of {row['n']:,} texts."


def file_columns(results: RewriteResults) -> Columns:
    """The columns of a file of rows: both replies before and after, and what that did to models.

    A model's are named `<what> (<model>)`; a side without a rewording has none, and its reason.
    """
    types: dict[str, type] = {"row_id": int}
    types |= {f"{side}{what}": str for what in ("", "_reworded") for side in SIDES}
    types |= {f"{side}_similarity": float for side in SIDES}
    for model in results.models:
        types |= {f"verdict_{when} ({model})": str for when in ("before", "after")}
        types |= {f"margin_{when} ({model})": float for when in ("before", "after")}
    types["problem"] = str
    return Columns(types, lambda places, whole: _file_rows(results, places, whole))


def _file_rows(results: RewriteResults, places: Ints, whole: bool) -> Iterator[dict[str, Any]]:
    row_ids = np.asarray(results.row_ids, dtype=np.int64)[places]
    numbers = _numbers(results, row_ids)
    of_rows = zip(*numbers.values(), strict=True)
    for texts, own in zip(results.pairs(row_ids.tolist()), of_rows, strict=True):
        found: dict[str, Any] = {"row_id": texts.pair.row_id}
        for what, variant in _VARIANTS_OF_FILE.items():
            sides = zip(SIDES, texts.sides[variant], texts.missing[variant], strict=True)
            for side, text, missing in sides:
                words = (text.readable if whole else text.printed) if text else None
                found[f"{side}{what}"] = words if missing is None else None
        found |= zip(numbers, own, strict=True)
        why = [one.sentence for one in texts.missing["reworded"] if one is not None]
        found["problem"] = "; ".join(dict.fromkeys(why)) or None
        yield found


def _numbers(results: RewriteResults, row_ids: Ints) -> dict[str, list[Any]]:
    """What was measured of rows, by the columns of a file; None where there is no number."""
    alike = results.similarities[results.similarities["variant"] == "reworded"].set_index("row_id")
    columns = {
        f"{side}_similarity": _or_none(alike[f"{side}_similarity"].reindex(row_ids).to_numpy(float))
        for side in SIDES
    }
    for model in results.models:
        own = results.scores[results.scores["model"] == model]
        margins = {}
        for when, variant in _WHEN.items():
            rewards = own[own["variant"] == variant].set_index("row_id").reindex(row_ids)
            margins[when] = (rewards["chosen_reward"] - rewards["rejected_reward"]).to_numpy(float)
        for when, margin in margins.items():
            verdicts = np.select([margin > 0, margin == 0], ["agree", "tie"], "disagree").tolist()
            columns[f"verdict_{when} ({model})"] = _or_none(margin, verdicts)
        for when, margin in margins.items():
            columns[f"margin_{when} ({model})"] = _or_none(margin)
    return columns


def known(results: RewriteResults) -> Known:
    """What stands beside pairs in files for others: margins before and after, and the rewordings.

    Of each model a second annotator prefers what it prefers of both replies reworded.
    """
    called = file_names(paths_of_run(results))
    names = [str(named(model, called)) for model in results.models]
    margins = _numbers(results, np.asarray(results.row_ids, dtype=np.int64))
    units = [_typical(margins[f"margin_before ({model})"]) for model in results.models]
    both = list(zip(names, units, strict=True))
    annotators = (
        *(reward_model(name, unit) for name, unit in both),
        *(reward_model(f"{name}, both replies reworded", unit) for name, unit in both),
    )
    types = {"reworded": Text, "similarity of the rewording": float}
    return Known(annotators, types, lambda row_ids: _beside(results, row_ids))


def _typical(margins: Sequence[float | None]) -> float | None:
    """The root mean square of margins; None where all are 0."""
    there = np.array([one for one in margins if one is not None], dtype=np.float64)
    return float(np.sqrt((there**2).mean())) or None if len(there) else None


def _beside(results: RewriteResults, row_ids: Sequence[int]) -> Iterator[Beside]:
    columns = _numbers(results, np.asarray(row_ids, dtype=np.int64))
    margins = [columns[f"margin_{when} ({one})"] for when in _WHEN for one in results.models]
    alike = zip(*(columns[f"{side}_similarity"] for side in SIDES), strict=True)
    toward = zip(*margins, strict=True) if margins else repeat((), len(row_ids))
    for texts, own, similar in zip(results.pairs(list(row_ids)), toward, alike, strict=True):
        sides = zip(texts.sides["reworded"], texts.missing["reworded"], strict=True)
        first, second = (
            text.printed if text is not None and missing is None else None
            for text, missing in sides
        )
        yield Beside(
            tuple(own), {"reworded": (first, second), "similarity of the rewording": similar}
        )


def _or_none(numbers: Floats, words: Sequence[Any] | None = None) -> list[Any]:
    """The numbers, or words at their places; None where a number is none."""
    own = numbers.tolist() if words is None else words
    return [one if there else None for one, there in zip(own, ~np.isnan(numbers), strict=True)]
