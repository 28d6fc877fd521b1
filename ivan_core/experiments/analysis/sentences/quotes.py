"""Every sentence of an analysis, by question, with the chart that shows it."""

from __future__ import annotations

from collections.abc import Iterator

from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.sentences.against import (
    against_sentence,
    no_preference_sentence,
    preference_sentence,
)
from ivan_core.experiments.analysis.sentences.beside import (
    choice_rows,
    choice_sentence,
    found_sentence,
    share_sentence,
    shares_of,
    taught_sentence,
    topic_sentence,
    topics_told,
)
from ivan_core.experiments.analysis.sentences.breaks import rewording_quotes
from ivan_core.experiments.analysis.sentences.change import (
    net_sentences,
    regime_sentence,
    seen_sentences,
    shift_sentence,
)
from ivan_core.experiments.analysis.sentences.looks import SECOND_LOOK, TABLE, second_look_sentence
from ivan_core.experiments.analysis.sentences.no_number import (
    apart_sentence,
    left_out_sentence,
    needs_sentence,
)
from ivan_core.experiments.analysis.sentences.noise import labeler_sentence, people_rows
from ivan_core.experiments.analysis.sentences.rewards import (
    clear_sentence,
    effect_sentence,
    explained_sentence,
    shown_effects,
)
from ivan_core.experiments.analysis.sentences.several import (
    alike_sentence,
    differ,
    difference_rows,
    interaction_sentences,
    two_models,
)
from ivan_core.experiments.analysis.sentences.words import AGAINST, CHANGED, FEATURES, WHAT_FOR
from ivan_core.figures.choices import Wish
from ivan_core.figures.words import Quote


def quotes(analysed: Analysed) -> list[Quote]:
    """Every sentence of an analysis, by question."""
    found = [
        Quote(question, sentence, chart, {**shown, **_by(analysed, who)} if chart else {})
        for who in analysed.labelers
        for question, sentence, chart, shown in _told(analysed, who)
    ]
    found += rewording_quotes(analysed)
    if TABLE in analysed.tables:
        found.append(Quote(SECOND_LOOK, second_look_sentence(analysed)))
    return found


def _by(analysed: Analysed, who: WhoLabelled) -> Wish:
    """Whose labels a chart must show, where it could show others."""
    return Wish(labeler=who.run_id) if len(analysed.labelers) > 1 else Wish()


def _told(analysed: Analysed, who: WhoLabelled) -> Iterator[tuple[str, str, str, Wish]]:
    """Question, sentence, its chart, and what that must show, by one labeler."""
    for model in analysed.models:
        yield WHAT_FOR, explained_sentence(analysed, model, who.run_id), "imprint", {}
        yield WHAT_FOR, clear_sentence(analysed, model, who.run_id), "imprint", {}
        if apart := apart_sentence(analysed, model, who.run_id):
            yield WHAT_FOR, apart, "", {}
    yield WHAT_FOR, labeler_sentence(analysed, who), "imprint", {}
    control = analysed.spec.control
    effects = shown_effects(analysed, who.run_id, "together", control)
    as_people = people_rows(analysed, who.run_id, "together", control)
    for table in (effects[effects["estimate"].notna()], as_people):
        for row in table.to_dict("records"):
            yield WHAT_FOR, effect_sentence(row, who), "imprint", {}
    if left_out := left_out_sentence(analysed, who.run_id):
        yield WHAT_FOR, left_out, "", {}
    for model in analysed.models:
        if needs := needs_sentence(analysed, model, who.run_id):
            yield WHAT_FOR, needs, "", {}
    for model, before in two_models(analysed):
        shown = Wish(model=model, other=before)
        if alike := alike_sentence(analysed, model, before, who.run_id):
            yield WHAT_FOR, alike, "differences", shown
        if differ(analysed, model, before, who.run_id):
            rows = difference_rows(analysed, model, before, who.run_id)
            for row in rows[rows["estimate"].notna()].to_dict("records"):
                told = effect_sentence(row, who, in_time=False)
                yield WHAT_FOR, told, "differences", shown
    for together in interaction_sentences(analysed, who.run_id):
        yield WHAT_FOR, together, "", {}
    if found := found_sentence(analysed, who.run_id):
        yield WHAT_FOR, found, "authored", {}
    for model in analysed.models:
        if taught := taught_sentence(analysed, model, who.run_id):
            yield WHAT_FOR, taught, "authored", {"model": model}
    for model in analysed.models:
        for rows in choice_rows(analysed, model, who.run_id):
            yield WHAT_FOR, choice_sentence(*rows, who), "choice", {"model": model}
    tests, cells = topics_told(analysed, who.run_id)
    yield WHAT_FOR, tests, "", {}
    for cell in cells:
        yield WHAT_FOR, topic_sentence(cell, who), "", {}
    for model in analysed.models:
        if shares := shares_of(analysed, model, who.run_id):
            used = analysed.used(model, who.run_id)["used"]
            yield WHAT_FOR, share_sentence(shares, FEATURES, used, who.labels), "", {}
    alone = who == analysed.labelers[0]  # what no label tells is told once
    against = "" if who.authored else "against"
    for model in analysed.models:
        if alone:
            told = against_sentence(analysed, model, who.run_id)
            yield AGAINST, told, against, {"model": model}
        if apart := preference_sentence(analysed, model, who.run_id):
            yield AGAINST, apart, against, {"model": model}
        if indifferent := no_preference_sentence(analysed, model, who.run_id):
            yield AGAINST, indifferent, "", {}
    if alone and "shift" in analysed.tables:
        yield CHANGED, shift_sentence(analysed, who.run_id), "change", {}
        yield CHANGED, regime_sentence(analysed, who.run_id), "change", {}
        for told in (*net_sentences(analysed), *seen_sentences(analysed, who.run_id)):
            yield CHANGED, told, "change", {}
