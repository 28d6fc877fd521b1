"""Reward models of the transformers library: encoders read a pair, decoders a chat."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from ivan_core.backends.reward_models import packed_deberta
from ivan_core.backends.reward_models.batching import (
    CPU_BUDGETS,
    GPU_BUDGETS,
    fastest_budget,
    token_batches,
)
from ivan_core.backends.reward_models.loading import Loaded
from ivan_core.backends.reward_models.tokens import NoInput, TokenRow, first_line, token_rows
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue

PROBES = 24
TUNING_SECONDS = 2.0
GPU_TUNING_SECONDS = 8.0
FEWEST_PROBES = 6
UNMEASURED_CPU_BUDGET = 512
"""For models too slow to be measured in two seconds: on the CPU tried, small batches of like length
were 1.35 to 1.4 times as fast as one text at a time, while large batches could be slower."""


class TransformersRewardModel:
    """A loaded model. A text's reward does not depend on its batch (to 1e-4 on a CPU)."""

    def __init__(self, loaded: Loaded) -> None:
        self.card = loaded.card
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._rules = loaded.rules
        self._rewarded = loaded.rewarded
        self._on_gpu = loaded.model.device.type == "cuda"
        self._typed = "token_type_ids" in inspect.signature(loaded.model.forward).parameters
        self._budget = GPU_BUDGETS[0] if self._on_gpu else UNMEASURED_CPU_BUDGET
        self._largest_batch: int | None = None
        """Padded tokens that the card's memory may hold; None until it ran out once."""
        self._forward: packed_deberta.Forward = self._padded_logits
        self._use_packed()

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """One reward a dialogue, same order; a text that cannot be scored gets a failure.

        `progress` is called with the number of texts finished since the last call.
        Raises BackendUnavailable where the graphics card itself has failed.
        """
        rows = token_rows(dialogues, self._tokenizer, self._rules)
        return self._score_rows(rows, self._budget, progress)

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """Choose a batch's token budget by measuring at most 24 of these texts, or take `known`.

        Returns the budget in tokens; 0 means one text at a time. Takes about two seconds on a CPU
        and at most about eight on a GPU; a model too slow for that is not measured.
        """
        if known is None:
            step = max(1, len(dialogues) // PROBES)
            rows = token_rows(dialogues[::step][:PROBES], self._tokenizer, self._rules)
            probes = [row for row in rows if isinstance(row, TokenRow)]
            measure = self._gpu_budget if self._on_gpu else self._cpu_budget
            self._budget = measure(probes) if probes else self._budget
        else:
            self._budget = known
        return self._budget

    def _cpu_budget(self, probes: list[TokenRow]) -> int:
        middle = sorted(probes, key=lambda row: len(row.ids))[len(probes) // 2]
        self._timed([middle], 0)  # The first forward pays for things the others do not.
        once = max(self._timed([middle], 0), 1e-6)
        passes = 2 * (len(CPU_BUDGETS) + 1)
        affordable = int(TUNING_SECONDS / (passes * once))
        if min(affordable, len(probes)) < FEWEST_PROBES:
            return UNMEASURED_CPU_BUDGET
        shown = probes[:affordable]
        return fastest_budget(lambda budget: self._score_rows(shown, budget), CPU_BUDGETS)

    def _gpu_budget(self, probes: list[TokenRow]) -> int:
        # One text at a time is 50 times slower on a GPU: measuring it would outlast all else. And a
        # budget is only tried by texts that fill it, so the probes are repeated.
        small, large = min(GPU_BUDGETS), max(GPU_BUDGETS)
        tokens = sum(len(row.ids) for row in probes)
        shown = probes * (small // tokens + 1)
        self._timed(shown, small)  # The first forward also compiles kernels.
        passes = 2 * len(GPU_BUDGETS) * large / small
        if passes * self._timed(shown, small) > GPU_TUNING_SECONDS:
            return small
        filled = probes * (large // tokens + 1)
        best = {
            budget: min(self._timed(filled, budget) for _ in range(2)) for budget in GPU_BUDGETS
        }
        return min(best, key=lambda budget: best[budget])

    def _timed(self, rows: Sequence[TokenRow], budget: int) -> float:
        start = perf_counter()
        self._score_rows(rows, budget)
        return perf_counter() - start

    def _score_rows(
        self,
        rows: Sequence[TokenRow | NoInput],
        budget: int,
        progress: Callable[[int], None] | None = None,
    ) -> list[Reward]:
        report = progress or (lambda finished: None)
        rewards = {
            i: Reward(None, failure=row.reason)
            for i, row in enumerate(rows)
            if isinstance(row, NoInput)
        }
        if rewards:
            report(len(rewards))
        readable = [(i, row) for i, row in enumerate(rows) if isinstance(row, TokenRow)]
        for batch in token_batches([len(row.ids) for _, row in readable], budget):
            places, texts = zip(*(readable[k] for k in batch), strict=True)
            rewards |= zip(places, self._rewards(texts), strict=True)
            report(len(batch))
        return [rewards[i] for i in range(len(rows))]

    def _rewards(self, rows: Sequence[TokenRow]) -> list[Reward]:
        """Rewards of one batch; a batch that fails is cut up to find the texts at fault."""
        import torch

        size = len(rows) * max(len(row.ids) for row in rows)
        if len(rows) > 1 and self._largest_batch is not None and size > self._largest_batch:
            return self._in_parts(rows, (len(rows) + 1) // 2)
        try:
            values = self._values(rows)
        except torch.OutOfMemoryError:
            failure = "the text does not fit in the graphics card's memory"
            part = (len(rows) + 1) // 2
            self._largest_batch = size // 2
        except (RuntimeError, ValueError, IndexError) as error:
            failure = f"the model failed on the text: {first_line(error)}"
            part = 1
        else:
            return [
                Reward.measured(value, row.truncated)
                for value, row in zip(values, rows, strict=True)
            ]
        # Outside the handlers, so that the error no longer holds the failed batch's memory.
        self._check_card()
        if len(rows) == 1:
            return [Reward(None, rows[0].truncated, failure)]
        return self._in_parts(rows, part)

    def _in_parts(self, rows: Sequence[TokenRow], part: int) -> list[Reward]:
        parts = (rows[start : start + part] for start in range(0, len(rows), part))
        return [reward for rows_of_part in parts for reward in self._rewards(rows_of_part)]

    def _check_card(self) -> None:
        """Free the card's cached memory; raise where it refuses all work after an error."""
        import torch

        if not self._on_gpu:
            return
        try:
            torch.cuda.empty_cache()
            torch.zeros(1, device=self._model.device).item()
        except RuntimeError as error:
            raise BackendUnavailable(
                f"The graphics card stopped working while {self.card.id} was scoring.",
                "Resume the run: finished texts are kept.",
            ) from error

    def _values(self, rows: Sequence[TokenRow]) -> list[float]:
        import torch

        with torch.inference_mode():
            return self._from_logits(self._forward(rows))

    def _from_logits(self, logits: Any) -> list[float]:
        """Logits, shape (rows, 1 or 2), to float32 rewards; of two logits, the difference."""
        scores = logits.float()
        rewarded = scores[:, self._rewarded]
        if scores.shape[1] == 2:
            rewarded = rewarded - scores[:, 1 - self._rewarded]
        return [float(value) for value in rewarded.cpu().tolist()]

    def _padded_logits(self, rows: Sequence[TokenRow]) -> Any:
        """Logits, shape (rows, logits), of a batch padded on the right."""
        inputs = {
            "input_ids": self._padded([row.ids for row in rows], self._rules.pad_id),
            "attention_mask": self._padded([[1] * len(row.ids) for row in rows], 0),
        }
        if self._typed and all(row.types is not None for row in rows):
            inputs["token_type_ids"] = self._padded([row.types or [] for row in rows], 0)
        return self._model(**inputs).logits

    def _padded(self, values: Sequence[list[int]], fill: int) -> Any:
        import torch

        width = max(len(row) for row in values)
        return torch.tensor(
            [row + [fill] * (width - len(row)) for row in values], device=self._model.device
        )

    def _use_packed(self) -> None:
        if not packed_deberta.available(self._model):
            return
        import torch

        rows = token_rows(_probe_dialogues(), self._tokenizer, self._rules)
        probes = [row for row in rows if isinstance(row, TokenRow)]
        with torch.inference_mode():
            packed = packed_deberta.trusted_forward(
                self._model, self._padded_logits, self._from_logits, probes
            )
        if packed is not None:
            self._forward = packed
            note = f"{self.card.note} Scored without padding (disentangled-flash).".strip()
            self.card = self.card.model_copy(update={"note": note})


def _probe_dialogues() -> list[Dialogue]:
    """Eight texts of very different lengths, to compare two ways of computing the same scores."""
    sentences = (
        "Boil the potatoes for twenty minutes.",
        "I will not help with that!",
        "Why do you ask?",
        "The capital of France is Paris.",
        "No.",
        "That sounds hard, and I am sorry to hear it.",
        "First, unplug the machine; then open the lid.",
        "x = 3 * (y + 1)",
    )
    return [
        Dialogue(f"\n\nHuman: Question {i}?\n\nAssistant: {' '.join([sentence] * (1 + 3 * i))}")
        for i, sentence in enumerate(sentences)
    ]
