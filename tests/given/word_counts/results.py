"""Word counts as they are read: opened, filtered, and packed for another IVAN."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
from given.word_counts.work import TABLE, words_of

from ivan_core.engine.opened import Found, Opener
from ivan_core.engine.zips import Archive, Packed
from ivan_core.lists.conditions import Bools, Condition, Language, Listing, Names


def _read(found: Found) -> SimpleNamespace:
    table = pd.read_parquet(found.folder / TABLE) if found.whole else words_of(found.parts)
    own = {name: getattr(found, name) for name in ("run", "spec", "dataset", "manifest")}
    return SimpleNamespace(**own, table=table, row_ids=[*table["row_id"]])


open_words = Opener("words", _read, table=TABLE, keep=2)


class Longer(Condition):
    query: ClassVar[str] = "longer"
    side: str

    def words(self, names: Names) -> str:
        return f"the {self.side} reply has more words"

    def holds(self, listing: Listing) -> Bools:
        table = listing.results.table
        return np.asarray(table["chosen"] > table["rejected"]) == (self.side == "chosen")


def _listing(own: SimpleNamespace) -> Listing:
    return Listing(own.run.id, own.dataset, np.array(own.row_ids), own)


LANGUAGE = Language("words", (Longer,), None, lambda run_id: _listing(open_words(run_id)))
_GIVEN = (lambda key: False, lambda folder, texts: iter([Packed(TABLE, folder / TABLE)]))
ARCHIVE = Archive(*_GIVEN, (TABLE,), False, lambda zipped: NotImplemented)
