"""The other replies to the prompt of a pair, where its row has several: a list by reward."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ivan_core.domain.words import short_names
from ivan_core.experiments.compare.published.prompt import answers_of
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.margin_words import MOST_TOLD
from pages.components.kit.list import Column, page_table
from pages.components.kit.results import pick_model
from pages.components.kit.state import PAIRS, address, kept_filter
from pages.components.kit.text import say


def replies_of_prompt(results: Results, row: int) -> None:
    """Draw all replies to the prompt of a pair by reward; nothing where it has two."""
    if not answers_of(results, row, results.models[0]):
        return
    st.subheader("All replies to this prompt", anchor=False)
    model = pick_model(results.models, "prompt-model")
    answers = answers_of(results, row, model)
    top = answers[0]
    if model in top.rewards and all(model in one.rewards for one in answers):
        shared = [one for one in answers if one.rewards[model] == top.rewards[model]]
        which = "a right" if top.right else "a wrong"
        told = f"{model} rewards {which} reply most."
        if len(shared) > 1:
            told = f"{model} gives {len(shared)} of {len(answers)} replies its highest reward."
        say(told)
    names = short_names(results.models)
    shown = results.models if len(results.models) <= MOST_TOLD else (model,)
    table = pd.DataFrame(
        [
            {
                "reply": one.place + 1,
                "right": "right" if one.right else "wrong",
                **{name: one.rewards.get(name, float("nan")) for name in shown},
                "text": one.text,
            }
            for one in answers
        ]
    )
    columns = {
        "reply": Column("Reply", "Its place in the row of the dataset."),
        "right": Column("In the data"),
        **{name: Column(names[name], "The reward.", decimals=2) for name in shown},
        "text": Column("Reply of the assistant"),
    }
    links = [address(PAIRS, _to(results, one.row_id)) for one in answers]
    alt = "All replies to this prompt; select one to read a pair that it stands in"
    picked = page_table(table, columns, key=f"prompt-{row}", alt=alt, links=links)
    say("Click a reply to read a pair that it stands in.", "small", quiet=True)
    if picked is not None:
        st.switch_page(PAIRS, query_params=_to(results, answers[picked].row_id))


def _to(results: Results, row: int) -> dict[str, str]:
    run_id = results.run.id
    return {"run": run_id, **kept_filter(run_id), "row": str(row)}
