"""One folder an experiment; a file of one name does the same in each of them.

Here are all experiments by name, as modules that are imported when they are met: see
`engine/kind.py`.
"""

EXPERIMENTS = {
    "compare": "ivan_core.experiments.compare.kind",
    "labels": "ivan_core.experiments.labels.kind",
    "taxonomy": "ivan_core.experiments.batches.kind",
    "rewrite": "ivan_core.experiments.rewrite.kind",
    "analysis": "ivan_core.experiments.analysis.kind",
}
"""The kinds of runs that people start, each a module whose `KIND` says what it is, by stage."""
READING = {"column": "ivan_core.experiments.columns.kind"}
"""Kinds of runs that are a part of reading the results of others, likewise."""
