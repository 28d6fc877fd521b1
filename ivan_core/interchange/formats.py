"""The formats that there are: the only list of them."""

from __future__ import annotations

from collections.abc import Mapping

from ivan_core.interchange.dpo import DPO
from ivan_core.interchange.format import Format

FORMATS: Mapping[str, Format] = {one.name: one for one in (DPO,)}
