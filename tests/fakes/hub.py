"""A stand-in for the Hugging Face hub: serves repositories from local folders over real HTTP.

Repositories are folders `datasets/OWNER/NAME` and `models/OWNER/NAME` under one root; a folder
`NAME@BRANCH` beside one is another branch of it. A commit is a hash of the files it holds. Nothing
global is set: give `environment()` to a fresh process, for the hub's library reads its settings
when it is imported. By hand: `python tests/fakes/hub.py ROOT` prints the address and serves.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

Fault = Literal["missing-repo", "missing-revision", "gated", "cut", "listing", "error"]
CUT_FROM = 2_000
"""Size in bytes from which on files are cut, so that a download has begun when it breaks off."""
_API = re.compile(
    r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(.*))?"
)
_FILE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


def hub_environment(url: str, home: Path, **more: str) -> dict[str, str]:
    """This process's environment with the hub at `url` and its cache in `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return kept | {
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **more,
    }


def commit_of(folder: Path) -> str:
    """40 hex digits over names and contents of the files."""
    digest = sha1()
    for path in files_in(folder):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


class HubHandler(BaseHTTPRequestHandler):
    """Answers what reads; who serves more overrides `answer_more`."""

    protocol_version = "HTTP/1.1"
    hub: Any

    def do_GET(self) -> None:
        self._answer(b"")

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: Any) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")

    def answer_more(self, path: str, body: bytes) -> bool:
        """Answer what this stand-in does not; False where it is not such a request."""
        return False

    def _answer(self, body: bytes) -> None:
        self.hub.tokens.append(self.headers.get("Authorization", ""))
        address = urlsplit(self.path)
        path, query = unquote(address.path), parse_qs(address.query)
        if self.answer_more(path, body):
            return None
        # A revision such as refs/pr/1 arrives with its slashes quoted; none is used here.
        if found := _API.fullmatch(path):
            kind, id, call, revision, rest = found.groups()
        elif found := _FILE.fullmatch(path):
            kind, id, revision, rest = found.groups()
            kind, call = kind or "models", "resolve"
        else:
            return self.refuse(404, "NotFound")
        fault = self.hub.faults.get(id)
        if fault == "error" or (fault == "listing" and call == "tree"):
            return self.refuse(503, "")
        if fault == "missing-repo" or not (self.hub.root / kind / id).is_dir():
            return self.refuse(404, "RepoNotFound")
        folder = self.hub.find(kind, id, revision or "main")
        if fault == "missing-revision" or folder is None:
            return self.refuse(404, "RevisionNotFound")
        file = rest if call == "resolve" else ""
        if self._is_sent_on(folder, call, file):
            return self._send_on(folder, file)
        if call == "resolve":
            return self._file(folder, rest, fault)
        if call == "tree":
            return self.tell(_entries(folder, rest.strip("/"), "recursive" in query))
        if call == "paths-info":
            asked = parse_qs(body.decode()).get("paths") or json.loads(body)["paths"]
            entries = _entries(folder, "", recursive=True)
            return self.tell([entry for entry in entries if entry["path"] in asked])
        return self.tell(
            {
                "id": id,
                "sha": commit_of(folder),
                "siblings": [self.hub.sibling(folder, path) for path in files_in(folder)],
                "private": id in self.hub.private,
                "gated": "manual" if fault == "gated" else False,
                "tags": [],
                "disabled": False,
            }
        )

    def _file(self, folder: Path, name: str, fault: Fault | None) -> None:
        path = folder / name
        if fault == "gated":
            return self.refuse(401, "GatedRepo")
        if not path.is_file():
            return self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit_of(folder)})
        content = path.read_bytes()
        headers = {
            "ETag": f'"{sha1(content).hexdigest()}"',
            "X-Repo-Commit": commit_of(folder),
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not start:
            return self.send(200, headers, content, fault == "cut")
        first = int(start[1])
        headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        return self.send(206, headers, content[first:], fault == "cut", resumed=True)

    def _is_sent_on(self, folder: Path, call: str | None, file: str) -> bool:
        if not self.hub.sends_on:
            return False
        which = self.hub.sends_on[0]
        if call == "resolve":
            return which == "resolve" and (folder / file).is_file()
        return which == "api"

    def _send_on(self, folder: Path, file: str) -> None:
        """As the hub answers for a large file: its size and hash, and where its content is."""
        assert self.hub.sends_on
        _, status, where = self.hub.sends_on
        headers = {"Location": where + self.path, "X-Repo-Commit": commit_of(folder)}
        if file:
            content = (folder / file).read_bytes()
            headers |= {
                "X-Linked-Etag": f'"{sha1(content).hexdigest()}"',
                "X-Linked-Size": str(len(content)),
            }
        self.send(status, headers, b"")

    def refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        self.send(status, {"X-Error-Code": code, **(headers or {})}, b"")

    def tell(self, value: Any) -> None:
        self.send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def send(
        self,
        status: int,
        headers: dict[str, str],
        content: bytes,
        cut: bool = False,
        resumed: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut and (resumed or len(content) >= CUT_FROM):
            # Half of it comes, and whoever resumes gets nothing more.
            content = b"" if resumed else content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)


class StandinHub:
    """The server, as a context manager. `faults` maps repository ids to what goes wrong there."""

    handler = HubHandler

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: dict[str, Fault] = {}
        self.private: set[str] = set()
        self.requests: list[str] = []
        self.tokens: list[str] = []
        """The Authorization headers that came, one a request, empty where there was none."""
        self.sends_on: tuple[Literal["api", "resolve"], int, str] | None = None
        """Calls of this kind are answered with a redirect: its status and the server it names."""
        hub = self

        class Handler(self.handler):  # type: ignore[misc, name-defined]
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StandinHub:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sibling(self, folder: Path, path: Path) -> dict[str, Any]:
        """A file as the hub lists it."""
        return {"rfilename": path.relative_to(folder).as_posix()}

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """This process's environment, led to the stand-in, with a cache of its own and no token."""
        return hub_environment(self.url, home, **more)

    def add(self, kind: Literal["models", "datasets"], id: str, files: dict[str, bytes]) -> str:
        """Write a repository's files (more of them, if it is there already); returns its commit."""
        folder = self.root / kind / id
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return commit_of(folder)

    def add_model(self, id: str, checkpoint: Path) -> str:
        """Lay out a model's repository from a checkpoint directory; returns its commit."""
        folder = self.root / "models" / id
        shutil.copytree(checkpoint, folder, dirs_exist_ok=True)
        (folder / "README.md").write_text("---\nlicense: mit\n---\nA tiny stand-in.\n", "utf-8")
        return commit_of(folder)

    def find(self, kind: str, id: str, revision: str) -> Path | None:
        """The folder of a branch or commit."""
        main = self.root / kind / id
        branches = {"main": main} | {
            path.name.partition("@")[2]: path for path in main.parent.glob(f"{main.name}@*")
        }
        by_commit = {commit_of(path): path for path in branches.values() if path.is_dir()}
        return branches.get(revision) or by_commit.get(revision)


def _entries(folder: Path, under: str, recursive: bool) -> list[dict[str, Any]]:
    """Files and folders as the hub's tree calls list them."""
    base = folder / under
    paths = sorted(base.rglob("*") if recursive else base.iterdir()) if base.is_dir() else []
    return [
        {
            "type": "directory" if path.is_dir() else "file",
            "path": path.relative_to(folder).as_posix(),
            "size": 0 if path.is_dir() else path.stat().st_size,
            "oid": sha1(b"" if path.is_dir() else path.read_bytes()).hexdigest(),
        }
        for path in paths
    ]


_CHILD = """
import importlib, json, sys, time
time.sleep = lambda seconds: None  # the hub's library waits up to 23 s between its attempts
for line in sys.stdin:
    module, function, arguments = json.loads(line)
    answer = getattr(importlib.import_module(module), function)(**arguments)
    print(json.dumps(answer), flush=True)
"""


class FreshProcess:
    """A Python process with an environment of its own that calls functions of test modules."""

    def __init__(self, environment: dict[str, str], errors: Path) -> None:
        self._errors = errors
        paths = [*filter(None, [*sys.path, environment.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors.open("w"),
            text=True,
            cwd=errors.parent,
            env=environment | {"PYTHONPATH": os.pathsep.join(paths)},
        )

    def __enter__(self) -> FreshProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """What the function returns over there; arguments and result go through JSON."""
        assert self._process.stdin and self._process.stdout
        line = json.dumps([function.__module__, function.__name__, arguments])
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(self._errors.read_text("utf-8"))
        return json.loads(answer)


if __name__ == "__main__":
    with StandinHub(Path(sys.argv[1])) as served:
        print(served.url, flush=True)
        threading.Event().wait()
