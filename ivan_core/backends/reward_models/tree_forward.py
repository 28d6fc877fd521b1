"""One forward for several trees of texts: a text sees what it shares and itself, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ivan_core.backends.reward_models.shared_prompts import TokenIds, Tree

_SHARED, _PADDING = 0, -1


def tree_logits(model: Any, trees: Sequence[Tree], texts: Sequence[TokenIds], pad_id: int) -> Any:
    """Logits, shape (texts of all trees, logits), tree by tree, a tree's texts in its own order.

    Positions begin again after the shared tokens, and the head reads each text's last token: what
    the text by itself would give (facts of tests/backends/reward_models/test_tree_forward.py).
    """
    import torch

    rows = [_row(tree, texts) for tree in trees]
    width = max(len(row.ids) for row in rows)
    device = model.device

    def padded(values: list[list[int]], fill: int) -> Any:
        return torch.tensor([row + [fill] * (width - len(row)) for row in values], device=device)

    owners = padded([row.owners for row in rows], _PADDING)
    hidden = model.base_model(
        input_ids=padded([row.ids for row in rows], pad_id),
        attention_mask=_mask(owners, model.dtype),
        position_ids=padded([row.positions for row in rows], 0),
        use_cache=False,
    ).last_hidden_state
    # A model that is spread over several cards gives this on its last one.
    of_row = torch.tensor([i for i, row in enumerate(rows) for _ in row.ends], device=hidden.device)
    ends = torch.tensor([end for row in rows for end in row.ends], device=hidden.device)
    return model.score(hidden[of_row, ends])


@dataclass(frozen=True, slots=True)
class _Row:
    """A tree laid flat; `owners` says which of its texts a token is of, 0 for all of them."""

    ids: list[int]
    owners: list[int]
    positions: list[int]
    ends: list[int]


def _row(tree: Tree, texts: Sequence[TokenIds]) -> _Row:
    ids = list(texts[tree.places[0]][: tree.prefix])
    owners = [_SHARED] * tree.prefix
    positions = list(range(tree.prefix))
    ends = []
    for owner, place in enumerate(tree.places, start=1):
        tail = texts[place][tree.prefix :]
        ids += tail
        owners += [owner] * len(tail)
        positions += range(tree.prefix, tree.prefix + len(tail))
        ends.append(len(ids) - 1)
    return _Row(ids, owners, positions, ends)


def _mask(owners: Any, dtype: Any) -> Any:
    """Zero where a token may look, the lowest number elsewhere; shape (rows, 1, width, width)."""
    import torch

    asking, asked = owners[:, :, None], owners[:, None, :]
    width = owners.shape[1]
    earlier = torch.ones(width, width, dtype=torch.bool, device=owners.device).tril()
    seen = earlier & ((asked == _SHARED) | (asked == asking))
    hidden = torch.full(seen.shape, torch.finfo(dtype).min, dtype=dtype, device=owners.device)
    return hidden.masked_fill(seen, 0)[:, None]
