"""The numbers of each model in one place, as pages and files show them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from ivan_core.metrics.agreement import (
    Counts,
    LengthBalanced,
    LengthRule,
    agreement_of,
    by_model,
    count_verdicts,
    length_balanced,
    length_rule,
    narrow,
    rated,
    seen_unseen,
    typical_margin,
    where,
)
from ivan_core.metrics.intervals import PROMPT, Rate, wilson

_NEEDED = ("verdict", "margin", "seen", "chosen_length", "rejected_length", PROMPT)
"""What the rates of a model rest on."""


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What one model's verdicts come to.

    `seen` and `unseen` are agreement on pairs inside and outside the model's training data, None
    where nobody knows or no such pair was rated. `baselines` are the length rules on all rated
    pairs, `headline_baselines` on the pairs of the headline, and so is `length_balanced`.
    """

    model: str
    counts: Counts
    agreement: Rate | None
    misaligned: Rate | None
    typical_margin: float | None
    length_balanced: LengthBalanced
    baselines: LengthRule | None
    seen: Rate | None
    unseen: Rate | None
    headline_baselines: LengthRule | None

    @property
    def headline(self) -> Rate | None:
        """Agreement on unseen pairs if some are known to be, else on all rated pairs."""
        return self.unseen or self.agreement

    @property
    def headline_is_unseen(self) -> bool:
        """Whether the headline leaves out pairs the model was, or may have been, trained on."""
        return self.unseen is not None and self.unseen.n < self.counts.rated

    @property
    def headline_is_seen(self) -> bool:
        """Whether the model was trained on every pair of the headline."""
        return self.unseen is None and self.seen is not None and self.seen.n == self.counts.rated

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain dicts, numbers, strings and None, ready for JSON."""
        plain = asdict(self)
        for name in ("baselines", "headline_baselines"):
            rule: LengthRule | None = getattr(self, name)
            if rule is not None:
                plain[name]["better"] = rule.better
        plain["counts"]["rated"] = self.counts.rated
        plain["headline"] = asdict(self.headline) if self.headline else None
        return plain


def summarise(table: pd.DataFrame) -> list[ModelSummary]:
    """One summary for each model of the scores table, in order of first appearance."""
    return [_summary(model, own) for model, own in by_model(table)]


def _summary(model: str, table: pd.DataFrame) -> ModelSummary:
    counts = count_verdicts(table)
    own = rated(narrow(table, *_NEEDED))
    all_pairs = agreement_of(own)
    apart = seen_unseen(own)
    baselines = length_rule(own)
    new = own
    if apart is not None and apart.unseen is not None:
        new = where(own, own["seen"].eq(False).to_numpy(bool, na_value=False))
    return ModelSummary(
        model=model,
        counts=counts,
        agreement=all_pairs,
        misaligned=_others(all_pairs),
        typical_margin=typical_margin(own["margin"]),
        length_balanced=length_balanced(new),
        baselines=baselines,
        seen=apart.seen if apart else None,
        unseen=apart.unseen if apart else None,
        headline_baselines=baselines if new is own else length_rule(new),
    )


def _others(rate: Rate | None) -> Rate | None:
    """The share of the other pairs; it varies as the share itself does."""
    return wilson(rate.n - rate.count, rate.n, design=rate.design) if rate else None
