"""One folder an experiment; a file of one name does the same in each of them.

Here are all experiments by name, as modules that are imported when they are met: see
`engine/kind.py`.
"""

EXPERIMENTS = {
    "compare": "ivan_core.experiments.compare.kind",
    "labels": "ivan_core.experiments.labels.kind",
    "taxonomy": "ivan_core.experiments.batches.kind",
    "rewrite": "ivan_core.experiments.rewrite.kind",
}
"""The kinds of runs that people start, each a module whose `KIND` says what it is, by stage."""
READING = {"column": "ivan_core.experiments.columns.kind"}
"""Kinds of runs that are a part of reading the results of others, likewise."""
CONDITIONS = {
    "compare": "ivan_core.experiments.compare.conditions",
    "labels": "ivan_core.experiments.labels.conditions",
    "rewrite": "ivan_core.experiments.rewrite.conditions",
    "people": "ivan_core.review.conditions",
}
"""Who has conditions on rows, each a module whose `LANGUAGE` is imported when it is asked for."""
CSVS = {
    "compare": "ivan_core.experiments.compare.import_csv",
    "labels": "ivan_core.experiments.labels.import_csv",
    "rewrite": "ivan_core.experiments.rewrite.import_csv",
}
"""Kinds of runs that can be entered from CSV files, each a module whose `CSVS` says how."""
