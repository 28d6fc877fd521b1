"""The switchboard: what goes wrong at a provider, each by name, as often as wanted.

Here too what those of any endpoint do: requests refused or lost, answers that never arrive whole.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ivan_core.demo import fault_names as names
from ivan_core.demo.fault_names import FAULTS
from ivan_core.demo.wire import Answer, json_answer
from ivan_core.domain.errors import BadInput

BEFORE = (
    names.RATE_LIMITED,
    names.INSUFFICIENT_QUOTA,
    names.SERVER_ERROR,
    names.TIMEOUT,
    names.RESET,
)
"""These strike before anything is done."""
AFTER = (names.COMMIT_THEN_TIMEOUT, names.COMMIT_THEN_RESET, names.TRUNCATED_BODY)
"""These strike when what was asked is done."""
_REFUSALS = {
    names.RATE_LIMITED: (429, "rate_limit_exceeded", "Too many requests: slow down."),
    names.INSUFFICIENT_QUOTA: (429, "insufficient_quota", "You exceeded your current quota."),
    names.SERVER_ERROR: (500, None, "The demo server was told to fail."),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A fault that is switched on.

    `times` is how often it still strikes (None: always), `skip` how many chances it lets pass
    first. `method` and the path prefix `path` narrow it to some requests. What `amount` means is
    said in the fault's description. `ids` are the custom_ids of the lines it strikes in a result
    file; without any it takes `amount` lines of its own.
    """

    name: str
    times: int | None = None
    method: str = ""
    path: str = ""
    skip: int = 0
    amount: float = 1.0
    ids: tuple[str, ...] = ()

    def concerns(self, name: str, method: str, path: str) -> bool:
        return (
            self.name == name
            and self.times != 0
            and self.method in ("", method)
            and path.startswith(self.path)
        )


class Faults:
    """Which faults are on. May be changed while the server runs, from any thread."""

    def __init__(self, *names: str) -> None:
        self._settings: list[Setting] = []
        self._lock = threading.Lock()
        for name in names:
            self.set(name)

    def set(
        self,
        name: str,
        times: int | None = None,
        method: str = "",
        path: str = "",
        skip: int = 0,
        amount: float | None = None,
        ids: Iterable[str] = (),
    ) -> None:
        """Switch a fault on.

        Raises:
            BadInput: no fault has this name.
        """
        if name not in FAULTS:
            raise BadInput(
                f"There is no fault called {name[:60]!r}.",
                hint="`ivan demo-server --help` lists them.",
            )
        default = FAULTS[name].amount
        setting = Setting(
            name, times, method, path, skip, default if amount is None else amount, tuple(ids)
        )
        with self._lock:
            self._settings.append(setting)

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._settings.clear()

    def take(self, name: str, method: str = "", path: str = "") -> Setting | None:
        """The setting of a fault if it strikes now, which counts as one time."""
        return self.take_first((name,), method, path)

    def take_first(self, names: Iterable[str], method: str = "", path: str = "") -> Setting | None:
        """The first of these faults, in the order they were switched on, that strikes now."""
        wanted = frozenset(names)
        with self._lock:
            for place, setting in enumerate(self._settings):
                if setting.name not in wanted or not setting.concerns(setting.name, method, path):
                    continue
                if setting.skip:
                    self._settings[place] = replace(setting, skip=setting.skip - 1)
                    continue
                if setting.times is not None:
                    self._settings[place] = replace(setting, times=setting.times - 1)
                return setting
        return None

    def is_on(self, name: str) -> bool:
        """Whether a fault is switched on and has times left; looking does not count."""
        return any(setting.name == name and setting.times != 0 for setting in self.settings())

    def settings(self) -> tuple[Setting, ...]:
        with self._lock:
            return tuple(self._settings)

    def from_json(self, asked: Mapping[str, object]) -> None:
        """Do what a `POST /faults` asks: `{"clear": true}`, or the fields of one setting.

        Raises:
            BadInput: there is no such fault, or a field is not of its type.
        """
        if asked.get("clear"):
            self.clear()
        name = asked.get("name")
        if name is None:
            return
        times, skip, amount = asked.get("times"), asked.get("skip", 0), asked.get("amount")
        ids = asked.get("ids", [])
        if not (
            isinstance(name, str)
            and (times is None or isinstance(times, int))
            and isinstance(skip, int)
            and (amount is None or isinstance(amount, int | float))
            and isinstance(ids, list)
        ):
            raise BadInput("A fault is a name, and maybe times, skip, amount and ids.")
        self.set(
            name,
            times=times,
            method=str(asked.get("method", "")),
            path=str(asked.get("path", "")),
            skip=skip,
            amount=amount,
            ids=[str(custom_id) for custom_id in ids],
        )


def refusal(fault: Setting, path: str) -> Answer:
    """What comes instead of the answer, in the error shape of the API that was asked."""
    if fault.name == names.TIMEOUT:
        return Answer(ending="held")
    if fault.name == names.RESET:
        return Answer(ending="dropped")
    status, code, message = _REFUSALS[fault.name]
    headers = {"Retry-After": f"{fault.amount:g}"} if fault.name == names.RATE_LIMITED else {}
    if path.startswith("/api/"):
        return json_answer({"error": message}, status, headers)
    kind = "server_error" if code is None else code
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json_answer({"error": error}, status, headers)


def broken(fault: Setting, answer: Answer) -> Answer:
    """The answer as it arrives, or does not."""
    if fault.name == names.COMMIT_THEN_TIMEOUT:
        return Answer(ending="held")
    if fault.name == names.COMMIT_THEN_RESET:
        return Answer(ending="dropped")
    return replace(answer, ending="cut")
