"""What a row of a comparison may have to be, by the verdicts of one model, of two, or of all."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.tables import Codes, ModelScores
from ivan_core.lists.conditions import Bools, Condition, Listing, Model, Names
from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.best_of_n.replies import deciding
from ivan_core.metrics.models.joint import MEAN, VOTE
from ivan_core.metrics.models.judged import UNRATED

REWARDS = "rewards"
"""What verdicts and margins are made of: a chart of any of them follows from a condition on any."""
RatedAs = Literal["agree", "tie", "disagree", "unrated"]
JOINT = {"vote": VOTE, "mean": MEAN}
_CODES = {**{verdict: code for code, verdict in enumerate(VERDICTS)}, "unrated": UNRATED}


class OfModels(Condition):
    """A condition that names one model or two; names may give them shorter ones."""

    def named(self, names: Names) -> str:
        """What the first of them is called."""
        model = str(getattr(self, "model", ""))
        return names.get(model, model)

    def check(self, listing: Listing) -> None:
        for name in ("model", "other"):
            if model := getattr(self, name, ""):
                scores_of(listing, model)


class VerdictIs(OfModels):
    """A model's verdict."""

    query: ClassVar[str] = "verdict"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model
    verdict: RatedAs

    def words(self, names: Names) -> str:
        return rated_words(self.named(names), self.verdict)

    def holds(self, listing: Listing) -> Bools:
        return has_verdict(listing, self.model, self.verdict)

    def known(self, listing: Listing) -> Bools | None:
        return None if self.verdict == "unrated" else ~has_verdict(listing, self.model, "unrated")


class ModelsDiffer(Condition):
    """The models that rated the row do not all have the same verdict."""

    query: ClassVar[str] = "differ"
    measure: ClassVar[str] = REWARDS
    differ: Literal["yes"] = "yes"

    def words(self, names: Names) -> str:
        return "models disagree"

    def holds(self, listing: Listing) -> Bools:
        results: Results = listing.results
        return results.aligned.differ()


class VerdictsAre(OfModels):
    """A cell of the table of two models' verdicts."""

    query: ClassVar[str] = "verdicts"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("model", "other")
    model: Model
    verdict: RatedAs
    other: Model
    other_verdict: RatedAs

    def words(self, names: Names) -> str:
        first = rated_words(self.named(names), self.verdict)
        return f"{first}, {rated_words(names.get(self.other, self.other), self.other_verdict)}"

    def holds(self, listing: Listing) -> Bools:
        first = has_verdict(listing, self.model, self.verdict)
        return first & has_verdict(listing, self.other, self.other_verdict)

    def known(self, listing: Listing) -> Bools:
        """Both models rated the row, or the one that did not is asked for as such."""
        found = np.ones(len(listing.rows), dtype=bool)
        for model, verdict in ((self.model, self.verdict), (self.other, self.other_verdict)):
            if verdict != "unrated":
                found &= ~has_verdict(listing, model, "unrated")
        return found


class TwoPart(OfModels):
    """Two models that rated the row have different verdicts."""

    query: ClassVar[str] = "part"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("model", "other")
    model: Model
    other: Model

    def words(self, names: Names) -> str:
        return f"{self.named(names)} and {names.get(self.other, self.other)} part"

    def holds(self, listing: Listing) -> Bools:
        first, second = (scores_of(listing, name).verdict for name in (self.model, self.other))
        return np.asarray(self.known(listing) & (first != second))

    def known(self, listing: Listing) -> Bools:
        return ~has_verdict(listing, self.model, "unrated") & ~has_verdict(
            listing, self.other, "unrated"
        )


class JointIs(Condition):
    """What all models together come to: by their votes, or by the mean of their margins."""

    query: ClassVar[str] = "joint"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("by",)
    by: Literal["vote", "mean"]
    verdict: Literal["agree", "tie", "disagree"]

    def words(self, names: Names) -> str:
        return rated_words(JOINT[self.by], self.verdict)

    def holds(self, listing: Listing) -> Bools:
        return np.asarray(self._verdicts(listing) == _CODES[self.verdict])

    def known(self, listing: Listing) -> Bools:
        return np.asarray(self._verdicts(listing) != UNRATED)

    def _verdicts(self, listing: Listing) -> Codes:
        results: Results = listing.results
        return results.many.joined[JOINT[self.by]]


class RatedBy(OfModels):
    """A model has a verdict on the row, whichever it is."""

    query: ClassVar[str] = "rated"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model

    def words(self, names: Names) -> str:
        return f"rated by {self.named(names)}"

    def holds(self, listing: Listing) -> Bools:
        return ~has_verdict(listing, self.model, "unrated")


class Deciding(OfModels):
    """Of prompts with several replies, the pair of the best right one and the best wrong one."""

    query: ClassVar[str] = "decides"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model

    def words(self, names: Names) -> str:
        return f"decides a prompt for {self.named(names)}"

    def check(self, listing: Listing) -> None:
        super().check(listing)
        results: Results = listing.results
        if results.best_of_n is None:
            raise BadInput(
                "No prompt of this run has several replies.", "Leave this condition out."
            )

    def holds(self, listing: Listing) -> Bools:
        self.check(listing)
        results: Results = listing.results
        best, found = results.best_of_n, self.known(listing)
        decides = np.zeros(len(listing.rows), dtype=bool)
        if best is not None:
            decides[deciding(best.rewards[self.model], best.found)] = True
        return found & decides

    def known(self, listing: Listing) -> Bools:
        """Pairs of prompts all of whose replies the model rated, and on which it was not trained,
        if there are others."""
        results: Results = listing.results
        best, found = results.best_of_n, np.zeros(len(listing.rows), dtype=bool)
        if best is not None:
            found[best.found.of_prompts(best.known(self.model))] = True
        return found


def scores_of(listing: Listing, model: str) -> ModelScores:
    """The numbers of a model of the run. Raises BadInput if it has no such model."""
    results: Results = listing.results
    if model not in results.aligned.models:
        raise BadInput(
            f"Run {results.run.id} has no model {model}.", f"It has {', '.join(results.models)}."
        )
    return results.aligned.models[model]


def has_verdict(listing: Listing, model: str, verdict: str) -> Bools:
    return np.asarray(scores_of(listing, model).verdict == _CODES[verdict])


def rated_words(model: str, verdict: str) -> str:
    """What a model did with the pair."""
    verb = {"agree": "agrees", "tie": "ties", "disagree": "disagrees"}.get(verdict, "did not rate")
    return f"{model} {verb}"
