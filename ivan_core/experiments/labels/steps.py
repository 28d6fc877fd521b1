"""Labelling text by text: every text of the chosen pairs is asked for, each answer kept at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace

from ivan_core.datasets.chosen_rows import seeded_chunks
from ivan_core.domain.labels import Labeler, LabelPrompt, TextKey
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.pairs import Pair
from ivan_core.domain.specs import LabelSpec
from ivan_core.engine.work import Begun, begin
from ivan_core.labels.prompt import ask_again, build_prompt
from ivan_core.labels.reconcile import USABLE, Reconciled
from ivan_core.labels.validate import Outcome, read_reply
from ivan_core.models.names import is_rules
from ivan_core.runs.context import RunContext

MOST_TRIES = 3
"""How often a model is asked for one text whose answer cannot be used."""
CARD = "labeler"
"""Key of the part that says who labels: a resumed run may not go on with another labeler."""
_CHUNK = 64


@dataclass(frozen=True)
class Labelled:
    """All that a finished run knows; its files are written from it."""

    begun: Begun
    card: AnswererCard
    reconciled: Reconciled


@dataclass(frozen=True, slots=True)
class _Unit:
    """One chunk of rows: the smallest thing that is finished or not."""

    step: int
    row_ids: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"replies|{self.step}"


def run_labels(context: RunContext, spec: LabelSpec, make: Callable[[], Labeler]) -> Labelled:
    """Do what is left of a labelling. Calling it again after a kill goes on where it stopped.

    `make` is called when there is something to label. A text whose answer cannot be used is asked
    for again, with the reason, up to three times; then it is kept as it is.

    Raises:
        IvanError: the data or the labeler cannot be had; what is finished is kept.
    """
    # A model takes seconds for a text, so each pair is kept by itself; rules take many at once.
    begun = begin(context, spec, lambda _: _CHUNK if is_rules(spec.labeler) else 1)
    dataset, choice = begun.dataset, begun.choice
    context.note(begun.notes)
    chunks = seeded_chunks(choice.row_ids, spec.seed, begun.chunk)
    units = [_Unit(step, tuple(chunk)) for step, chunk in enumerate(chunks)]
    tally = Tally(spec.keys)
    done = 0
    for unit in units:
        if unit.key in context.parts:
            tally.add(_kept(context, unit, spec.keys))
            done += 2 * len(unit.row_ids)
    context.plan(total=2 * len(choice.row_ids), done=done)
    context.tell(tally.facts)
    labeler: Labeler | None = None
    for unit in units:
        if unit.key in context.parts:
            continue
        if labeler is None:
            context.doing(f"Asking {spec.labeler}")
            labeler = make()
            _same_labeler(context, labeler.card)
            context.doing(f"Labelling with {spec.labeler}")
            context.start_clock()
        rows = []
        for pair in dataset.pairs(unit.row_ids):
            for prompt in _prompts(pair, spec):
                rows.append([*astuple(prompt.key), ask_until_usable(labeler, prompt)])
                context.working(done + len(rows))
        context.parts.append(unit.key, rows)
        tally.add(_kept(context, unit, spec.keys))
        done += len(rows)
        context.tell(tally.facts)
        context.finished(done, len(rows), [])
    return Labelled(begun, _card(context, spec), _reconciled(context, units, spec.keys))


def _prompts(pair: Pair, spec: LabelSpec) -> Iterator[LabelPrompt]:
    yield build_prompt(TextKey(pair.row_id, "chosen"), pair.chosen.text, spec.keys, spec.prompt)
    yield build_prompt(TextKey(pair.row_id, "rejected"), pair.rejected.text, spec.keys, spec.prompt)


def ask_until_usable(labeler: Labeler, prompt: LabelPrompt) -> list[dict[str, object]]:
    """The replies for one text, the last one being that which counts."""
    replies: list[ModelReply] = []
    asked = prompt
    while True:
        reply = labeler.label(asked)
        replies.append(reply)
        outcome = read_reply(reply, prompt.keys)
        final = outcome.status in (*USABLE, "refused")
        if final or labeler.card.kind == "rules" or len(replies) == MOST_TRIES:
            return [asdict(reply) for reply in replies]
        asked = ask_again(prompt, outcome.problems)


def _kept(
    context: RunContext, unit: _Unit, keys: Sequence[str]
) -> list[tuple[TextKey, Outcome, int]]:
    """Each text of a finished unit with what came of it and the number of tries."""
    found = []
    for row_id, preference, replies in context.parts.rows(unit.key):
        outcome = read_reply(ModelReply(**replies[-1]), keys)
        if outcome.status == "valid":
            outcome = replace(outcome, raw="")
        found.append((TextKey(row_id, preference), outcome, len(replies)))
    return found


def _same_labeler(context: RunContext, card: AnswererCard) -> None:
    """Keep who labels; where the model behind a name changed meanwhile, the run says so."""
    if CARD not in context.parts:
        context.parts.append(CARD, [asdict(card)])
        return
    first = context.parts.rows(CARD)[0]
    if first["revision"] != card.revision:
        context.note(
            [
                f"{card.id} changed while this run stood still: {first['revision'] or 'unknown'} "
                f"labelled the first texts, {card.revision or 'unknown'} the others."
            ]
        )


def _card(context: RunContext, spec: LabelSpec) -> AnswererCard:
    if CARD not in context.parts:
        return AnswererCard(spec.labeler)
    kept = context.parts.rows(CARD)[0]
    return AnswererCard(**{**kept, "settings": tuple(map(tuple, kept["settings"]))})


def _reconciled(context: RunContext, units: Sequence[_Unit], keys: Sequence[str]) -> Reconciled:
    outcomes: dict[TextKey, Outcome] = {}
    tries: dict[TextKey, int] = {}
    for unit in units:
        for key, outcome, count in _kept(context, unit, keys):
            outcomes[key], tries[key] = outcome, count
    submitted = tuple(sorted(outcomes, key=lambda key: (key.row_id, key.preference)))
    return Reconciled(submitted, outcomes, tries)


class Tally:
    """Counts of what was labelled so far, for the page of a run at work."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        self._states: Counter[str] = Counter()
        self._labels: dict[str, dict[str, Counter[str]]] = {
            key: {"chosen": Counter(), "rejected": Counter()} for key in keys
        }

    def add(self, texts: Sequence[tuple[TextKey, Outcome, int]]) -> None:
        for key, outcome, _ in texts:
            self._states[outcome.status] += 1
            for name, label in outcome.labels.items():
                if isinstance(label, bool | str):
                    self._labels[name][key.preference][str(label)] += 1

    @property
    def facts(self) -> dict[str, object]:
        """States and, for each label of one word and each side, how often each answer was given."""
        words = {
            name: {side: dict(counts) for side, counts in sides.items()}
            for name, sides in self._labels.items()
            if any(sides.values())
        }
        return {"states": dict(self._states), "labels": words}
