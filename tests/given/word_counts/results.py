"""Word counts as they are read: opened, filtered, and packed for another IVAN."""

from types import SimpleNamespace
from typing import ClassVar, Literal

import numpy as np

from given.word_counts.work import TABLE, words_of
from ivan_core.engine.opened import Found, Opener, named_runs
from ivan_core.engine.zips import Archive
from ivan_core.lists.conditions import Bools, Choice, Condition, Language, Listing, Offer, fixed


def _read(found: Found) -> SimpleNamespace:
    own = {name: getattr(found, name) for name in ("run", "spec", "dataset", "manifest")}
    return SimpleNamespace(**own, table=words_of(found.parts))


open_words = Opener("words", _read, table=TABLE, keep=2)


class Longer(Condition):
    query: ClassVar[str] = "longer"
    side: Literal["chosen", "rejected"]

    def words(self, names: object) -> str:
        return f"the {self.side} reply has more words"

    def holds(self, listing: Listing) -> Bools:
        return np.asarray(listing.results[self.side] > listing.results.sum(axis=1) / 2)


def _listing(run_id: str) -> Listing:
    own = open_words(run_id)
    return Listing(run_id, own.dataset, np.array(own.table["row_id"]), own.table.iloc[:, 1:])


_SIDES = Choice("side", "Side", fixed({"chosen": "chosen", "rejected": "rejected"}))
_OFFERS = (Offer("More words", Longer, (_SIDES,)),)
LANGUAGE = Language("words", (Longer,), None, _listing, named_runs("words"), _OFFERS)
ARCHIVE = Archive((TABLE,), lambda zipped: NotImplemented, False)
