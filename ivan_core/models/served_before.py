"""Whether a server scores as one of the same words did in runs before, whose scores are kept."""

from __future__ import annotations

from ivan_core.backends.served.checks import same_weights
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.runs.cache import ScoreCache


def check_served_as_before(card: ModelCard, cache: ScoreCache) -> None:
    """Use no score of the cache that a server of the same words gave by other weights.

    The first server of an identity leaves its scores of the fixed texts in the cache.

    Raises:
        BadInput: it scores the fixed texts otherwise than before.
    """
    if card.server is None or not card.lasts:
        return
    fact = f"probes|{card.cache_identity}"
    before = cache.recall(fact)
    if before is None:
        cache.remember(fact, list(card.server.probes))
    elif not same_weights(before, card.server.probes, card.dtype):
        raise BadInput(
            f"{card.id} tells the same model, revision, version and settings as in a run before and"
            " scores four fixed texts otherwise, so its scores and those kept here are of two"
            " models.",
            "See which of the two the server should serve; if the kept ones are wrong, clear the"
            " cache on the page Runs.",
        )
