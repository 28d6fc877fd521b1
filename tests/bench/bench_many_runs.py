"""How long pages and commands take with many runs: `python bench_many_runs.py FOLDER [COUNT]`.

Makes COUNT runs (10,000) in a new folder, unless it is there: comparisons of the sample, most of
them finished, labellings, searches. Then it times Home, Review and Runs, the first visit and three
reruns, and the lists of the command line, and prints JSON. Seconds are of the clock and of this
process: compare the latter on a busy machine.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1]), str(HERE.parents[1] / "pages")]
PAGES = ("streamlit_app.py", "pages/review.py", "pages/runs.py")
START = 1_700_000_000


def make(data_dir: Path, count: int) -> None:
    """Copies of one comparison and one labelling, as so many runs."""
    from given import made_runs

    from ivan_core.domain.runs import RunState
    from ivan_core.domain.specs import LabelSpec
    from ivan_core.domain.user_columns import ColumnSpec
    from ivan_core.runs.registry import Registry
    from ivan_core.worker import work

    registry = Registry(data_dir)
    compared = made_runs.finished(data_dir, made_runs.spec_of_sample())
    asked = LabelSpec(limit=100)
    labelled, _ = registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(registry, labelled)
    dataset = json.loads((registry.folder(compared) / "manifest.json").read_text())["dataset"]
    search = ColumnSpec(
        dataset=dataset["fingerprint"], form="search", expression="word", over="text"
    )
    rows = []
    for number in range(count - 2):
        created = START + 61 * number
        run_id = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d-%H-%M-%S")
        kind, source = "compare", compared
        spec: object = made_runs.spec_of_sample(seed=number)
        state = RunState.FAILED if number % 20 == 1 else RunState.DONE
        if number % 20 == 2:
            kind, source, spec = "labels", labelled, LabelSpec(limit=100, seed=number)
        elif number % 20 == 3:
            kind, source, spec = "column", "", search
        rows.append(
            (
                run_id,
                kind,
                spec.model_dump_json(),
                spec.fingerprint,
                state,
                created,  # type: ignore[attr-defined]
                created,
                created + 60,
                960,
                960,
            )
        )
        if source and state is RunState.DONE:
            folder = registry.folder(run_id)
            folder.mkdir()
            for path in registry.folder(source).iterdir():
                if path.suffix in (".json", ".jsonl", ".parquet"):
                    os.link(path, folder / path.name)
    with registry._file.writing() as db:
        db.executemany(
            "INSERT INTO runs (id, kind, spec, fingerprint, state, created, started, finished, "
            "done, total) VALUES (?,?,?,?,?,?,?,?,?,?)",
            rows,
        )


def timed(work: Callable[[], object]) -> dict[str, float]:
    clock, used = perf_counter(), process_time()
    work()
    return {"seconds": round(perf_counter() - clock, 3), "cpu": round(process_time() - used, 3)}


def pages() -> dict[str, object]:
    from streamlit.testing.v1 import AppTest

    found: dict[str, object] = {}
    for page in PAGES:
        app = AppTest.from_file(str(HERE.parents[2] / PAGES[0]), default_timeout=300)
        if page != PAGES[0]:
            app.switch_page(page)
        first = timed(app.run)
        assert not app.exception, app.exception[0].value
        again = [timed(app.run) for _ in range(3)]
        found[page] = {"first visit": first, "reruns": again}
    return found


def commands() -> dict[str, object]:
    from ivan_core.cli.main import run

    found = {}
    for words in (
        ["runs", "list"],
        ["runs", "show", datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%d-%H-%M-%S")],
    ):
        with redirect_stdout(io.StringIO()):
            found[" ".join(words[:2])] = timed(lambda words=words: run(words))  # type: ignore[misc]
    return found


def main() -> None:
    data_dir = Path(sys.argv[1]).absolute()
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    if not data_dir.exists():
        make(data_dir, int(sys.argv[2]) if sys.argv[2:] else 10_000)
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"load": load, "commands": commands(), "pages": pages()}, indent=1))


if __name__ == "__main__":
    main()
