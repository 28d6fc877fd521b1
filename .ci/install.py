"""Install IVAN into .venv: `python3 .ci/install.py EXTRA [--cuda]`, as `make install` calls it.

It runs before anything is installed, so it needs Python alone. PyTorch as the package index has it
for Linux brings 2.5 GB of CUDA; where no NVIDIA driver is at work the build without it is taken
from PyTorch's own index, if that answers within seconds. Whatever fails there, the package index
is asked as if nothing had been tried. uv installs where it is there, and pip else.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
CONSTRAINTS = ROOT / "constraints.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 5.0
"""Seconds within which PyTorch's index must answer."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Install IVAN into .venv.")
    parser.add_argument("extra", help="dev, or figures for those who only use it")
    parser.add_argument("--cuda", action="store_true", help="PyTorch with CUDA, driver or not")
    options = parser.parse_args()
    # No installer has looked at the version yet.
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit("IVAN needs Python 3.11 or newer: make PYTHON=python3.12 ...")
    if not PYTHON.exists():
        make_environment()
    torch = f"torch=={pinned('torch')}"
    there = version_of_torch()
    if options.cuda and there.endswith("+cpu"):
        install("--force-reinstall", "--no-deps", torch)
    elif not options.cuda and not there and not has_driver():
        install_without_cuda(torch)
    print("Installing IVAN and what it needs into .venv.", flush=True)
    if not install("-c", str(CONSTRAINTS), "-e", f"{ROOT}[{options.extra}]"):
        sys.exit("Nothing was installed; the lines above say why.")


def make_environment() -> None:
    """An environment with a pip of its own, even where Debian keeps that in another package."""
    made = subprocess.run([sys.executable, "-m", "venv", ROOT / ".venv"], capture_output=bool(uv()))
    if made.returncode and uv():
        shutil.rmtree(ROOT / ".venv", ignore_errors=True)
        command = [uv(), "venv", "--seed", "--quiet", "--python", sys.executable, ROOT / ".venv"]
        made = subprocess.run(command)
    if made.returncode:
        sys.exit(made.returncode)


def install_without_cuda(torch: str) -> None:
    """PyTorch's build for the CPU, if it can be had: nothing here is an error."""
    index = os.environ.get("IVAN_TORCH_INDEX") or CPU_INDEX
    if platform.system() != "Linux":
        return  # everywhere else the package index has no CUDA in it
    if not answers(f"{index}/torch/"):
        print(f"{index} does not answer, so PyTorch comes from the package index.", flush=True)
        return
    print("No NVIDIA driver here: PyTorch without CUDA. GPU=1 takes the other build.", flush=True)
    if not install("--no-deps", "--index-url", index, torch, patient=False):
        print("That did not work, so PyTorch comes from the package index.", flush=True)


def has_driver() -> bool:
    """Whether an NVIDIA driver is seen, also from within a virtual machine on Windows."""
    return Path("/proc/driver/nvidia/version").exists() or bool(shutil.which("nvidia-smi"))


def answers(address: str) -> bool:
    """Whether an address sends a page within seconds; looking up its name may hang for longer."""
    found: list[int] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as page:
                found.append(page.status)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return found == [200]


def pinned(package: str) -> str:
    """The version of a package in constraints.txt."""
    found = re.search(rf"^{package}==(\S+)$", CONSTRAINTS.read_text("utf-8"), re.MULTILINE)
    if found is None:
        sys.exit(f"{CONSTRAINTS} names no version of {package}.")
    return found[1]


def version_of_torch() -> str:
    """The version in .venv with its local part, such as 2.13.0+cpu; empty if there is none."""
    ask = "from importlib.metadata import version; print(version('torch'))"
    told = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True)
    return told.stdout.strip()


def uv() -> str:
    return shutil.which("uv") or ""


def install(*arguments: str, patient: bool = True) -> bool:
    """Whether it could be installed: by uv, and by pip where there is none or it failed.

    pip knows mirrors and wheels on disk that uv was not told of.
    """
    patience = {} if patient else {"UV_HTTP_TIMEOUT": "15", "UV_HTTP_RETRIES": "1"}
    if uv():
        environment = os.environ | patience
        if wheels := os.environ.get("PIP_FIND_LINKS"):
            environment.setdefault("UV_FIND_LINKS", wheels)
        by_uv = [uv(), "pip", "install", "--quiet", "--python", str(PYTHON)]
        if subprocess.run([*by_uv, *arguments], env=environment).returncode == 0:
            return True
        print("uv could not install it; pip tries.", flush=True)
    hurry = [] if patient else ["--timeout", "15", "--retries", "1"]
    by_pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*by_pip, *hurry, *arguments]).returncode == 0


if __name__ == "__main__":
    main()
