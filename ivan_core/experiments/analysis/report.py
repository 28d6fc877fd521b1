"""What an analysis found, printed."""

from __future__ import annotations

from typing import TextIO

from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.sentences.beside import found_sentence, taught_sentence
from ivan_core.experiments.analysis.sentences.breaks import rewording_quotes
from ivan_core.experiments.analysis.sentences.looks import second_look_sentence
from ivan_core.experiments.analysis.sentences.missing import missing_tables
from ivan_core.experiments.analysis.sentences.noise import (
    labeler_sentence,
    reviewed_sentence,
    used_sentence,
)
from ivan_core.experiments.analysis.sentences.rewards import explained_sentence, shown_effects
from ivan_core.experiments.analysis.sentences.several import (
    alike_sentence,
    interaction_sentences,
    two_models,
)
from ivan_core.experiments.analysis.sentences.words import titled
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.settings import data_dir


def print_analysis(run_id: str, out: TextIO) -> None:
    """Print what each model rewards by each labeler, what is missing, and the files."""
    found = open_analysis(run_id)
    for who in found.labelers:
        print(f"\n{labeler_sentence(found, who)}", file=out)
        print(reviewed_sentence(found, who.run_id), file=out)
        for model in found.models:
            print(f"\n{explained_sentence(found, model, who.run_id)}", file=out)
            print(used_sentence(found, model, who.run_id), file=out)
            control = found.spec.control
            if taught := taught_sentence(found, model, who.run_id):
                print(f"{found_sentence(found, who.run_id)} {taught}", file=out)
            for row in shown_effects(found, who.run_id, "together", control, model).to_dict(
                "records"
            ):
                name = TITLES.get(row["feature"], row["feature"])
                print(f"  {name:<28}{_numbers(row)}", file=out)
        for model, before in two_models(found):
            print(f"\n{alike_sentence(found, model, before, who.run_id)}", file=out)
        for told in interaction_sentences(found, who.run_id):
            print(f"\n{told}", file=out)
    print(f"\n{second_look_sentence(found)}", file=out)
    for quote in rewording_quotes(found):
        print(f"\n{quote.sentence}", file=out)
    print("", *missing_tables(found), sep="\n", file=out)
    print("\nFiles:", file=out)
    for name in found.manifest["files"]:
        print(f"  {data_dir() / name}", file=out)


def _numbers(row: dict[str, float]) -> str:
    if row["why"]:
        return titled(str(row["why"]))
    ends = interval_text(row["low"], row["high"], 2, signed=True)
    return f"{number_text(row['estimate'], 2, signed=True)} {ends}  {row['clear']}"
