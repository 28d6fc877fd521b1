"""A rewording of hostile texts by a hostile model, judged by models with hostile names."""

from __future__ import annotations

from pathlib import Path

from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here

from given import hostile, made_runs
from ivan_core.domain.models import ModelReply
from ivan_core.domain.rewriting import RewriteRequest


def made(data_dir: Path, folder: Path, leak: str) -> tuple[str, str]:
    """A finished run; returns its id and the first model's name.

    `leak` is an address that nothing may ask for. Of three rows one is reworded, one gets a remark
    around it and one an answer that is none.
    """
    texts = hostile.texts(leak)
    rows = [
        {
            "chosen": f"\n\nHuman: {text} why\n\nAssistant: Well, {text}",
            "rejected": f"\n\nHuman: {text} why\n\nAssistant: Well, no {text}",
        }
        for text in texts
    ]
    file = made_runs.write_rows(folder / "$x$ ![i](x) <b>hostile<img src=x>.jsonl", rows)

    def answer(request: RewriteRequest) -> str | ModelReply:
        text = texts[request.key.row_id]
        if request.key.row_id % 3 == 0 and request.key.role == "reply":
            return f"Sure, here it is: {text}"
        if request.key.row_id % 3 == 1 and request.key.side == "rejected":
            return ModelReply(problem=f"The server said {text[:80]}.")
        return request.text.replace("why", "and why so").replace("Well", "Now then")

    model = f"![n]({leak}/n) <img src={leak}/m> $x$ :red[r]"
    run_id = added(data_dir, spec_of(file, models=(model, "fake/two")))
    work_here(data_dir, run_id, fake_tools(FakeRewriter(answer), Fakes(silent=True)))
    return run_id, model
