"""Printing what a rewording found: what was reworded, what flipped, and whether that is noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, files, open_rewrite
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON, notes_of
from ivan_core.labels.schema import features


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
