"""A word count at work: units of ten pairs, a table, a CSV, and last the manifest."""

import pandas as pd

from given.word_counts.kind import WordsSpec
from ivan_core.datasets.chosen_rows import seeded_chunks
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.work import Job, begin, write_results

TABLE = "words.parquet"


def work_words(job: Job[WordsSpec]) -> None:
    def count(side: Dialogue) -> int:
        return sum(len(word) >= job.spec.least for word in side.printed.split())

    context, begun = job.context, begin(job.context, job.spec, lambda rows: 10)
    dataset, done = begun.dataset, 0
    context.note(begun.notes)
    context.plan(total=len(begun.choice.row_ids), done=0)
    for step, chunk in enumerate(seeded_chunks(begun.choice.row_ids, job.spec.seed, begun.chunk)):
        if (key := f"words|{step}") not in context.parts:
            for_each = ((pair.row_id, pair.chosen, pair.rejected) for pair in dataset.pairs(chunk))
            context.parts.append(key, [[row, *map(count, sides)] for row, *sides in for_each])
        done += len(chunk)
        context.finished(done, len(chunk), [])
    table, name = words_of(dict(context.parts.all())), f"words/{context.id}.csv"
    (context.data_dir / "words").mkdir(exist_ok=True)
    table.to_csv(context.data_dir / name, index=False)
    write_results(job, begun, tables={TABLE: table}, files=[name], facts={})


def words_of(units: dict[str, list[list[int]]]) -> pd.DataFrame:
    rows = [row for key, rows in units.items() if key.startswith("words|") for row in rows]
    return pd.DataFrame(rows, columns=["row_id", "chosen", "rejected"]).sort_values("row_id")
