"""The formats that there are: the only list of them."""

from __future__ import annotations

from collections.abc import Mapping

from ivan_core.interchange.annotated_pairs import ANNOTATED_PAIRS
from ivan_core.interchange.argilla import ARGILLA
from ivan_core.interchange.dpo import DPO
from ivan_core.interchange.format import Format
from ivan_core.interchange.hh_rlhf import HH_RLHF
from ivan_core.interchange.kto import KTO
from ivan_core.interchange.label_studio import LABEL_STUDIO
from ivan_core.interchange.llm_comparator import LLM_COMPARATOR
from ivan_core.interchange.reward_trainer import REWARD_TRAINER
from ivan_core.interchange.tables import CSV, PARQUET
from ivan_core.interchange.trl_standard import TRL_STANDARD

_ALL = (
    *(DPO, TRL_STANDARD, KTO, REWARD_TRAINER, HH_RLHF),
    *(ANNOTATED_PAIRS, LLM_COMPARATOR, ARGILLA, LABEL_STUDIO, CSV, PARQUET),
)
FORMATS: Mapping[str, Format] = {one.name: one for one in _ALL}
