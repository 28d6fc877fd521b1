"""A warm worker with fake models: `python fake_warm.py`, told by the environment."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from fakes import SETTING, FakeRewardModel, Fakes

from ivan_core.runs.questions import AskedModel, Questions
from ivan_core.settings import data_dir
from ivan_core.warm import IDLE_SECONDS, serve

PID = "fake.pid"


def loader(fakes: Fakes) -> Callable[[AskedModel], FakeRewardModel]:
    """The fakes as the warm worker wants its models."""

    def load(asked: AskedModel) -> FakeRewardModel:
        if fakes.hangs_loading:
            time.sleep(3600)
        return FakeRewardModel(asked.name, fakes)

    return load


if __name__ == "__main__":
    (data_dir() / PID).write_text(str(os.getpid()))
    told = Fakes(**json.loads(os.environ.get(SETTING, "{}")))
    idle = float(os.environ.get("IVAN_WARM_IDLE", IDLE_SECONDS))
    serve(Questions(data_dir()), loader(told), idle)
