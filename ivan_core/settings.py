"""Settings, read in this order: environment, `.env`, `.streamlit/secrets.toml`."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import tomllib
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values

from ivan_core.domain.errors import BadInput

_CHECKOUT = Path(__file__).resolve().parent.parent


def project_root() -> Path:
    """The checkout this package runs from; the current folder where there is none."""
    return _CHECKOUT if (_CHECKOUT / "streamlit_app.py").exists() else Path.cwd()


def app_folder() -> Path:
    """Where `streamlit_app.py` and its pages lie: the checkout, else a package of the wheel."""
    in_checkout = (_CHECKOUT / "streamlit_app.py").exists()
    return _CHECKOUT if in_checkout else _CHECKOUT / "ivan_dashboard"


PUBLIC = "IVAN_PUBLIC"
_OFF = ("", "0", "false", "no", "off")
NOT_FOR_STRANGERS = frozenset(
    (
        "HF_TOKEN",
        "IVAN_DATABASE_URL",
        "IVAN_DATA_PATHS",
        "IVAN_ENDPOINT_KEY",
        "IVAN_OWNERS",
        "IVAN_SERVER_KEY",
        "IVAN_SERVER_URL",
        "OLLAMA_API_HOST",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORG_ID",
    )
)
"""Keys, servers and people: a process that is open to strangers knows none of them."""


def setting(name: str, default: str = "") -> str:
    """One setting by name; empty strings count as not set."""
    if name in NOT_FOR_STRANGERS and is_public():
        return default
    return os.environ.get(name) or _from_files().get(name) or default


def is_on(name: str) -> bool:
    """Whether a setting is switched on: anything but empty, 0, false, no or off."""
    return setting(name).strip().lower() not in _OFF


def is_public() -> bool:
    """Whether this process serves a demo that is open to strangers (`ivan app --public`)."""
    return is_on(PUBLIC)


def seconds_of(name: str, default: float) -> float:
    """A setting that is a number of seconds above 0 and below a million.

    Raises:
        BadInput: it is none.
    """
    text = setting(name, f"{default:g}")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < 1e6:
        return seconds
    raise BadInput(
        f"{name} is {text[:40]!r}, which is no number of seconds.", f"Set it to {default:g}."
    )


@lru_cache(maxsize=1)
def _from_files() -> dict[str, str]:
    root = project_root()
    found: dict[str, str] = {}
    secrets = root / ".streamlit" / "secrets.toml"
    if secrets.is_file():
        values = tomllib.loads(secrets.read_text("utf-8"))
        found.update({name: str(v) for name, v in values.items() if not isinstance(v, dict)})
    found.update({name: v for name, v in dotenv_values(root / ".env").items() if v})
    return found


def data_dir() -> Path:
    """Where all output goes: `IVAN_DATA_DIR`, else `data/` in the project."""
    chosen = setting("IVAN_DATA_DIR")
    return Path(chosen).expanduser().absolute() if chosen else project_root() / "data"


def slot_file() -> Path:
    """The machine-wide lock file that a worker holds while models are loaded (`IVAN_SLOT_FILE`)."""
    chosen = setting("IVAN_SLOT_FILE")
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / f"ivan-{os.getuid()}.slot"


def share_the_machine() -> None:
    """Keep the model libraries from taking more than they use; called before they are loaded.

    OpenMP's threads wait for each other by spinning. On a machine with other work that takes the
    time away from the thread that is waited for: scoring was measured six times slower for it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def machine_load() -> float:
    """How many processes have wanted a core of this machine over the last minute."""
    try:
        return os.getloadavg()[0]
    except OSError:  # the system does not say
        return 0.0


def memory_bytes() -> int:
    """Main memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def has_gpu() -> bool:
    """Whether an NVIDIA driver is at work here; no CUDA library is loaded to find out."""
    return Path("/proc/driver/nvidia/version").exists() and any(Path("/dev").glob("nvidia[0-9]*"))


@lru_cache(maxsize=1)
def gpu_memory() -> tuple[int, ...]:
    """Bytes of memory of each NVIDIA card, as its driver's program says; empty where it does not.

    Of those that `CUDA_VISIBLE_DEVICES` leaves, if it names them by number.
    """
    command = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        sizes = [int(line) * 2**20 for line in told.stdout.splitlines()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if all(number.strip().isdecimal() for number in seen):
        return tuple(sizes[int(number)] for number in seen if int(number) < len(sizes))
    return tuple(sizes)


def named_devices() -> tuple[str, ...]:
    """The devices that score at the same time, one process each, as `IVAN_DEVICES` names them.

    Such as ("cuda:0", "cuda:1") or ("cpu", "cpu"); empty where it is not set.

    Raises:
        BadInput: a name is none of a device, or of a card that is not in this machine.
    """
    named = tuple(name.strip() for name in setting("IVAN_DEVICES").split(",") if name.strip())
    if wrong := [name for name in named if not re.fullmatch(r"cpu|cuda(:\d{1,3})?", name)]:
        raise BadInput(
            f"IVAN_DEVICES names {wrong[0][:40]!r}, which is no device.",
            "Write cpu, or cuda:0, cuda:1 and so on, with commas between.",
        )
    if any(name != "cpu" for name in named):
        _check_cards(named)
    return named


def _check_cards(named: tuple[str, ...]) -> None:
    """A process for a card that is not there would score on the CPU, at a fiftieth of the speed."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    by_number = all(number.strip().isdecimal() for number in seen if number.strip())
    cards = len(gpu_memory() if by_number else seen)
    if not cards and has_gpu():
        return  # The driver's program does not say how many there are.
    there = [f"cuda:{number}" for number in range(cards)]
    for name in named:
        if name != "cpu" and int(name.partition(":")[2] or 0) >= cards:
            raise BadInput(
                f"IVAN_DEVICES names {name}, and no such card was found in this machine.",
                f"Name what is there, {', '.join((*there, 'cpu'))}, or leave it out.",
            )


def preset_name() -> str:
    """The preset in force: `IVAN_PRESET`, else demo."""
    return setting("IVAN_PRESET", "demo")
