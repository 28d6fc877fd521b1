"""The routes of OpenAI's API: files, batches, chat completions, models."""

from __future__ import annotations

import re

from ivan_core.demo.answers import AnswerText, completion, read_chat, reply_to
from ivan_core.demo.batch_life import BatchLife
from ivan_core.demo.fault_names import REPLY_FAULTS
from ivan_core.demo.faults import Faults
from ivan_core.demo.state import DemoState, StoredBatch, account_of
from ivan_core.demo.wire import Answer, Request, json_answer, read_multipart

MODELS = ("gpt-6-luna", "ivan-demo")
_BATCH_ENDPOINTS = ("/v1/chat/completions",)
_CHAT = "/v1/chat/completions"


class OpenAIApi:
    """Answers requests under /v1; each key and organisation sees only what is its own."""

    def __init__(
        self, state: DemoState, life: BatchLife, faults: Faults, answer: AnswerText
    ) -> None:
        self._state = state
        self._life = life
        self._faults = faults
        self._answer = answer

    def respond(self, request: Request) -> Answer:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return problem(401, "You didn't provide an API key.", code="invalid_api_key")
        account = account_of(key.strip(), request.headers.get("openai-organization", ""))
        parts = request.path.removeprefix("/v1/").strip("/").split("/")
        match (request.method, *parts):
            case ("GET", "models"):
                return json_answer({"object": "list", "data": [_model(name) for name in MODELS]})
            case ("GET", "models", name):
                return json_answer(_model(name))
            case ("POST", "chat", "completions"):
                return self._chat(request)
            case ("POST", "files"):
                return self._upload(request, account)
            case ("GET", "files"):
                return self._list_files(account)
            case (("GET" | "DELETE") as method, "files", file_id):
                return self._file(account, file_id, method)
            case ("GET", "files", file_id, "content"):
                return self._content(account, file_id)
            case ("POST", "batches"):
                return self._create(request, account)
            case ("GET", "batches"):
                return self._list_batches(request, account)
            case ("GET", "batches", batch_id):
                return self._retrieve(account, batch_id)
            case ("POST", "batches", batch_id, "cancel"):
                return self._cancel(account, batch_id)
        return problem(404, f"Unknown request URL: {request.method} {request.path}.")

    def _chat(self, request: Request) -> Answer:
        body = request.json()
        chat = read_chat(body)
        if chat is None or not chat.model:
            missing = "model" if chat is not None else "messages"
            return problem(400, f"Missing required parameter: '{missing}'.", param=missing)
        if body.get("stream"):
            return problem(400, "The demo server does not stream this.", param="stream")
        fault = self._faults.take_first(REPLY_FAULTS, "POST", _CHAT)
        return json_answer(completion(chat, reply_to(chat, self._answer, fault)))

    def _upload(self, request: Request, account: str) -> Answer:
        fields = read_multipart(request.headers.get("content-type", ""), request.body)
        purpose, upload = fields.get("purpose"), fields.get("file")
        if upload is None or purpose is None:
            missing = "file" if upload is None else "purpose"
            return problem(400, f"Missing required parameter: '{missing}'.", param=missing)
        stored = self._state.add_file(
            account, upload.filename, purpose.content.decode("utf-8", "replace"), upload.content
        )
        return json_answer(stored.as_json())

    def _list_files(self, account: str) -> Answer:
        mine = [f.as_json() for f in list(self._state.files.values()) if f.account == account]
        return json_answer({"object": "list", "data": mine[::-1], "has_more": False})

    def _file(self, account: str, file_id: str, method: str) -> Answer:
        found = self._state.file(account, file_id)
        if found is None:
            return _no_file(file_id)
        if method == "GET":
            return json_answer(found.as_json())
        with self._state.lock:
            self._state.files.pop(file_id, None)
            self._state.save()
        return json_answer({"id": file_id, "object": "file", "deleted": True})

    def _content(self, account: str, file_id: str) -> Answer:
        found = self._state.file(account, file_id)
        if found is None:
            return _no_file(file_id)
        return Answer(body=found.content, content_type="application/octet-stream")

    def _create(self, request: Request, account: str) -> Answer:
        body = request.json()
        file_id, metadata = body.get("input_file_id"), body.get("metadata")
        if body.get("completion_window") != "24h":
            return problem(400, "completion_window must be '24h'.", param="completion_window")
        if body.get("endpoint") not in _BATCH_ENDPOINTS:
            return problem(400, "The demo server runs /v1/chat/completions.", param="endpoint")
        if not isinstance(file_id, str) or self._state.file(account, file_id) is None:
            return problem(400, f"Invalid input_file_id: {file_id!r}.", param="input_file_id")
        if metadata is not None and not _is_metadata(metadata):
            said = "metadata is at most 16 pairs of strings, 64 characters to 512."
            return problem(400, said, param="metadata")
        assert metadata is None or isinstance(metadata, dict)
        batch = self._state.add_batch(account, str(body["endpoint"]), file_id, metadata)
        shown = batch.as_json()
        self._life.created(batch)
        return json_answer(shown)

    def _list_batches(self, request: Request, account: str) -> Answer:
        after = request.query.get("after", "")
        given = request.query.get("limit", "20")
        if not re.fullmatch(r"\d{1,3}", given) or not 1 <= int(given) <= 100:
            return problem(400, "limit is between 1 and 100.", param="limit")
        seen = [b for b in self._state.newest_first(account) if not self._hidden(b, after)]
        ids = [batch.id for batch in seen]
        start = ids.index(after) + 1 if after in ids else 0
        page = seen[start : start + int(given)]
        return json_answer(
            {
                "object": "list",
                "data": [batch.as_json() for batch in page],
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
                "has_more": start + len(page) < len(seen),
            }
        )

    def _hidden(self, batch: StoredBatch, after: str) -> bool:
        """Whether a list does not show the batch yet; a first page counts as one list."""
        with self._state.lock:
            hidden = batch.hidden_lists > 0
            if hidden and not after:
                batch.hidden_lists -= 1
            return hidden

    def _retrieve(self, account: str, batch_id: str) -> Answer:
        batch = self._state.batch(account, batch_id)
        if batch is None:
            return _no_batch(batch_id)
        self._life.retrieved(batch)
        with self._state.lock:
            return json_answer(batch.as_json())

    def _cancel(self, account: str, batch_id: str) -> Answer:
        batch = self._state.batch(account, batch_id)
        if batch is None:
            return _no_batch(batch_id)
        with self._state.lock:
            if batch.ended:
                said = f"Cannot cancel a batch with status '{batch.status}'."
                return problem(409, said)
            self._life.cancel(batch)
            return json_answer(batch.as_json())


def problem(status: int, message: str, code: str | None = None, param: str | None = None) -> Answer:
    """An error in OpenAI's shape."""
    error = {
        "message": message,
        "type": "server_error" if status >= 500 else "invalid_request_error",
        "param": param,
        "code": code,
    }
    return json_answer({"error": error}, status)


def _no_file(file_id: str) -> Answer:
    return problem(404, f"No such File object: {file_id}", param="id")


def _no_batch(batch_id: str) -> Answer:
    return problem(404, f"No batch found with id '{batch_id}'.")


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "ivan-demo"}


def _is_metadata(given: object) -> bool:
    return (
        isinstance(given, dict)
        and len(given) <= 16
        and all(
            len(name) <= 64 and isinstance(value, str) and len(value) <= 512
            for name, value in given.items()
        )
    )
