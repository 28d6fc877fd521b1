"""The original's CSV of labels: `row_id, preference, text` and the 19 labels; its cells, read."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from ivan_core.domain.labels import FEATURES, Label, Labels, TextKey
from ivan_core.labels.completions import whole_text
from ivan_core.labels.repair import Problem, cut
from ivan_core.labels.schema import Feature, feature
from ivan_core.runs.storage import storage_errors, write_csv

CSV_COLUMNS = ("row_id", "preference", "text", *FEATURES)
_YES, _NO, _NOTHING = ("true", "1", "1.0"), ("false", "0", "0.0"), ("", "none", "nan")
_STRING = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
# A flat list of strings and nothing else: what follows cannot nest, compute or exhaust anything.
_LIST = re.compile(rf"\[\s*(?:{_STRING}\s*(?:,\s*{_STRING}\s*)*(?:,\s*)?)?\]")
_LONGEST_LIST = 20_000


def write_labels_csv(
    path: Path, rows: Iterable[tuple[TextKey, Labels]], text_of: Callable[[TextKey], str]
) -> None:
    """Write labels as the original does.

    Lists are Python's way of writing them, booleans True and False, and a missing label is empty;
    the text stands verbatim, with its line breaks.

    Raises:
        StorageProblem: the folder cannot be written; what was there stays.
    """
    lines = (
        (key.row_id, key.preference, text_of(key), *(_cell(labels.get(name)) for name in FEATURES))
        for key, labels in rows
    )
    with storage_errors(path.parent):
        write_csv(path, CSV_COLUMNS, lines)


def _cell(label: Label) -> Label | str:
    return repr(list(label)) if isinstance(label, tuple) else label


def read_cell(key: str, cell: str) -> tuple[Label, Problem | None]:
    """The label that a cell of a column holds, and what is wrong with it.

    A value outside a closed list is kept and named; one that is not of its kind is None and named.
    """
    if len(cell) > _LONGEST_LIST:  # no answer is as long; a cell may have millions of characters
        what = "Not a list." if feature(key).kind == "list" else "Longer than any answer."
        return None, Problem(key, what, cut(cell))
    return _read(key, cell)


@lru_cache(maxsize=2_000)
def _read(key: str, cell: str) -> tuple[Label, Problem | None]:
    asked, text = feature(key), cell.strip()
    if text.lower() in _NOTHING:
        return None, None
    if asked.kind == "boolean":
        if text.lower() in _YES + _NO:
            return text.lower() in _YES, None
        return None, Problem(asked.key, "Neither True nor False.", cut(text))
    if asked.kind == "word":
        return text, _invented(asked, (text,))
    words = _words(text)
    if words is None:
        return None, Problem(asked.key, "Not a list.", cut(text))
    return words, _invented(asked, words)


def _invented(asked: Feature, words: tuple[str, ...]) -> Problem | None:
    strange = [word for word in words if word not in asked.values]
    if not strange:
        return None
    return Problem(asked.key, "Not among the allowed values.", cut(", ".join(strange)))


def _words(text: str) -> tuple[str, ...] | None:
    """The words of a list as Python writes it; a bare word is a list of one."""
    if not text.startswith(("[", "(", "{")):
        return (text,)
    if not _LIST.fullmatch(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(whole_text(word) for word in words)
