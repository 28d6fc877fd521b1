"""A data folder with one confirmed part, a fake provider, and a clock that sleeping moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fakes.provider import FakeProvider

from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import Confirmation, Part, PartKey, PartState
from ivan_core.ledger.sending import send_part, settle
from ivan_core.runs.storage import file_sha256

KEY = PartKey("2026-11-24-10-00", 1, 1)
LINES = b'{"custom_id": "0.chosen"}\n{"custom_id": "0.rejected"}\n'


@dataclass
class Place:
    """A data folder with one confirmed part, a provider, and a clock that sleeping moves."""

    data: Path
    provider: FakeProvider = field(default_factory=FakeProvider)
    time: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provider.clock = self.now
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(LINES)

    @property
    def file(self) -> Path:
        return self.data / "taxonomy-input" / "1-input.jsonl"

    @property
    def ledger(self) -> Ledger:
        """A fresh one each time, as after a restart."""
        return Ledger(self.data, self.now)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def confirm(self, attempt: int = 1, twice: bool = False, ledger: Ledger | None = None) -> bool:
        part = Part(PartKey(KEY.run, 1, attempt), file_sha256(self.file), 2, str(self.file))
        asked = Confirmation(KEY.run, attempt, f"plan {attempt}", 0.57, self.time, "Ada", twice)
        return (ledger or self.ledger).confirm(asked, [part], self.provider.account).new

    def send(self, attempt: int = 1, ledger: Ledger | None = None) -> PartState:
        key = PartKey(KEY.run, 1, attempt)
        return send_part(ledger or self.ledger, self.provider, key, f"plan {attempt}", self.sleep)

    def settle(self) -> PartState:
        return settle(self.ledger, self.provider, KEY, self.sleep)
