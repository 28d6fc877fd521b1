"""`ivan words`: every word of a list as a one-word reply, ranked by two models."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ivan_core.engine.warm.answers import Pending
    from ivan_core.words.ends import Ranking

_ABOUT = (
    "Score every word of a list as a one-word reply with two models, and print the best and the "
    "worst words of each. The bundled list holds 16,296 English words. Answers are kept in the "
    "data folder, where the page Words finds them."
)
_POLL_SECONDS = 0.5
_Known = TypeVar("_Known")


def add(commands: Any) -> None:
    parser = commands.add_parser("words", help="rank words as one-word replies", description=_ABOUT)
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        help="The question. Default: What, in one word, is the greatest thing ever?",
    )
    parser.add_argument(
        "--model",
        metavar="M",
        action="append",
        help="A model that ships with IVAN or has judged pairs here; give two. Default: the two "
        "that ship.",
    )
    parser.add_argument(
        "--words", metavar="FILE", help="Your own list: UTF-8, one word a line. Default: bundled."
    )
    parser.add_argument(
        "--top", type=int, default=10, metavar="N", help="Words at each end. Default: 10."
    )
    parser.add_argument("--word", metavar="WORD", help="Also say where this word stands.")
    parser.add_argument("--csv", metavar="FILE", help="Write every word with rewards and places.")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.figures.files import save
    from ivan_core.words import asking, sentences
    from ivan_core.words.ends import Ranking

    if options.top < 1:
        raise BadInput("--top is at least 1.")
    asked = asking.Asked(
        models=asking.pair_named(options.model or asking.shipped()),
        prompt=asking.PROMPT if options.prompt is None else options.prompt,
        own=_own(options.words),
    )
    ranking = Ranking(_followed(partial(asking.score, asked)))
    if options.csv:
        save(Path(options.csv), ranking.table().to_csv(index=False).encode("utf-8", "replace"))
    for model in (0, 1):
        ends = ranking.ends(model, options.top)
        print(sentences.ends_sentence(ends))
        print(f"  best:  {', '.join(word.text for word in ends.best)}")
        print(f"  worst: {', '.join(word.text for word in ends.worst)}")
    told = [
        sentences.correlation_sentence(ranking),
        sentences.shared_sentence(ranking, options.top),
        sentences.CENSUS,
        sentences.hidden_sentence(ranking, options.top),
        sentences.prompt_sentence(ranking.scored),
        sentences.models_sentence(ranking.scored),
        sentences.TEASER,
    ]
    print("\n".join(filter(None, told)))
    if options.word:
        print(_place(ranking, " ".join(options.word.split())))
    print(f"Figure: `ivan figure words-{asked.key} words`.")
    return 0


def _own(file: str | None) -> tuple[str, ...]:
    from ivan_core.domain.errors import BadInput
    from ivan_core.words.word_list import LARGEST_LIST, own_list

    if file is None:
        return ()
    try:
        with Path(file).expanduser().open("rb") as opened:
            content = opened.read(LARGEST_LIST + 1)
        return own_list(content.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{file} cannot be read as a list of words.", "Give a text file in UTF-8."
        ) from error


def _place(ranking: Ranking, word: str) -> str:
    """Where a word stands, or would stand if it were in the list."""
    from ivan_core.words import asking, sentences

    if listed := ranking.place_of(word):
        return sentences.place_sentence(ranking, listed[0], listed[1:])
    rewards = _followed(partial(asking.score_word, ranking.scored.asked, word))
    return sentences.place_sentence(ranking, word, ranking.places_for(rewards), listed=False)


def _followed(look: Callable[[bool], _Known | Pending]) -> _Known:
    """Follow a question on the error stream until it is answered; Ctrl-C withdraws it.

    `look` puts it, anew if it is told so.
    """
    from ivan_core.engine.warm import answers

    found = look(True)
    while isinstance(found, answers.Pending):
        try:
            _follow(found)
        except KeyboardInterrupt:
            answers.cancel(found.request)
            raise
        found = look(False)
    return found


def _follow(pending: Pending | None) -> None:
    """Tell how far the question is: in one line on a terminal, else whenever it does another thing.

    Returns once the question is over.
    """
    from ivan_core.engine.warm import answers

    told = ""
    while pending is not None:
        if sys.stderr.isatty():
            line = f"\r\x1b[K{pending.doing}: {pending.done:,} of {pending.total:,} words"
            print(line, end="", file=sys.stderr, flush=True)
        elif pending.doing != told:
            print(pending.doing, file=sys.stderr, flush=True)
        told = pending.doing
        time.sleep(_POLL_SECONDS)
        pending = answers.progress(pending.request)
    if sys.stderr.isatty():
        print(file=sys.stderr)
