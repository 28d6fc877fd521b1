"""Batches through a model: what fails is cut up to find the texts at fault, memory is kept to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ivan_core.backends.reward_models.batching import token_batches
from ivan_core.backends.reward_models.shared_prompts import Plan, Tree
from ivan_core.backends.reward_models.tokens import TokenRow, first_line
from ivan_core.backends.reward_models.tree_forward import tree_logits
from ivan_core.domain.errors import BackendUnavailable

Forward = Callable[[Sequence[TokenRow]], Any]
"""Rows of tokens to logits, shape (rows, logits)."""


class BatchRunner:
    """A model and how its batches go through it; rewards stay on its device until all are there.

    `forward` gives the logits of ordinary batches, `rewards_of` makes rewards of logits, there.
    """

    def __init__(
        self, name: str, model: Any, pad_id: int, forward: Forward, rewards_of: Callable[[Any], Any]
    ) -> None:
        self.forward = forward
        self._name = name
        self._model = model
        self._pad_id = pad_id
        self._rewards_of = rewards_of
        self._on_gpu = model.device.type == "cuda"
        self._largest_batch: int | None = None
        """Tokens, padding included, that the card's memory may hold; None until it ran out once."""
        self._computed: list[Any] = []
        self._places: list[int] = []
        self._failures: dict[int, str] = {}
        self.given_up: list[int] = []
        """Of the last run: rows of trees that had to be read by themselves, by place."""

    def run(
        self,
        rows: Sequence[TokenRow],
        plan: Plan,
        tokens: int,
        done: Callable[[Sequence[int]], None] = lambda places: None,
    ) -> list[float | str]:
        """Of each row its reward, or why there is none; batches hold up to `tokens`.

        `done` is told the places of the rows of each batch.
        Raises BackendUnavailable where the graphics card itself has failed.
        """
        self._computed, self._places, self._failures = [], [], {}
        self.given_up = []
        for batch in token_batches([tree.tokens for tree in plan.trees], tokens):
            trees = [plan.trees[k] for k in batch]
            self._run_trees(trees, rows)
            done([place for tree in trees for place in tree.places])
        for batch in token_batches([len(rows[place].ids) for place in plan.alone], tokens):
            places = [plan.alone[k] for k in batch]
            self._run_rows(places, rows)
            done(places)
        found: dict[int, float | str] = {**self._failures}
        found |= zip(self._places, self._fetched(), strict=True)
        return [found[place] for place in range(len(rows))]

    def _fetched(self) -> list[float]:
        import torch

        if not self._computed:
            return []
        try:
            return [float(value) for value in torch.cat(self._computed).cpu().tolist()]
        except RuntimeError:
            # A card tells of what went wrong on it only when it is asked for numbers.
            self._check_card()
            raise

    def _keep(self, places: Sequence[int], logits: Any) -> None:
        self._computed.append(self._rewards_of(logits))
        self._places += places

    def _too_large(self, count: int, size: int) -> bool:
        return count > 1 and self._largest_batch is not None and size > self._largest_batch

    def _run_rows(self, places: Sequence[int], rows: Sequence[TokenRow]) -> None:
        """One ordinary batch; one that fails is cut up to find the texts at fault."""
        import torch

        size = len(places) * max(len(rows[place].ids) for place in places)
        part = (len(places) + 1) // 2
        if self._too_large(len(places), size):
            return self._in_parts(places, part, rows)
        try:
            with torch.inference_mode():
                return self._keep(places, self.forward([rows[place] for place in places]))
        except torch.OutOfMemoryError:
            failure = "the text does not fit in the graphics card's memory"
            self._largest_batch = size // 2
        except (RuntimeError, ValueError, IndexError) as error:
            failure = f"the model failed on the text: {first_line(error)}"
            part = 1
        # Outside the handlers, so that the error no longer holds the failed batch's memory.
        self._check_card()
        if len(places) == 1:
            self._failures[places[0]] = failure
            return None
        return self._in_parts(places, part, rows)

    def _in_parts(self, places: Sequence[int], part: int, rows: Sequence[TokenRow]) -> None:
        for start in range(0, len(places), part):
            self._run_rows(places[start : start + part], rows)

    def _run_trees(self, trees: Sequence[Tree], rows: Sequence[TokenRow]) -> None:
        """One batch of trees; what fails as a tree is read as ordinary texts."""
        import torch

        size = len(trees) * max(tree.tokens for tree in trees)
        half = (len(trees) + 1) // 2
        places = [place for tree in trees for place in tree.places]
        memory = self._too_large(len(trees), size)
        if not memory:
            texts = [row.ids for row in rows]
            try:
                with torch.inference_mode():
                    logits = tree_logits(self._model, trees, texts, self._pad_id)
                    return self._keep(places, logits)
            except torch.OutOfMemoryError:
                memory = len(trees) > 1
                self._largest_batch = size // 2 if memory else self._largest_batch
            except (RuntimeError, ValueError, IndexError) as error:
                warnings.warn(
                    f"Reading a prompt once failed ({first_line(error)}); "
                    "its texts are read by themselves.",
                    stacklevel=2,
                )
            self._check_card()
        if not memory:
            self.given_up += places
            return self._run_rows(places, rows)
        self._run_trees(trees[:half], rows)
        return self._run_trees(trees[half:], rows)

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
                f"The graphics card stopped working while {self._name} was scoring.",
                "Resume the run: finished texts are kept.",
            ) from error
