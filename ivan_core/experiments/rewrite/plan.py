"""Rewordings before they run: a preset's spec, the checks at the door, what it would take."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from ivan_core import catalog
from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.estimates import usd
from ivan_core.domain.runs import Span
from ivan_core.domain.specs import DatasetRequest, RewriteSpec, RowsSpec
from ivan_core.engine import access, datasets, handling as runs, plan as speeds
from ivan_core.engine.plan import Proposal
from ivan_core.experiments.batches.estimates import over_cap
from ivan_core.experiments.rewrite.cost import MOST_COUNTED, Cost, costs, total
from ivan_core.experiments.rewrite.run import notes_of
from ivan_core.experiments.rewrite.units import variants_of
from ivan_core.models import labelers, reward_models, rewriters, servers, similarity
from ivan_core.models.names import is_rules, on_ollama, on_servers, way_of
from ivan_core.rewording.accept import MOST_TRIES
from ivan_core.runs.cache import ScoreCache
from ivan_core.settings import data_dir, preset_name


@dataclass(frozen=True, slots=True)
class RewritePlan:
    """What a rewording would take; `pairs` is None while the dataset was never read here.

    `at_most` is then how many were asked for, None if all were.

    `requests` is how often a model is asked if it answers well each time, at most; `paid` says
    that a provider may charge for rewordings or labels, and `costs` how much.
    """

    rewriter: str
    pairs: int | None
    requests: int | None
    takes: Span | None
    estimate_from: str
    paid: bool = False
    notes: tuple[str, ...] = ()
    at_most: int | None = None
    costs: tuple[Cost, ...] = ()

    @property
    def served_by_ollama(self) -> bool:
        """Whether a model on Ollama rewords, which may have to be pulled first."""
        return way_of(self.rewriter) == "ollama"

    @property
    def sentence(self) -> str:
        pairs = f"{self.pairs:,} pairs" if self.pairs is not None else "All pairs"
        if self.pairs is None and self.at_most is not None:
            pairs = f"At most {self.at_most:,} pairs"
        if is_rules(self.rewriter):
            how = "reworded by rules, here and free"
        elif self.requests is None:
            how = f"reworded by {self.rewriter}"
        else:
            how = (
                f"reworded by {self.rewriter} in up to {self.requests:,} requests, and up to "
                f"{MOST_TRIES} times as many where answers cannot be used"
            )
        took = self.takes.words if self.takes else "no time estimate"
        return " ".join([f"{pairs}, {how}; {took} ({self.estimate_from}).", *self.cost_sentences])

    @property
    def cost_sentences(self) -> tuple[str, ...]:
        """What is paid for, at which prices; nothing where nothing is."""
        if not self.paid:
            return ()
        if self.pairs is None:
            return ("The provider charges; how much is told once the dataset has been read here.",)
        told = [
            words for one in self.costs for words in (one.sentence, one.reused_sentence) if words
        ]
        if self.together:
            told.append(self.together)
        if self.pairs > MOST_COUNTED:
            told.append(f"Estimated from {MOST_COUNTED} of these pairs.")
        return tuple(told)

    @property
    def together(self) -> str:
        """The most that all of it costs; empty for one thing alone, or without a price."""
        sum_ = total(self.costs)
        if sum_ is None or len(self.costs) < 2:
            return ""
        return f"Together at the most {usd(sum_.bound)}."


def preset_spec(name: str | None = None) -> RewriteSpec:
    """The rewording of a preset, the one in force by default. Nobody labels in it.

    Raises:
        BadInput: there is no such preset.
    """
    preset = catalog.preset(name or preset_name())
    return RewriteSpec(
        dataset=DatasetRequest(source=preset.dataset),
        rewriter=preset.rewriter,
        models=(preset.aligned, preset.control),
        similarity=preset.similarity,
    )


def check(spec: RewriteSpec) -> None:
    """Refuse what cannot work before anything is started.

    Raises:
        BadInput: the dataset, a model or the labeler cannot be what was meant, or rows do not
            exist.
        NotAllowed: one of them is not known here, and the visitor may not name files outside.
    """
    if not spec.models:
        raise BadInput("No reward model was named.", "Name one or two.")
    for name in spec.models:
        access.check_name(name, reward_models.offered)
        reward_models.check(name)
    reward_models.remarks(spec.models)
    access.check_name(spec.similarity, similarity.known)
    similarity.check(spec.similarity)
    rewriters.check(spec.rewriter)
    labelers.check(spec.labeler)
    dataset = datasets.find(spec.dataset)
    if dataset is not None:
        choose_rows(spec, dataset)


def plan(spec: RewriteSpec) -> RewritePlan:
    """What a rewording would take. Nothing has happened yet, and no server was asked.

    Raises:
        BadInput: as `check`.
        NotAllowed: as `check`.
    """
    check(spec)
    paid = paid_for(spec)
    notes = tuple(notes_of(spec))
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        why = "the dataset has not been read on this machine yet"
        most = spec.sample or spec.limit or (len(spec.row_ids) if spec.row_ids else None)
        return RewritePlan(spec.rewriter, None, None, None, why, bool(paid), notes, most)
    choice = choose_rows(spec, dataset)
    pairs = len(choice.row_ids)
    pieces = (3 if spec.scope == "shared" else 2) * (2 if spec.second else 1) * pairs
    takes, source = _takes(spec, pairs, pieces)
    return RewritePlan(
        spec.rewriter,
        pairs,
        None if is_rules(spec.rewriter) else pieces,
        takes,
        source,
        bool(paid),
        (*choice.notes, *notes),
        costs=costs(spec, dataset, choice.row_ids, paid),
    )


def propose(rows: RowsSpec) -> Proposal:
    """Rewording some rows as the preset in force does.

    Raises:
        BadInput: as `check`.
        NotAllowed: as `check`.
    """
    spec = preset_spec().model_copy(update=speeds.rows_of(rows))
    known = plan(spec)
    dollars = total(known.costs)
    return Proposal(
        spec.kind,
        f"Reword {speeds.the(known.pairs, 'pair')}",
        "Does a model change its mind when the words change and the meaning does not?",
        "rules" if is_rules(spec.rewriter) else spec.rewriter,
        spec,
        known.pairs,
        known.takes,
        dollars=(dollars.typical if dollars else None) if known.paid else 0.0,
        starts=not on_servers((spec.rewriter, spec.labeler)) and known.takes is not None,
    )


def servers_refuse(spec: RewriteSpec) -> list[IvanError]:
    """What the servers that a rewording needs would refuse now: none answers, or lacks a model."""
    found: list[IvanError] = []
    for name in on_ollama((spec.rewriter, spec.labeler)):
        try:
            if not servers.ollama_has(name):
                found.append(BadInput(f"The Ollama server does not have {name}.", "Add --pull."))
        except IvanError as error:
            found.append(error)
    return found


def start(
    spec: RewriteSpec, *, accept_cost: bool = False, max_usd: float | None = None
) -> tuple[str, bool]:
    """Start a rewording, or find the run that is already at it; returns its id and whether new.

    Raises:
        BadInput: as `check`; or a provider charges for it, and nobody has accepted that, nobody
            can tell how much yet, or it may be more than `max_usd` or the setting allows.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    check(spec)
    if paid := paid_for(spec):
        access.require(access.Action.SPEND)
        _check_accepted(spec, paid, accept_cost, max_usd)
    return runs.start(spec)


def paid_for(spec: RewriteSpec) -> tuple[str, ...]:
    """What a provider may charge for, of "rewriter" and "labeler": nothing on this machine.

    Raises:
        BadInput: the address of the server makes no sense.
        BackendUnavailable: OpenAI itself is asked and there is no key.
    """
    asked = (("rewriter", spec.rewriter), ("labeler", spec.labeler))
    found = tuple(what for what, name in asked if way_of(name) == "openai")
    return found if found and servers.may_charge() else ()


def _check_accepted(
    spec: RewriteSpec, paid: tuple[str, ...], accept_cost: bool, max_usd: float | None
) -> None:
    named = " and ".join(dict.fromkeys(getattr(spec, what) for what in paid))
    if not accept_cost:
        raise BadInput(
            f"{named} may charge for each request, and nobody has accepted that.",
            "Accept it (--yes), or choose rules or a model on Ollama.",
        )
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        raise BadInput(
            f"What {named} would charge cannot be told before the dataset has been read here.",
            "Compare one of its pairs first (`ivan compare --limit 1`): that reads it.",
        )
    found = costs(spec, dataset, choose_rows(spec, dataset).row_ids, paid)
    if capped := over_cap(max_usd, total(found)):
        raise BadInput(capped, "Choose fewer pairs, or raise the cap.")


def _takes(spec: RewriteSpec, pairs: int, pieces: int) -> tuple[Span | None, str]:
    """The time at this machine's speeds, and where they come from; None while one is unknown."""
    if on_servers([spec.labeler]):
        return None, f"how fast {spec.labeler} labels is not known"
    variants = len(variants_of(spec))
    with closing(ScoreCache(data_dir() / "cache" / "scores", makes=False)) as cache:
        known = {name: speeds.speed_of(cache, name) for name in spec.models}
        takes, source = speeds.scoring_time(known, dict.fromkeys(known, 2 * pairs * variants))
        if takes is None:
            return None, source
        takes += speeds.overhead()
        if is_rules(spec.rewriter):
            takes += speeds.rules_time(pieces)
        else:
            speed = cache.recall(f"rewriter|{spec.rewriter}")
            if not speed:
                return None, f"{spec.rewriter} has not been run on this machine yet"
            asking = pieces * speed["seconds_per_piece"]
            takes += Span(asking / 1.5, asking * 1.5)
        compared = 2 * pairs * (variants - 1)
        speed = cache.recall(f"similarity|{spec.similarity}")
    if speed:
        takes += speeds.now(compared * speed["seconds_per_text"], speed.get("load"))
    elif similarity.is_embedded(spec.similarity):
        takes, source = takes + speeds.usual_scoring(2 * compared), speeds.USUAL
    else:
        return None, f"{spec.similarity} has not been run on this machine yet"
    if spec.labeler:
        takes += speeds.lexicon_time(2 * pairs * variants)
    return takes, source
