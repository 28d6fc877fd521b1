"""What is asked of two models about a list of words, and the answers as they are kept or come.

An answer is one file of the data folder, `words/<key>.json`. Whoever may read may see it; to have
words scored that have no such file is for those who may start things.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from ivan_core.domain.errors import ODD_DATA, BadInput, IvanError
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue, Role
from ivan_core.engine import access, handling as runs
from ivan_core.engine.access import Action
from ivan_core.engine.warm.answers import Pending, ask
from ivan_core.experiments.compare.ablation import model_as_in
from ivan_core.metrics.models.judged import Floats
from ivan_core.models import reward_models
from ivan_core.runs.questions import AskedModel
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir
from ivan_core.words.word_list import bundled, checked_word

FOLDER = "words"
PROMPT = "What, in one word, is the greatest thing ever?"
LONGEST_PROMPT = 1_000
"""Characters of a question."""
_MOST_KEPT = 100
_RUNS = 20
"""How many comparisons are looked through for models that can be asked, the newest first."""
_REPLY_ALONE = "reply"
_KEY_DIGITS = 16


class Asked(BaseModel):
    """Two models, a question, and the words that are its replies; no words: the bundled list."""

    model_config = ConfigDict(frozen=True)

    models: tuple[AskedModel, AskedModel]
    prompt: str = PROMPT
    own: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return self.own or bundled()

    def prompt_of(self, model: AskedModel) -> str:
        """The question as a model reads it: empty for one that reads the reply alone."""
        return "" if reads_reply_alone(model) else self.prompt

    @property
    def prompt_counts(self) -> bool:
        """Whether another question could change anything."""
        return any(map(self.prompt_of, self.models))

    @property
    def key(self) -> str:
        """What tells it from all else that can be asked: 16 hex digits."""
        models = [(model.cache_key, self.prompt_of(model)) for model in self.models]
        return sha256(json.dumps([models, self.words]).encode()).hexdigest()[:_KEY_DIGITS]


class _Kept(BaseModel):
    """An answer as it lies in its file: the rewards of each model in the order of the words.

    Each has as few digits as tell it from every other float32.
    """

    asked: Asked
    rewards: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, eq=False)
class Scored:
    """Every word of a list with what both models give it; `rewards` (2, words), NaN where none."""

    asked: Asked
    rewards: Floats

    @property
    def words(self) -> tuple[str, ...]:
        return self.asked.words

    @property
    def models(self) -> tuple[str, str]:
        first, second = self.asked.models
        return first.name, second.name


def demo() -> Asked:
    """The question, list and models that everybody sees first."""
    first, second = map(_embedded, shipped())
    return Asked(models=(first, second))


def shipped() -> tuple[str, ...]:
    """The two models that ship with IVAN."""
    return tuple(filter(reward_models.is_embedded, reward_models.offered()))


def models_here() -> dict[str, AskedModel]:
    """The models that can be asked, by name: those that ship with IVAN, then those that judged
    pairs here. One on a server, or one that an imported run names, is left out."""
    found = {name: _embedded(name) for name in shipped()}
    for run in runs.newest_done("compare", _RUNS):
        with suppress(IvanError, *ODD_DATA):  # a damaged run is one run
            for model in _of_run(run):
                found.setdefault(model.name, model)
    return found


def _of_run(run: Run) -> list[AskedModel]:
    manifest = runs.manifest(run.id)
    if manifest is None or manifest.get("imported"):
        return []
    spec = runs.spec_of(run, CompareSpec)
    cards = [ModelCard.model_validate(facts) for facts in manifest["models"]]
    here = (card for card in cards if not reward_models.is_served(card.id))
    return [model_as_in(run.id, spec, card.id, card) for card in here]


def _embedded(name: str) -> AskedModel:
    card = reward_models.card(name)
    return AskedModel(
        name=name,
        revision=card.revision,
        input_format=None,
        max_tokens=None,
        identity=card.cache_identity,
    )


def pair_named(names: Sequence[str]) -> tuple[AskedModel, AskedModel]:
    """Two models by their names.

    Raises:
        BadInput: there are not two, they are the same, or one has not judged pairs here.
    """
    if len(set(names)) != 2 or len(names) != 2:
        raise BadInput("Words are scored by two different models.", "Name two.")
    known = models_here()
    for name in names:
        if name not in known:
            raise BadInput(
                f"{name} has judged no pairs here, so nobody knows which of its versions to ask.",
                f"Judge pairs with it first, or name two of {', '.join(known)}.",
            )
    return known[names[0]], known[names[1]]


def reads_reply_alone(model: AskedModel) -> bool:
    """Whether a model never sees the question."""
    read = model.input_format or reward_models.card(model.name).input_format
    return read == _REPLY_ALONE


def kept(asked: Asked) -> Scored | None:
    """The answer that is kept for this question, list and models; None if there is none yet.

    This is the one place that knows.
    """
    found = kept_as(asked.key)
    # No word of a question that nobody reads changes the key.
    return found and replace(found, asked=asked)


def kept_as(key: str) -> Scored | None:
    """A kept answer by its key; None if there is none, or its file cannot be read."""
    if len(key) != _KEY_DIGITS or not key.isalnum():
        return None
    path = _path(key)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):  # what is no such file any more is scored again
        return None


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Scored:
    found = _Kept.model_validate_json(path.read_bytes())
    asked = found.asked
    rewards = np.array(found.rewards, dtype=np.float32).astype(np.float64)
    if asked.key != path.stem or rewards.shape != (2, len(asked.words)):
        raise ValueError("the rewards are of another list")
    # A question that nobody reads is that of whoever asked first, and of no ranking.
    return Scored(
        asked if asked.prompt_counts else asked.model_copy(update={"prompt": PROMPT}), rewards
    )


def score(asked: Asked, again: bool = False) -> Scored | Pending:
    """The rewards of all words: as they are kept, else as far as they are known.

    Calling it once more follows the question. One that failed or was stopped stays so until
    `again` puts it anew.

    Raises:
        BadInput: there is no question, or it is too long.
        NotAllowed: nothing is kept, and the visitor may only read and review.
        IvanError: a model cannot be had, or the question was stopped.
    """
    if found := kept(asked):
        return found
    rows = _rewards(asked, _texts(asked), again)
    if isinstance(rows, Pending):
        return rows
    _keep(asked, rows)
    return kept(asked) or Scored(asked, np.array(rows, dtype=np.float64))


def score_word(asked: Asked, word: str, again: bool = False) -> Floats | Pending:
    """What both models give one more word, which need not be in the list, shape (2,).

    NaN where a model gives none. Raises as `score`, and BadInput where it is no word.
    """
    checked_word(word)
    texts = [_dialogues(asked.prompt_of(model), (word,)) for model in asked.models]
    rows = _rewards(asked, texts, again)
    return rows if isinstance(rows, Pending) else np.array(rows, dtype=np.float64)[:, 0]


def _rewards(
    asked: Asked, texts: Iterable[Sequence[Dialogue]], again: bool
) -> list[tuple[float | None, ...]] | Pending:
    """The rewards of each model's texts, in their order."""
    access.require(Action.WORDS)
    _check(asked.prompt)
    rows = []
    for model, own in zip(_in_one_pass(asked), texts, strict=True):
        answer = ask(model, own, again)
        if answer.problem:
            raise answer.problem
        if answer.pending:
            return answer.pending
        rows.append(tuple(answer.rewards[text.hash].value for text in own))
    return rows


def _in_one_pass(asked: Asked) -> tuple[AskedModel, AskedModel]:
    """The two models, the first with the second along where both read the same with one encoder."""
    first, second = asked.models
    together = reward_models.fit_together([first.name, second.name])
    if together and asked.prompt_of(first) == asked.prompt_of(second):
        first = first.model_copy(update={"also": (second,)})
    return first, second


@lru_cache(maxsize=2)
def _texts(asked: Asked) -> tuple[tuple[Dialogue, ...], ...]:
    """What each model reads, in the order of the words."""
    return tuple(_dialogues(asked.prompt_of(model), asked.words) for model in asked.models)


def _dialogues(prompt: str, words: Sequence[str]) -> tuple[Dialogue, ...]:
    before: tuple[tuple[Role, str], ...] = (("Human", prompt),) if prompt else ()
    return tuple(Dialogue.of_messages((*before, ("Assistant", word))) for word in words)


def _check(prompt: str) -> None:
    if not prompt.strip():
        raise BadInput("There is no question yet.", "Type one.")
    if len(prompt) > LONGEST_PROMPT:
        raise BadInput(
            f"The question has {len(prompt):,} characters.", f"Keep it under {LONGEST_PROMPT:,}."
        )


def _keep(asked: Asked, rows: Sequence[tuple[float | None, ...]]) -> None:
    short = tuple(
        tuple(None if one is None else float(str(np.float32(one))) for one in row) for row in rows
    )
    content = _Kept(asked=asked, rewards=short).model_dump_json()
    with storage_errors(data_dir()):
        path = _path(asked.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(content, "utf-8")
    _forget_oldest(path.parent)


def _forget_oldest(folder: Path) -> None:
    """Keep the newest answers alone: each can be had again, mostly from the score cache."""
    found = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in islice(found, _MOST_KEPT, None):
        path.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return data_dir() / FOLDER / f"{key}.json"
