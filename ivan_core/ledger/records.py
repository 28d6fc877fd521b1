"""What the ledger knows: confirmations, the parts they paid for, and how far each part is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ivan_core.domain.errors import BadInput


class Stage(StrEnum):
    """How far a part is. Each is written before the call that it names."""

    PLANNED = "planned"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    CREATING = "creating"
    CREATED = "created"
    IN_DOUBT = "in doubt"
    TERMINAL = "terminal"
    DOWNLOADED = "downloaded"
    VALIDATED = "validated"
    ABANDONED = "abandoned"


UNSENT = (Stage.PLANNED, Stage.UPLOADING, Stage.UPLOADED)
"""No batch was created: uploading costs nothing, so sending may begin anew."""
OPEN = (Stage.CREATING, Stage.CREATED, Stage.IN_DOUBT)
"""A batch is at the provider, or may be."""

COMES_FROM: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.PLANNED: (Stage.UPLOADING,),
    Stage.UPLOADING: UNSENT,
    Stage.UPLOADED: (Stage.UPLOADING,),
    Stage.CREATING: (Stage.UPLOADED,),
    Stage.CREATED: (Stage.CREATING, Stage.IN_DOUBT),
    Stage.IN_DOUBT: (Stage.CREATING,),
    Stage.TERMINAL: (Stage.CREATED, Stage.TERMINAL),
    Stage.DOWNLOADED: (Stage.TERMINAL, Stage.DOWNLOADED, Stage.VALIDATED),
    Stage.VALIDATED: (Stage.DOWNLOADED, Stage.VALIDATED),
    Stage.ABANDONED: UNSENT,
}
"""The only ways there are, but for `Ledger.take_back`, `open_again` and `close`."""


@dataclass(frozen=True, slots=True, order=True)
class PartKey:
    """One file of one run, sent for the n-th time. Both numbers start at 1."""

    run: str
    part: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Part:
    """A batch file as it was confirmed. A relative `path` is one in the data folder."""

    key: PartKey
    sha256: str
    requests: int
    path: str
    tokens: int = 0
    """Input tokens that the file adds to the provider's queue, as estimated."""

    @property
    def marks(self) -> dict[str, str]:
        """What a batch of this part carries at the provider, so that it can be found again."""
        return {
            "run": self.key.run,
            "part": str(self.key.part),
            "attempt": str(self.key.attempt),
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class PartState:
    """A part and how far it is. Ids are empty where there is none yet; times are Unix seconds."""

    part: Part
    stage: Stage
    changed: float
    file_id: str = ""
    batch_id: str = ""
    status: str = ""
    """The provider's last word on the batch: completed, failed, expired or cancelled."""
    problem: str = ""
    note: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: float | None = None
    sent: float | None = None
    """When the one call that creates a batch was about to be made."""

    @property
    def key(self) -> PartKey:
        return self.part.key


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Somebody's yes to one plan: exact bytes, estimate and price table, all in `plan_hash`."""

    run: str
    attempt: int
    plan_hash: str
    usd: float | None
    at: float
    by: str
    may_charge_twice: bool = False
    """The person was told that the same requests may be paid for a second time."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The confirmation that stands for a plan, and whether this call made it.

    It may be that of another run: the same plan was confirmed there before.
    """

    confirmation: Confirmation
    new: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run cost so far, in dollars, and how many parts were sent whose cost is not known."""

    usd: float
    confirmed_usd: float | None
    parts_open: int


class PlanChanged(BadInput):
    """What would be sent is not what was confirmed: the estimate must be shown again."""


def plan_hash(sha256s: Sequence[str], estimate: Mapping[str, object], price_table: str) -> str:
    """The hash that a confirmation is bound to: files in order, estimate, prices with their date.

    An estimate that names its attempt makes each sending again a plan of its own.
    """
    plan = {"files": list(sha256s), "estimate": dict(estimate), "prices": price_table}
    text = json.dumps(plan, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
