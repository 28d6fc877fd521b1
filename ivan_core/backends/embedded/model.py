"""The embedded reward models: `ivan/minilm-harmless` and `ivan/minilm-control`.

They are heads on all-MiniLM-L6-v2, whose files come with an installed package, all offline.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ivan_core.backends.embedded.encoder_files import encoder_folder
from ivan_core.backends.reward_models.batching import (
    CPU_BUDGETS,
    IN_BATCHES,
    fastest_budget,
    token_batches,
)
from ivan_core.backends.reward_models.loading import quiet
from ivan_core.backends.reward_models.products import products_seconds
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.transcripts import Dialogue

if TYPE_CHECKING:
    import numpy as np

DIMENSIONS = 384
MAX_TOKENS = 256
"""The length the encoder was made for; a longer reply is read up to there and marked truncated."""
_PROBES = 16
NAMES = ("ivan/minilm-harmless", "ivan/minilm-control")
NO_REPLY = "the dialogue has no Assistant turn"


def read_head(name: str) -> dict[str, Any]:
    """The file of one head: weights, card and hashes of training pairs.

    Raises:
        BadInput: there is no embedded model of that name.
    """
    if name not in NAMES:
        raise BadInput(
            f"There is no embedded model {name!r}.", f"Choose one of {', '.join(NAMES)}."
        )
    path = files(__package__) / "heads" / f"{name.rpartition('/')[2]}.json"
    head: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return head


def card(name: str) -> ModelCard:
    """What is known of an embedded model; costs no model library."""
    head = read_head(name)
    return ModelCard(
        id=name,
        revision=head["revision"],
        input_format="reply",
        max_tokens=MAX_TOKENS,
        parameters=22_713_216 + len(head["weights"]),
        licence="Apache-2.0 (encoder), MIT (head)",
        trained_on_hh=head["trained_on_hh"],
        seen_hashes=frozenset(head["training_pairs"]),
        device="cpu",
        head_label="reward",
        note=head["note"],
        learned_from=head["learned_from"],
    )


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """Texts as the encoder reads them: tokens of each distinct one, `where` those of each text
    stand, and whether each was `cut` to 256 tokens."""

    texts: tuple[str, ...]
    tokens: list[list[int]]
    where: list[int]
    cut: list[bool]


@dataclass(frozen=True, slots=True)
class ReadReplies:
    """The last replies of dialogues, and which of them have none."""

    texts: ReadTexts
    absent: list[bool]


class EmbeddedRewardModel:
    """A linear Bradley-Terry head on the embedding of the last reply. The prompt is not read."""

    def __init__(self, name: str) -> None:
        import numpy as np

        self.card = card(name)
        self._weights = np.asarray(read_head(name)["weights"], dtype=np.float32)

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """One reward a dialogue; a dialogue without an Assistant turn fails with that reason."""
        return self.score_read(self.read(dialogues), progress)

    def read(self, dialogues: Sequence[Dialogue]) -> ReadReplies:
        """The last replies as tokens."""
        replies = [dialogue.reply for dialogue in dialogues]
        read = _encoder().read([reply or "" for reply in replies])
        return ReadReplies(read, [reply is None for reply in replies])

    def score_read(
        self, read: ReadReplies, progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """The rewards of replies that were read: see `score`."""
        vectors = _encoder().embed_read(read.texts, progress)
        return [
            Reward(None, failure=NO_REPLY)
            if absent
            else Reward.measured(float(vector @ self._weights), truncated)
            for absent, vector, truncated in zip(read.absent, vectors, read.texts.cut, strict=True)
        ]

    def ways(self) -> dict[str, tuple[int, ...]]:
        """The ways it can score beside one text at a time, by name, with the budgets to try."""
        return {IN_BATCHES: CPU_BUDGETS}

    def count_tokens(self, dialogues: Sequence[Dialogue]) -> int:
        """Tokens of the replies as the encoder reads them, each distinct one once."""
        return sum(map(len, self.read(dialogues).texts.tokens))

    def products_seconds(self, tokens: int) -> float | None:
        """Seconds that the encoder's matrix products alone take for so many tokens."""
        return _encoder().products_seconds(tokens)

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        if known is not None:
            _encoder().budget = known
            return known
        return _encoder().tune([dialogue.reply or "" for dialogue in dialogues])


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return Encoder()


class Encoder:
    """Unit-length mean-pooled sentence embeddings, float32 on the CPU.

    The model is too small to gain from a GPU.
    """

    def __init__(self) -> None:
        folder = encoder_folder()
        from transformers import AutoModel, AutoTokenizer

        with quiet():
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self._last: tuple[tuple[int, tuple[str, ...]], np.ndarray] | None = None
        self._last_read: ReadTexts | None = None
        self.budget = CPU_BUDGETS[-1]

    def tune(self, texts: Sequence[str]) -> int:
        """Choose the token budget of a batch by a short measurement on some of these texts."""
        probes = self._tokenise(list(texts[:_PROBES]))[0]
        if not probes:
            return self.budget
        self._forward(probes[:1])
        self.budget = fastest_budget(lambda budget: self._all(probes, budget), CPU_BUDGETS)
        return self.budget

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, list[bool]]:
        """Embeddings, shape (texts, 384), and whether each text was cut to 256 tokens.

        Each distinct text is read once, so equal texts have equal embeddings to the last bit.
        """
        read = self.read(texts)
        return self.embed_read(read, progress), read.cut

    def read(self, texts: Sequence[str]) -> ReadTexts:
        """Texts as tokens; those that were read last are not read again for the second head."""
        last = self._last_read
        if last is None or last.texts != tuple(texts):
            distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
            tokens, cut = self._tokenise(list(distinct))
            where = [distinct[text] for text in texts]
            last = ReadTexts(tuple(texts), tokens, where, [cut[i] for i in where])
            self._last_read = last
        return last

    def embed_read(
        self, read: ReadTexts, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Embeddings, shape (texts, 384), of what was read: see `embed`."""
        import numpy as np

        report = progress or (lambda finished: None)
        asked = (self.budget, read.texts)
        if self._last is not None and asked == self._last[0]:
            # The second head reads the replies that the first has just read.
            report(len(read.texts))
            return self._last[1]
        vectors = np.zeros((len(read.tokens), DIMENSIONS), dtype=np.float32)
        for batch in token_batches([len(ids) for ids in read.tokens], self.budget):
            vectors[batch] = self._forward([read.tokens[i] for i in batch])
            report(len(batch))
        if len(read.texts) > len(read.tokens):
            report(len(read.texts) - len(read.tokens))
        self._last = (asked, vectors[read.where])
        return self._last[1]

    def products_seconds(self, tokens: int) -> float | None:
        """Seconds that the matrix products alone take for so many tokens."""
        return products_seconds(self._model, tokens)

    def _tokenise(self, texts: list[str]) -> tuple[list[list[int]], list[bool]]:
        if not texts:
            return [], []
        # Truncation is done here, not by the tokenizer, so that it can be seen.
        ids: list[list[int]] = self._tokenizer(texts, truncation=False, verbose=False)["input_ids"]
        cut = [len(row) > MAX_TOKENS for row in ids]
        end = self._tokenizer.sep_token_id
        return [
            [*row[: MAX_TOKENS - 1], end] if long else row
            for row, long in zip(ids, cut, strict=True)
        ], cut

    def _all(self, tokens: list[list[int]], budget: int) -> None:
        for batch in token_batches([len(ids) for ids in tokens], budget):
            self._forward([tokens[i] for i in batch])

    def _forward(self, rows: list[list[int]]) -> np.ndarray:
        import torch

        width = max(len(row) for row in rows)
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        with torch.inference_mode():
            hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1)
            rows_out: np.ndarray = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return rows_out
