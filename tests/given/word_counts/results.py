"""Word counts as they are read: opened, filtered, and packed for another IVAN."""

from types import SimpleNamespace as Words
from typing import ClassVar, Literal

import numpy as np

from given.word_counts.kind import WordsSpec
from given.word_counts.work import TABLE, words_of
from ivan_core.engine.imports import Came
from ivan_core.engine.opened import Found, Opener, named_runs
from ivan_core.engine.zips import Archive, Unpacked
from ivan_core.lists.conditions import Bools, Choice, Condition, Language, Listing, Offer, fixed


def _read(found: Found) -> Words:
    own = {name: getattr(found, name) for name in ("run", "spec", "dataset", "manifest")}
    return Words(**own, table=words_of(dict(found.parts.all())))


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


def _came(zipped: Unpacked[WordsSpec]) -> Came:
    table = words_of(zipped.facts)
    if [*table["row_id"]] != sorted(zipped.row_ids) or not (table.dtypes == "int64").all():
        raise zipped.damaged("its counts are no numbers, or of other rows")
    return Came(("words",), len(table), len(table), tables={TABLE: table})


ARCHIVE = Archive((TABLE,), _came, False, lambda key: key.startswith("words|"))
