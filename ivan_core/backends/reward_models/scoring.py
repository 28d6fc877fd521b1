"""Reward models of the transformers library: encoders read a pair, decoders a chat."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ivan_core.backends.reward_models import packed_deberta
from ivan_core.backends.reward_models.batch_runner import BatchRunner
from ivan_core.backends.reward_models.batching import (
    CPU_BUDGETS,
    GPU_BUDGETS,
    IN_BATCHES,
    PACKED,
    PROMPTS_ONCE,
)
from ivan_core.backends.reward_models.checked_attention import use_checked_attention
from ivan_core.backends.reward_models.compiled_layers import compile_where_faster
from ivan_core.backends.reward_models.loading import Loaded
from ivan_core.backends.reward_models.probes import probe_dialogues, probe_pairs
from ivan_core.backends.reward_models.products import products_seconds
from ivan_core.backends.reward_models.shared_prompts import LEAST_GAIN, Plan, distinct
from ivan_core.backends.reward_models.sharing_rules import (
    plan_for,
    why_alone,
    why_not_shared,
    why_not_trusted,
    window,
)
from ivan_core.backends.reward_models.tokens import NoInput, TokenRow, token_rows
from ivan_core.backends.reward_models.tuning import (
    PROBES,
    UNMEASURED_CPU_BUDGET,
    cpu_budget,
    gpu_budget,
)
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue


class TransformersRewardModel:
    """A loaded model. A text's reward does not depend on its batch (to 1e-4 on a CPU)."""

    def __init__(self, loaded: Loaded, plain: bool = False) -> None:
        """`plain` leaves out the faster ways that not every machine has."""
        self.card = loaded.card
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._rules = loaded.rules
        self._rewarded = loaded.rewarded
        self._on_gpu = loaded.model.device.type == "cuda"
        self._typed = "token_type_ids" in inspect.signature(loaded.model.forward).parameters
        self._runner = BatchRunner(
            loaded.card.id, loaded.model, loaded.rules.pad_id, self._padded_logits, self._rewards
        )
        self._check_attention()
        self._compiled = False
        self._packed = not plain and self._use_packed()
        self._why_not_shared = why_not_shared(self._model) or why_not_trusted(
            self._model, self._readable(probe_pairs()), self._padded_logits, self._rewards
        )
        self.card = self.card.model_copy(update=self._ways_told())
        self._budget = GPU_BUDGETS[0] if self._on_gpu else UNMEASURED_CPU_BUDGET

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """One reward a dialogue, same order; a text that cannot be scored gets a failure.

        `progress` is called with the number of texts finished since the last call.
        Raises BackendUnavailable where the graphics card itself has failed.
        """
        return self.score_read(self.read(dialogues), progress)

    def read(self, dialogues: Sequence[Dialogue]) -> list[TokenRow | NoInput]:
        """The dialogues as rows of tokens, in one call of the tokenizer."""
        return token_rows(dialogues, self._tokenizer, self._rules)

    def score_read(
        self, read: Sequence[TokenRow | NoInput], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """The rewards of rows of tokens: see `score`."""
        return self._score_rows(read, self._budget, progress)

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """Choose a batch's token budget by measuring at most 24 of these texts, or take `known`.

        Returns the budget in tokens; 0 means one text at a time, and below 0 that what texts share
        is read once. Takes about two seconds on a CPU and at most about eight on a GPU; a model too
        slow for that is not measured.
        """
        self._budget = self._measured(dialogues) if known is None else known
        return self._budget

    def ways(self) -> dict[str, tuple[int, ...]]:
        """The ways it can score beside one text at a time, by name, with the budgets to try."""
        budgets = GPU_BUDGETS if self._on_gpu else CPU_BUDGETS
        found: dict[str, tuple[int, ...]] = {PACKED if self._packed else IN_BATCHES: budgets}
        if not self._why_not_shared:
            found[PROMPTS_ONCE] = tuple(-budget for budget in budgets)
        return found

    def count_tokens(self, dialogues: Sequence[Dialogue]) -> int:
        """Tokens of the texts as the model reads them, without padding."""
        return sum(len(row.ids) for row in self._readable(dialogues))

    def products_seconds(self, tokens: int) -> float | None:
        """Seconds that the model's matrix products alone take for so many tokens; None: unknown."""
        return products_seconds(self._model, tokens)

    def _ways_told(self) -> dict[str, str]:
        """What the card says of how texts are read."""
        if self._packed:
            compiled = ", its feed-forward layers compiled" if self._compiled else ""
            return {"way": f"Scored without padding (disentangled-flash){compiled}."}
        if not hasattr(self._model, "score"):  # An encoder: no reply stands behind a prompt.
            return {}
        if self._why_not_shared:
            return {"way": f"Reads a prompt again for each reply: {self._why_not_shared}."}
        most = window(self._model)
        except_long = "" if most is None else f"; not for texts of more than {most:,} tokens"
        return {"shared_way": f"Reads a pair's prompt once{except_long}."}

    def _measured(self, dialogues: Sequence[Dialogue]) -> int:
        rows = token_rows(dialogues[:PROBES], self._tokenizer, self._rules)
        probes = [row for row in rows if isinstance(row, TokenRow)]
        if not probes:
            return self._budget
        gains = bool(self._plan(probes, -1).trees)
        if self._on_gpu:
            return gpu_budget(self._score_rows, probes, gains, self._rules.vocabulary)
        return cpu_budget(self._score_rows, probes, gains)

    def _score_rows(
        self,
        rows: Sequence[TokenRow | NoInput],
        budget: int,
        progress: Callable[[int], None] | None = None,
    ) -> list[Reward]:
        report = progress or (lambda finished: None)
        readable = [row for row in rows if isinstance(row, TokenRow)]
        if len(readable) < len(rows):
            report(len(rows) - len(readable))
        # Equal tokens get equal rewards, to the last bit: they are a tie, in whatever batches.
        firsts, which = distinct([(tuple(row.ids), tuple(row.types or ())) for row in readable])
        copies = Counter(which)
        texts = [readable[place] for place in firsts]
        plan = self._plan(texts, budget)
        found = self._runner.run(
            texts, plan, abs(budget), lambda places: report(sum(copies[place] for place in places))
        )
        alone: dict[int, str] = {}
        if budget < 0 and not self._why_not_shared:
            alone = why_alone(self._model, texts, plan)
            alone |= dict.fromkeys(self._runner.given_up, _FAILED)
        rewards = iter(
            _reward(found[number], row, alone.get(number, ""))
            for number, row in zip(which, readable, strict=True)
        )
        return [
            Reward(None, failure=row.reason) if isinstance(row, NoInput) else next(rewards)
            for row in rows
        ]

    def _plan(self, rows: Sequence[TokenRow], budget: int) -> Plan:
        """What of the rows is read as trees: nothing where the model or the gain forbid it."""
        if budget < 0 and not self._why_not_shared:
            plan = plan_for(self._model, rows)
            if plan.gain >= LEAST_GAIN:
                return plan
        return Plan([], list(range(len(rows))), 1.0)

    def _rewards(self, logits: Any) -> Any:
        """Logits, shape (rows, 1 or 2), to float32 rewards; of two logits, the difference."""
        scores = logits.float()
        rewarded = scores[:, self._rewarded]
        return rewarded - scores[:, 1 - self._rewarded] if scores.shape[1] == 2 else rewarded

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

    def _use_packed(self) -> bool:
        if not packed_deberta.available(self._model):
            return False
        import torch

        layers = self._model.deberta.encoder.layer
        probes = self._readable(probe_dialogues())
        with torch.inference_mode():
            packed = packed_deberta.trusted_forward(
                self._model, self._padded_logits, self._floats, probes
            )
            if packed is None:
                return False
            self._runner.forward = packed
            if self._on_gpu:
                # As many tokens as a batch of a run has: compiled layers gain less on a few.
                many = probes * (GPU_BUDGETS[0] // sum(len(row.ids) for row in probes) + 1)
                self._compiled = compile_where_faster(
                    layers, lambda: self._floats(packed(many))[: len(probes)], packed_deberta.NOISE
                )
        return True

    def _check_attention(self) -> None:
        """Keep the library's fused attention if it is as good: a decoder's only on a GPU.

        On a CPU the check of a decoder would cost what scoring many texts does, and there the
        fused kernel is the plain products one after the other.
        """
        if not (self._on_gpu or not hasattr(self._model, "score")):
            return
        import torch

        probes = self._readable(probe_dialogues())

        def alone() -> list[float]:
            return [self._floats(self._padded_logits([row]))[0] for row in probes]

        with torch.inference_mode():
            use_checked_attention(
                self._model, alone, lambda: self._floats(self._padded_logits(probes))
            )

    def _floats(self, logits: Any) -> list[float]:
        return [float(value) for value in self._rewards(logits).tolist()]

    def _readable(self, dialogues: Sequence[Dialogue]) -> list[TokenRow]:
        rows = token_rows(dialogues, self._tokenizer, self._rules)
        return [row for row in rows if isinstance(row, TokenRow)]


_FAILED = "reading its prompt once failed"


def _reward(found: float | str, row: TokenRow, alone: str) -> Reward:
    if isinstance(found, str):
        return Reward(None, row.truncated, found, alone)
    return replace(Reward.measured(found, row.truncated), read_alone=alone)
