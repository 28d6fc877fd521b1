"""The routes of Ollama's API."""

from __future__ import annotations

from ivan_core.demo.answers import AnswerText
from ivan_core.demo.faults import Faults
from ivan_core.demo.wire import Answer, Request, json_answer


class OllamaApi:
    """Answers requests under /api."""

    def __init__(self, faults: Faults, answer: AnswerText) -> None:
        self._faults = faults
        self._answer = answer

    def respond(self, request: Request) -> Answer:
        return json_answer({"error": "not found"}, 404)
