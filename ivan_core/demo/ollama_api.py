"""Ollama's API: its routes (models, chat and generate, plain or streamed), and the models there."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import CHARACTERS_A_TOKEN, AnswerText, ChatRequest, read_chat, reply_to
from ivan_core.demo.faults import Faults
from ivan_core.demo.wire import Answer, Request, json_answer

INSTALLED = (
    "gemma4:e4b",
    "mistral:7b-instruct-fp16",
    "gemma:7b-instruct-fp16",
    "llama2:13b-instruct-fp16",
    "llama3:8b-instruct-fp16",
)
"""Those that the commands of README and handbook name, so that all of them can be tried."""
_THINKING = ("gemma4", "qwen3.5", "gpt-oss")
_CONTEXT_LENGTH = 32_768
VERSION = "0.18.0"
_DEFAULT_CONTEXT = 4096
_NDJSON = "application/x-ndjson"
_THOUGHT = "Let me look at it closely."
_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_BREAKS = (names.MIDSTREAM_ERROR, names.DROPPED_CONNECTION)
_BROKEN = "an error was encountered while running the model"
_Json = dict[str, object]
_PULL_FAILED = "max retries exceeded: connection reset by peer"


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A model by name: all that is told of it follows from the name."""

    name: str

    @property
    def family(self) -> str:
        return self.name.partition(":")[0].rpartition("/")[2]

    @property
    def thinks(self) -> bool:
        return self.family in _THINKING

    def layers(self) -> tuple[tuple[str, int], ...]:
        """Digest and bytes of the parts that a pull loads."""
        return tuple(
            ("sha256:" + hashlib.sha256(f"{self.name} {part}".encode()).hexdigest(), size)
            for part, size in (("weights", 4_000_000_000), ("template", 2_000))
        )

    def details(self) -> dict[str, object]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": "7B",
            "quantization_level": "F16" if "fp16" in self.name else "Q4_K_M",
        }

    def as_json(self) -> dict[str, object]:
        """The model in a list."""
        return {
            "name": self.name,
            "model": self.name,
            "modified_at": "2026-11-01T12:00:00Z",
            "size": sum(size for _, size in self.layers()),
            "digest": hashlib.sha256(self.name.encode()).hexdigest(),
            "details": self.details(),
        }

    def as_loaded(self) -> dict[str, object]:
        facts = self.as_json()
        del facts["modified_at"]
        return facts | {"expires_at": now(), "size_vram": 0, "context_length": 4096}

    def as_shown(self) -> dict[str, object]:
        """The model by itself, with its context length."""
        return {
            "modelfile": f"FROM {self.name}\n",
            "parameters": "",
            "template": "{{ .Prompt }}",
            "details": self.details(),
            "model_info": {
                "general.architecture": self.family,
                "general.parameter_count": 7_000_000_000,
                f"{self.family}.context_length": _CONTEXT_LENGTH,
            },
            "capabilities": ["completion", *(["thinking"] if self.thinks else [])],
            "modified_at": "2026-11-01T12:00:00Z",
        }


class ModelShelf:
    """Which models are there, and which are loaded; pulling adds one."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._pulled: list[str] = []
        self._loaded: list[str] = []

    def installed(self) -> list[DemoModel]:
        """All models; with the fault "model-missing" only those pulled since."""
        at_first = () if self._faults.is_on(names.MODEL_MISSING) else INSTALLED
        with self._lock:
            return [DemoModel(name) for name in dict.fromkeys((*at_first, *self._pulled))]

    def find(self, name: str) -> DemoModel | None:
        full = _full(name)
        return next((model for model in self.installed() if model.name == full), None)

    def loaded(self) -> list[DemoModel]:
        there = self.installed()
        return [model for model in there if model.name in self._loaded]

    def load(self, model: DemoModel) -> None:
        with self._lock:
            if model.name not in self._loaded:
                self._loaded.append(model.name)

    def add(self, name: str) -> None:
        with self._lock:
            self._pulled.append(_full(name))


def _full(name: str) -> str:
    return name if ":" in name or not name else f"{name}:latest"


class OllamaApi:
    """Answers requests under /api.

    A model is there if it is on the shelf. `pull_seconds` is how long a pull takes; `pause` waits
    that long, or less if the server stops.
    """

    def __init__(
        self,
        faults: Faults,
        answer: AnswerText,
        pull_seconds: float,
        pause: Callable[[float], object],
    ) -> None:
        self.models = ModelShelf(faults)
        self._faults = faults
        self._answer = answer
        self._pull_seconds = pull_seconds
        self._pause = pause

    def respond(self, request: Request) -> Answer:
        match (request.method, request.path):
            case ("GET", "/api/version"):
                return json_answer({"version": VERSION})
            case ("GET", "/api/tags"):
                return json_answer({"models": [m.as_json() for m in self.models.installed()]})
            case ("GET", "/api/ps"):
                return json_answer({"models": [m.as_loaded() for m in self.models.loaded()]})
            case ("POST", "/api/show"):
                return self._show(request.json())
            case ("POST", "/api/pull"):
                return self._pull(request.json())
            case ("POST", "/api/chat" | "/api/generate"):
                return self._speak(request)
        return json_answer({"error": "404 page not found"}, 404)

    def _show(self, body: _Json) -> Answer:
        model = self.models.find(_name(body))
        return _not_found(body) if model is None else json_answer(model.as_shown())

    def _speak(self, request: Request) -> Answer:
        body = request.json()
        busy = self._faults.take(names.BUSY, "POST", request.path)
        if busy is not None:
            return json_answer({"error": _BUSY}, 503)
        model = self.models.find(_name(body))
        if model is None:
            return _not_found(body)
        if body.get("think") not in (None, False) and not model.thinks:
            return json_answer({"error": f'"{model.name}" does not support thinking'}, 400)
        self.models.load(model)
        chat = _chat(request.path, body)
        if chat is None:
            return json_answer(_said(request.path, model, "") | _end("load", 0, 0))
        chat, read = self._as_read(chat, body, request.path)
        fault = self._faults.take_first(names.REPLY_FAULTS, "POST", request.path)
        reply = reply_to(chat, self._answer, fault)
        text = reply.refusal or reply.text
        thought = _THOUGHT if model.thinks and body.get("think") is not False else ""
        # Ollama has no content filter: what OpenAI calls so is an empty reply that just stops.
        end = _end("length" if reply.finish == "length" else "stop", read, reply.tokens)
        if body.get("stream") is False:
            return self._send(request.path, _said(request.path, model, text, thought) | end)
        pieces = _pieces(request.path, model, text, thought)
        return self._send_stream(request.path, [*pieces, _said(request.path, model, "") | end])

    def _as_read(self, chat: ChatRequest, body: _Json, path: str) -> tuple[ChatRequest, int]:
        """The part of the prompt that fits into the context, its end, and its tokens."""
        options = body.get("options")
        context = options.get("num_ctx") if isinstance(options, dict) else None
        room = context if isinstance(context, int) and context > 0 else _DEFAULT_CONTEXT
        tokens = chat.prompt_tokens
        cut = self._faults.take(names.TRUNCATED_PROMPT, "POST", path)
        if cut is not None:
            room = min(room, max(1, int(tokens * cut.amount)))
        if tokens <= room:
            return chat, tokens
        return replace(chat, user=chat.user[-room * CHARACTERS_A_TOKEN :]), room

    def _send(self, path: str, whole: _Json) -> Answer:
        """The reply in one object; maybe broken on its way."""
        fault = self._faults.take_first(_BREAKS, "POST", path)
        if fault is None:
            return json_answer(whole)
        if fault.name == names.MIDSTREAM_ERROR:
            return json_answer({"error": _BROKEN}, 500)
        content = json_answer(whole).body
        return Answer(pieces=[content[: len(content) // 2]], ending="dropped")

    def _send_stream(self, path: str, lines: list[_Json]) -> Answer:
        """The reply line by line; maybe broken after the first."""
        fault = self._faults.take_first(_BREAKS, "POST", path)
        if fault is None:
            return _stream(lines)
        if fault.name == names.MIDSTREAM_ERROR:
            return _stream([lines[0], {"error": _BROKEN}])
        return replace(_stream(lines[:1]), ending="dropped")

    def _pull(self, body: _Json) -> Answer:
        name = _name(body)
        failing = self._faults.take(names.PULL_FAILS, "POST", "/api/pull") is not None
        if body.get("stream") is False:
            if failing:
                return json_answer({"error": _PULL_FAILED}, 500)
            self.models.add(name)
            return json_answer({"status": "success"})
        return Answer(content_type=_NDJSON, pieces=self._pulling(name, failing))

    def _pulling(self, name: str, failing: bool) -> Iterator[bytes]:
        """The progress of a pull, digest by digest."""
        yield _line({"status": "pulling manifest"})
        layers = DemoModel(name).layers()
        steps = 5
        for digest, total in layers:
            for step in range(steps + 1):
                done: _Json = {"status": f"pulling {digest[7:19]}", "digest": digest}
                yield _line(done | {"total": total, "completed": total * step // steps})
                if failing and step == 2:
                    yield _line({"error": _PULL_FAILED})
                    return
                self._pause(self._pull_seconds / (steps + 1) / len(layers))
        yield _line({"status": "verifying sha256 digest"})
        yield _line({"status": "writing manifest"})
        self.models.add(name)
        yield _line({"status": "success"})


def _name(body: Mapping[str, object]) -> str:
    return str(body.get("model") or body.get("name") or "")


def _not_found(body: Mapping[str, object]) -> Answer:
    return json_answer({"error": f"model '{_name(body)}' not found"}, 404)


def _chat(path: str, body: _Json) -> ChatRequest | None:
    """What is asked; None if nothing is, which loads the model."""
    wanted = body.get("format")
    schema = wanted if isinstance(wanted, dict) else {}
    if path == "/api/chat":
        return read_chat(body, schema)
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        return None
    return ChatRequest(_name(body), str(body.get("system") or ""), prompt, schema)


def _said(path: str, model: DemoModel, text: str, thought: str = "") -> _Json:
    """One piece of a reply, in the words of its route."""
    facts: _Json = {"model": model.name, "created_at": now(), "done": False}
    if path == "/api/generate":
        return facts | {"response": text} | ({"thinking": thought} if thought else {})
    message = {"role": "assistant", "content": text}
    return facts | {"message": message | ({"thinking": thought} if thought else {})}


def _pieces(path: str, model: DemoModel, text: str, thought: str) -> Iterator[_Json]:
    """A reply as a stream of pieces, without its end."""
    if thought:
        yield _said(path, model, "", thought)
    size = max(1, -(-len(text) // 4))
    for start in range(0, max(1, len(text)), size):
        yield _said(path, model, text[start : start + size])


def _end(reason: str, prompt_tokens: int, tokens: int) -> _Json:
    return {
        "done": True,
        "done_reason": reason,
        "total_duration": 3_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": prompt_tokens,
        "prompt_eval_duration": 1_000_000,
        "eval_count": tokens,
        "eval_duration": 1_000_000,
    }


def _stream(lines: list[_Json]) -> Answer:
    return Answer(content_type=_NDJSON, pieces=[_line(line) for line in lines])


def _line(value: _Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
