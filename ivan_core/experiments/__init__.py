"""One folder an experiment; a file of one name does the same in each of them."""

CONDITIONS = {
    "compare": "ivan_core.experiments.compare.conditions",
    "rewrite": "ivan_core.experiments.rewrite.conditions",
}
"""Who has conditions on rows, each a module whose `LANGUAGE` is imported when it is asked for."""
