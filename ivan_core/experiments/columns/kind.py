"""Searches and user columns as a kind of run: a part of reading the results of others."""

from __future__ import annotations

from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine.kind import Kind, late

KIND = Kind(
    name="column",
    noun="column",
    spec=ColumnSpec,
    about=lambda spec: str(spec.label),
    work=late("ivan_core.experiments.columns.work:work_column"),
)
