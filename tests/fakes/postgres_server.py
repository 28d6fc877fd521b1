"""A PostgreSQL server of the test run's own, from the distribution's packages.

It refuses to be root, so root starts it as the user `postgres`, in a folder that user can enter.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from given.support import free_port

PASSWORD = "s3cret-word"
"""The password of the role `ivan`, which no error, page or command may show."""
_STARTED_WITHIN = 300.0


def binaries() -> Path | None:
    """The folder of the newest server that is installed; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if found:
        return found[-1].parent
    here = shutil.which("postgres")
    return Path(here).parent if here else None


def missing() -> str:
    """What these tests lack on this machine, in words; empty if nothing."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    return "" if binaries() else "PostgreSQL is not installed"


def required() -> bool:
    return "postgres" in os.environ.get("IVAN_REQUIRE", "").replace(",", " ").split()


class PostgresServer:
    """One server on a loopback port, with a role `ivan` that needs its password."""

    def __init__(self, durable: bool = False) -> None:
        """A durable one writes to disk as a team's does, which tests have no need of."""
        found = binaries()
        if found is None:
            raise RuntimeError(missing())
        self._bin = found
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="ivan-postgres-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._haste = () if durable else ("fsync=off", "full_page_writes=off")
        data = self.folder / "data"
        self._run(
            "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--no-sync",
        )
        self.start()
        self.sql(f"CREATE ROLE ivan LOGIN PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = (
            *self._haste,
            "shared_buffers=16MB",
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
        )
        options = [word for one in settings for word in ("-c", one)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", *options],
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                cwd="/",
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_the_tests,
            )
        deadline = time.monotonic() + _STARTED_WITHIN
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._ask("SELECT 1", check=False).returncode == 0:
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log}")

    def stop(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """The address of a new, empty database."""
        self._databases += 1
        name = f"reviews_{self._databases}"
        self.sql(f"CREATE DATABASE {name} OWNER ivan")
        return self.address(name)

    def address(self, name: str, password: str = PASSWORD) -> str:
        return f"postgresql://ivan:{password}@127.0.0.1:{self.port}/{name}"

    def drop(self, address: str) -> None:
        """Take a database away, and everybody's connections to it."""
        self.sql(f"DROP DATABASE IF EXISTS {address.rpartition('/')[2]} WITH (FORCE)")

    def sql(self, statement: str) -> str:
        """Ask as the server's owner."""
        return self._ask(statement).stdout

    def _ask(self, statement: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run(
            "psql",
            "-h",
            self.folder,
            "-p",
            str(self.port),
            "-U",
            "postgres",
            "-tAXqc",
            statement,
            check=check,
        )

    def _run(
        self, program: str, *words: str | Path, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self._bin / program, *words],
            user=self._user,
            group=self._user,
            cwd="/",
            extra_groups=[] if self._user else None,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")


def _version(path: Path) -> tuple[int, str]:
    name = path.parent.parent.name
    return (int(name) if name.isdigit() else 0, name)


def _end_with_the_tests() -> None:
    """Ask Linux to end the server when the test run is killed."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGQUIT)
