"""Printing what a rewording found: what was reworded, what flipped, and whether that is noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.experiments.rewrite import RULES_AND_LEXICON, notes_of
from ivan_core.labels.schema import features
from ivan_core.workspace.rewrite_results import GATE, RewriteResults, files, open_rewrite


def print_rewordings(run_id: str, out: TextIO) -> None:
    """Print what a run found, and where its files are."""
    results = open_rewrite(run_id)
    for line in _lines(results):
        print(line, file=out)
    print("\nFiles:", file=out)
    for path in files(results):
        print(f"  {path}", file=out)


def _lines(results: RewriteResults) -> Iterator[str]:
    import numpy as np

    from ivan_core.metrics import robustness_sentences as say
    from ivan_core.metrics.robustness import REWORDED, SURFACE, gate, meaning_kept, robustness
    from ivan_core.metrics.robustness_noise import beyond_noise

    there, texts = results.texts_reworded
    share = f" ({there / texts:.0%})" if texts else ""
    yield f"{there:,} of {texts:,} texts reworded{share}."
    for reason, count in results.reasons:
        yield f"  {count:,} not: {reason}"
    if note := results.dataset.about["note"]:
        yield str(note)
    table = results.table
    kept = meaning_kept(table, *GATE)
    table = table[gate(table, *GATE)]
    found = {
        (model, variant): robustness(table, model, variant)
        for model in results.models for variant in (REWORDED, SURFACE)
    }  # fmt: skip
    first = results.models[0]
    yield ""
    yield say.rewriting_headline(kept, found[first, REWORDED], found[first, SURFACE])
    yield (
        f"Meaning counts as kept at a similarity of {GATE[0]:g} and a length between {GATE[1]:g} "
        f"and {GATE[2]:g} times the original's."
    )
    for model in results.models:
        own = found[model, REWORDED]
        yield ""
        yield say.flips_sentence(model, own.flips)
        yield from filter(None, (say.needed_sentence(own.flips), say.change_sentence(own)))
        # A seed of its own, so that the same run is told in the same words.
        draws = np.random.default_rng(results.spec.seed)
        yield say.beyond_sentence(model, beyond_noise(table, model, "surface", draws))
        if results.spec.second:
            yield say.beyond_sentence(model, beyond_noise(table, model, "second", draws))
    yield from _label_lines(results)


def _label_lines(results: RewriteResults) -> Iterator[str]:
    """How often each label flipped, beside how often the labeler changes its own mind."""
    if results.labels.empty:
        return
    from ivan_core.metrics.robustness_labels import flip_rates
    from ivan_core.metrics.robustness_sentences import label_flip_sentence

    names = {feature.key: feature.title for feature in features(REWRITE_FEATURES)}
    yield ""
    yield from (note for note in notes_of(results.spec) if note == RULES_AND_LEXICON)
    for _, row in flip_rates(results.label_flips(), results.own_label_flips()).iterrows():
        yield label_flip_sentence(dict(row), names[str(row["feature"])])
