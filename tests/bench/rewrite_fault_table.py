"""Prints the fault table of rewording as Markdown: each fault, what a person sees, how it ends.

    python tests/bench/rewrite_fault_table.py

Three pairs (six texts, nine pieces) are reworded through the real Ollama client by the demo server,
which has one fault in every answer, or in all but the first four. Then the fault is mended, and a
run that failed is resumed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.rewriting import spec_of
from given.made_runs import write_rows
from given.support import settings_of
from test_rewrite_ollama import CHAT, MODEL, work_with_ollama

from ivan_core.backends.ollama import client as ollama_client
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import Run, RunState
from ivan_core.experiments.rewrite.results import open_rewrite

PAIRS = 3


@dataclass(frozen=True)
class Case:
    """A fault, for which requests it is there, and what it is called."""

    name: str
    fault: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("server absent"),
    Case("model missing", names.MODEL_MISSING),
    Case("timeout, always", names.TIMEOUT, CHAT),
    Case("timeout, mid-run", names.TIMEOUT, {**CHAT, "skip": 4}),
    Case("timeout, once", names.TIMEOUT, {**CHAT, "skip": 4, "times": 1}),
    Case("connection dropped mid-run", names.DROPPED_CONNECTION, {**CHAT, "skip": 4}),
    Case("queue full, once", names.BUSY, {**CHAT, "times": 1}),
    Case("remarks around the answer", names.CHATTY, CHAT),
    Case("remarks, once", names.CHATTY, {**CHAT, "times": 1}),
    Case("roles swapped", names.SWAPPED_ROLES, CHAT),
    Case("roles dropped", names.DROPPED_ROLES, CHAT),
    Case("empty reply", names.EMPTY_REPLY, CHAT),
    Case("identical reply", names.IDENTICAL_REPLY, CHAT),
    Case("thinking aloud", names.THINKING, CHAT),
    Case("answer cut off", names.LENGTH, CHAT),
    Case("prompt silently truncated", names.TRUNCATED_PROMPT, {**CHAT, "amount": 0.3}),
)


def row(case: Case) -> str:
    """One line of the table."""
    with (
        TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        DemoServer() as server,
    ):
        data = settings_of(patch, Path(folder))
        patch.setenv(ollama_client.TIMEOUT, "1")
        patch.setenv(ollama_client.HOST, server.ollama_url if case.fault else "http://127.0.0.1:9")
        if case.fault:
            server.faults.set(case.fault, **case.settings)
        asks = [f"\n\nHuman: Can you help with {n}?\n\nAssistant:" for n in range(PAIRS)]
        rows = [
            {"chosen": f"{ask} I think you get {n} here.", "rejected": f"{ask} It's big, {n}."}
            for n, ask in enumerate(asks)
        ]
        spec = spec_of(
            write_rows(Path(folder) / "pairs.jsonl", rows), rewriter=MODEL, labeler="", second=False
        )
        run = work_with_ollama(data, spec)
        seen = told(run)
        after = "not needed"
        if run.state is not RunState.DONE:
            server.faults.clear()
            patch.setenv(ollama_client.HOST, server.ollama_url)
            if case.fault == names.MODEL_MISSING:
                from ivan_core.engine import machine

                machine.pull(MODEL, lambda *_: None)
            after = told(work_with_ollama(data, spec, run.id))
        said = f"| {case.name} | {seen} | {after} |".replace(server.ollama_url, "http://the-server")
        return said.replace(server.ollama_url.removeprefix("http://"), "the-server")


def told(run: Run) -> str:
    """How a run ended, and the words that its page and `ivan runs show` have for it."""
    if run.state is not RunState.DONE:
        return f"{run.state}: {run.problem} {run.hint}".replace("|", "/")
    results = open_rewrite(run.id)
    there, texts = results.texts_reworded
    reasons = "".join(f"; {count} {reason}" for reason, count in results.reasons)
    return f"{run.state}: {there} of {texts} texts reworded{reasons}"


def main() -> None:
    print("| fault | how the run ends, and what the person sees | after it is mended: Resume |")
    print("|---|---|---|")
    for case in CASES:
        print(row(case), flush=True)


if __name__ == "__main__":
    main()
