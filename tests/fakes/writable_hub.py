"""A stand-in hub that takes datasets: it makes repositories, and commits files into them.

Large files go to a storage of their own, as on the hub: another server, which `storage` names.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from fakes.hub import HubHandler, StandinHub, commit_of

LARGE = 4_000
"""Bytes from which on a file goes to the storage."""
_CALLS = {
    "create": r"/api/repos/create",
    "card": r"/api/validate-yaml",
    "preupload": r"/api/datasets/([^/]+/[^/]+)/preupload/main",
    "batch": r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch",
    "commit": r"/api/datasets/([^/]+/[^/]+)/commit/main",
    "upload": r"/upload/([0-9a-f]{64})",
    "verify": r"/verify",
}


IN_THE_MIDDLE = -1


@dataclass(frozen=True)
class Refusal:
    """What a call is answered with in place of what it asks for.

    0 hangs up in place of an answer, `IN_THE_MIDDLE` before all has come.
    """

    status: int
    said: dict[str, Any] | None = None
    where: str = ""
    code: str = ""


class WritingHandler(HubHandler):
    def do_PUT(self) -> None:
        refusal = self.hub.refusals.get("upload")
        if refusal is not None and refusal.status == IN_THE_MIDDLE:
            self.rfile.read(100)
            self.close_connection = True
            return
        self.do_POST()

    def answer_more(self, path: str, body: bytes) -> bool:
        for call, pattern in _CALLS.items():
            found = re.fullmatch(pattern, path)
            if found and self.command in ("POST", "PUT"):
                refusal = self.hub.refusals.get(call)
                if refusal is not None:
                    self._refuse_as(refusal)
                else:
                    getattr(self, f"_{call}")(*found.groups(), body)
                return True
        return False

    def _refuse_as(self, refusal: Refusal) -> None:
        if not refusal.status:
            self.close_connection = True
            return
        headers = {"X-Error-Code": refusal.code} if refusal.code else {}
        if refusal.where:
            headers["Location"] = refusal.where + self.path
        said = refusal.said or {}
        if message := said.get("error"):
            headers["X-Error-Message"] = re.sub(r"[^ -~]", "?", str(message))
        headers["Content-Type"] = "application/json"
        self.send(refusal.status, headers, json.dumps(said).encode())

    def _create(self, body: bytes) -> None:
        asked = json.loads(body)
        id = f"{asked['organization']}/{asked['name']}"
        folder = self.hub.root / "datasets" / id
        if folder.is_dir():
            return self.send(409, {}, b"{}")
        folder.mkdir(parents=True)
        if asked.get("visibility", "public") == "private" and not self.hub.careless:
            self.hub.private.add(id)
        return self.tell({"url": f"{self.hub.url}/datasets/{id}"})

    def _card(self, body: bytes) -> None:
        content = json.loads(body)["content"]
        assert re.match(r"---\n(.*?)\n---\n", content, re.S), "the card has no head"
        self.tell({"errors": [], "warnings": self.hub.warnings})

    def _preupload(self, id: str, body: bytes) -> None:
        modes = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["size"] >= LARGE else "regular",
                "shouldIgnore": False,
            }
            for one in json.loads(body)["files"]
        ]
        self.tell({"files": modes})

    def _batch(self, id: str, body: bytes) -> None:
        storage = self.hub.storage or self.hub.url
        objects = [
            {
                **one,
                "actions": {
                    "upload": {"href": f"{storage}/upload/{one['oid']}", "header": {}},
                    "verify": {"href": f"{storage}/verify", "header": {}},
                },
            }
            for one in json.loads(body)["objects"]
        ]
        self.tell({"transfer": "basic", "objects": objects})

    def _upload(self, oid: str, body: bytes) -> None:
        assert sha256(body).hexdigest() == oid
        self.hub.large[oid] = body
        self.tell({})

    def _verify(self, body: bytes) -> None:
        self.tell({})

    def _commit(self, id: str, body: bytes) -> None:
        folder = self.hub.root / "datasets" / id
        lines = [json.loads(line) for line in body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit", commit_of(folder)) != commit_of(folder):
            return self.send(412, {}, b"{}")
        self.hub.commits.append(lines)
        for line in lines[1:]:
            value = line["value"]
            path = folder / value["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            if line["key"] == "file":
                path.write_bytes(base64.b64decode(value["content"]))
            else:
                assert line["key"] == "lfsFile", "nothing is deleted"
                path.write_bytes(self.hub.large[value["oid"]])
        oid = commit_of(folder)
        if self.hub.loses_answer:
            self.close_connection = True
            return None
        url = self.hub.says_url or f"{self.hub.url}/datasets/{id}/commit/{oid}"
        return self.tell({"commitUrl": url, "commitOid": self.hub.says_commit or oid})


class WritableHub(StandinHub):
    """The server. `refusals` maps calls, by their names above, to what they are answered with."""

    handler = WritingHandler

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.refusals: dict[str, Refusal] = {}
        self.storage = ""
        self.large: dict[str, bytes] = {}
        self.commits: list[list[dict[str, Any]]] = []
        self.warnings: list[dict[str, str]] = []
        self.says_url = self.says_commit = ""
        self.loses_answer = False
        """Whether it hangs up once a commit is made."""
        self.careless = False
        """Whether it makes public what was to be private."""

    def sibling(self, folder: Path, path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        listed: dict[str, Any] = {
            "rfilename": path.relative_to(folder).as_posix(),
            "size": len(content),
            "blobId": sha1(b"blob %d\0" % len(content) + content).hexdigest(),
        }
        if len(content) >= LARGE:
            listed["blobId"] = sha1(b"a pointer").hexdigest()
            listed["lfs"] = {
                "sha256": sha256(content).hexdigest(),
                "size": len(content),
                "pointerSize": 130,
            }
        return listed
