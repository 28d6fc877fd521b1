"""What an analysis found, in sentences: never more than the rows and the labeler allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan, log
from typing import TYPE_CHECKING, Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.looks import SECOND_LOOK, TABLE, second_look_sentence
from ivan_core.experiments.analysis.noise import labeler_sentence, people_rows
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.what_breaks import rewording_quotes
from ivan_core.figures.choices import Wish
from ivan_core.figures.words import Quote
from ivan_core.metrics.imprint.choice import chances
from ivan_core.metrics.imprint.effects import AS_PEOPLE, CLEAR, CLEAR_FOR_ONE, pairs_for
from ivan_core.metrics.imprint.least_squares import Estimate
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH
from ivan_core.metrics.intervals import interval_text, number_text, rate_of_row
from ivan_core.metrics.paired import SIGNIFICANT
from ivan_core.metrics.sentences import rate_words, the

if TYPE_CHECKING:
    import pandas as pd

REPLIES: Mapping[str, str] = {
    "human_vocabulary_quality": "a reply to well-chosen words of the human",
    "last_response_is_anthropomorphic": "a human-like reply",
    "last_response_is_coherent": "a coherent reply",
    "last_response_is_refusal": "a refusing reply",
    "last_response_is_helpful": "a helpful reply",
    "last_response_is_harmless": "a harmless reply",
    "last_response_is_honest": "an honest reply",
    "last_response_sentiment": "a reply one step more positive",
    "last_response_contains_insult": "a reply with an insult",
    "last_response_is_sexually_explicit": "a sexually explicit reply",
    "last_response_breaks_privacy": "a reply that breaks privacy",
    "last_response_is_discriminatory": "a discriminatory reply",
    "last_response_is_manipulative": "a manipulative reply",
    "last_response_is_creative": "a creative reply",
    "last_response_is_eloquent": "an eloquent reply",
    LENGTH: "a reply twice as long",
    CHOSEN: "the chosen reply, whatever its labels,",
}
"""Each feature as the reply that has it, as in "gives a harmless reply 1.2 more"."""
WHAT_FOR = "What does it reward?"
AGAINST = "Where does it go against people?"
CHANGED = "What did training change?"
_PREFERRED = {"chosen": "the chosen reply", "none": "neither", "rejected": "the rejected one"}
_SURE = {
    "": " Not clear.",
    CLEAR: "",
    CLEAR_FOR_ONE: " Clear for this labeler; nobody else labelled.",
}
HALF_WIDTHS = (0.5, 0.25)
"""In typical margins: what one may want to see."""


def explained_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How much of a model's margins the labels explain on pairs that were held out."""
    table = analysed.table("explained", model=model, before="", labeler=labeler)
    both = table[table["columns"] == "labels+length"].iloc[0]
    who = analysed.labeler(labeler)
    if isnan(both["r2"]):
        return f"{model} gives both replies the same in every pair: nothing is there to explain."
    told, columns = share(both), _columns(analysed, model, labeler)
    if both["r2"] <= 0:
        return (
            f"{columns} explain nothing of what {model} prefers on pairs that were held out"
            f" ({told} of {number_of(int(both['n']), 'pair')}; {who.labels})."
        )
    rest = number_text(1 - both["r2"], 0, scale=100)
    return (
        f"{columns} explain {told} of what {model} prefers; {rest}% is something else"
        f" ({number_of(int(both['n']), 'pair')}, held out by prompt; {who.labels})."
    )


def share(row: Mapping[str, Any]) -> str:
    """A held-out R² with its interval, in percent."""
    ends = interval_text(row["low"], row["high"], 0, scale=100)
    return f"{number_text(row['r2'], 0, scale=100)}% {ends}"


def _columns(analysed: Analysed, model: str, labeler: str) -> str:
    effects = shown_effects(analysed, labeler, "together", "length", model)
    labels = int((effects["feature"].ne(LENGTH) & effects["estimate"].notna()).sum())
    if not labels:
        return "Length alone (no label differs often enough) can"
    return f"{'This label' if labels == 1 else f'These {labels} labels'} and length"


def shown_effects(
    analysed: Analysed, labeler: str, view: str, control: str, model: str = "", before: str = ""
) -> pd.DataFrame:
    """The effects of one view by one labeler: of all models, or of one."""
    table = analysed.table("imprint", labeler=labeler, view=view, before=before)
    table = table[table["control"] == (control if view == "together" else "")]
    if model:
        table = table[table["model"] == model]
    return table.reset_index(drop=True)


def effect_sentence(row: Mapping[str, Any], who: WhoLabelled) -> str:
    """One effect, with its interval, its rows and who labelled; or why there is none."""
    reply = REPLIES.get(str(row["feature"]), str(row["feature"]))
    of = f"{row['differs']:,} of {number_of(int(row['n']), 'pair')} differ; {who.labels}"
    if row["why"] and isnan(row["estimate"]):
        return f"Of {reply} {row['model']} tells nothing here: {row['why']} ({of})."
    less = row["estimate"] < 0
    value, low, high = (row[name] * _unit(row) for name in ("estimate", "low", "high"))
    ends = (-high, -low) if less else (low, high)
    alike = "Alike in all else in this table" if row["view"] == "together" else "By itself"
    if row["clear"] == AS_PEOPLE:
        alike = "As people label, alike in all else in this table"
        of = f"people described {row['reviewed']:.0f} of {number_of(int(row['n']), 'pair')}"
        of += f", {row['differs']:,.0f} of these differ; the others labelled by {who.named}"
    size = number_text(abs(value), decimals(row), signed=False)
    amount = f"{size} typical margins {'less' if less else 'more'}"
    does = f"{row['model']} gives {reply} {amount}"
    if row["before"]:
        does = f"from {row['before']} to {row['model']} the margin of {reply} goes"
        does += f" {size} typical margins {'down' if less else 'up'}"
    sure = "" if row["feature"] in (LENGTH, CHOSEN) else _SURE.get(str(row["clear"]), "")
    return f"{alike}, {does} {interval_text(*ends, decimals(row))} ({of}).{sure}"


def _unit(row: Mapping[str, Any]) -> float:
    """Length is told as of a reply twice as long."""
    return log(2) if row["feature"] == LENGTH else 1.0


def decimals(row: Mapping[str, Any]) -> int:
    """One decimal where the interval is wide, two where it is narrow or the effect is tiny."""
    narrow = row["high"] - row["low"] < 0.5
    return 2 if narrow or abs(row["estimate"]) < 0.05 else 1


def needs_sentence(spread: float) -> str:
    """How many differing pairs would show an effect within half and a quarter typical margin."""
    told = " and ".join(f"{pairs_for(width, spread):,} for ± {width:g}" for width in HALF_WIDTHS)
    return f"Pairs that must differ in a feature to know its effect within typical margins: {told}."


def authored_rows(analysed: Analysed, model: str, labeler: str) -> pd.DataFrame:
    """The imprint of a model by authored labels, then by a labeler, on the pairs of both; empty
    where there are not both, and of authored labels themselves."""
    import pandas as pd

    table = analysed.table("authored", model=model)
    if analysed.labeler(labeler).authored:
        return table.head(0)
    own = table["labeler"] == labeler
    return pd.concat([table[table["beside"] == labeler], table[own]], ignore_index=True)


def found_sentence(analysed: Analysed, labeler: str) -> str:
    """How many of the written differences a labeler finds, and how many it sees besides; empty
    where there are no authored labels beside it."""
    for model in analysed.models:
        rows = authored_rows(analysed, model, labeler)
        if not rows.empty:
            break
    else:
        return ""
    written, read = rows[rows["labeler"] != labeler], rows[rows["labeler"] == labeler]
    differ, found = int(written["differs"].where(_of_labels(written)).sum()), read["found"].sum()
    besides = int(read["differs"].where(_of_labels(read)).sum()) - int(found)
    pairs = number_of(int(rows["n"].iloc[0]), "pair")
    return (
        f"On the same {pairs}, {analysed.labeler(labeler).named} finds {found:,} of the"
        f" {differ:,} differences that were written, and sees {besides:,} that were not."
    )


def taught_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """What a labeler's mistakes do to the imprint of a model; empty as `found_sentence`."""
    rows = authored_rows(analysed, model, labeler)
    if rows.empty:
        return ""
    own = rows["labeler"] == labeler
    sure = {
        name: set(zip(part["feature"], part["estimate"] > 0, strict=True))
        for name, table in (("written", rows[~own]), ("read", rows[own]))
        for part in (table[_of_labels(table) & (table["p_holm"] < SIGNIFICANT)],)
    }
    written, both = len(sure["written"]), len(sure["written"] & sure["read"])
    only, named = len(sure["read"] - sure["written"]), analysed.labeler(labeler).named
    if not written:
        told = f"no effect would be clear; by {named} alone {only or 'none'} would"
    else:
        other = f"{only} other{'s' if only > 1 else ''}" if only else "no other"
        told = f"{number_of(written, 'effect')} would be clear; by {named} alone"
        told += f" {both or 'none'} of these and {other}"
    return f"{model}: by authored labels alone {told}."


TEACHES = (
    "Pairs, margins and lengths are the same: what differs here are the labeler's mistakes. They"
    " shrink effects and give some to other features, and more pairs would not help."
)


def _of_labels(table: pd.DataFrame) -> pd.Series:
    return ~table["feature"].isin([LENGTH, CHOSEN])


NO_WHY = (
    "Authored labels tell how the two replies of a pair differ, not which labels each reply has: by"
    " them nothing can be said of either reply."
)
"""Why there is no chart of what goes with going against the choice."""


def choice_sentence(chosen: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """How often the reply with a feature is chosen, and how often the model prefers it."""
    feature = str(chosen["feature"])
    reply = REPLIES.get(feature, feature)
    if isnan(chosen["log_odds"]):
        return f"Of {reply} nothing can be told: {chosen['why']}."
    beside = f", and preferred by {ours['who']} in {_chance(ours)}"
    beside = "" if isnan(ours["log_odds"]) else beside
    return (
        f"Of two replies alike in all else, {reply} is chosen in {_chance(chosen)}{beside}"
        f" ({chosen['differs']:,} of {number_of(int(chosen['n']), 'pair')} differ)."
    )


def _chance(row: Mapping[str, Any]) -> str:
    found = chances(Estimate(row["log_odds"], row["se"], row["low"], row["high"], row["p"]))
    ends = interval_text(found.low, found.high, 0, scale=100)
    return f"{number_text(found.share, 0, scale=100)}% {ends}"


GAP_NEEDS = (
    "A gap of 0.4 log odds between a model and the choice takes about 5,000 labelled pairs to be"
    " seen (in 86% of studies of that size; in 24% of those of 1,500)."
)


def topic_sentence(row: Mapping[str, Any]) -> str:
    """By how much more a feature counts among pairs of a topic than among the others."""
    feature = str(row["feature"])
    reply, less = REPLIES.get(feature, feature), row["estimate"] < 0
    low, high = (-row["high"], -row["low"]) if less else (row["low"], row["high"])
    size = f"{number_text(abs(row['estimate']), 1)} typical margins {'less' if less else 'more'}"
    where = str(row["topic"])
    among = where if where.startswith("subset: ") else f"topic {where}"
    return (
        f"{row['model']} gives {reply} {size} {interval_text(low, high, 1)} among pairs of {among}"
        f" than among the others ({row['inside']:,} and {row['outside']:,} pairs differ;"
        f" q {number_text(row['q'], 2)})."
    )


def share_sentence(shares: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Which columns carry most of what is explained within these pairs."""
    ranked = sorted(shares, key=lambda row: -row["share"])[:3]
    told = ", ".join(
        f"{names.get(row['feature'], row['feature'])} {number_text(row['share'], 1, scale=100)}%"
        f" {interval_text(row['low'], row['high'], 1, scale=100)}"
        for row in ranked
    )
    whole = number_text(sum(row["share"] for row in shares), 1, scale=100)
    return f"{shares[0]['model']}: of the {whole}% explained within these pairs, most by {told}."


def against_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How often a model goes against the choice, and of which pairs."""
    table = analysed.table("misaligned", model=model, labeler=labeler)
    every = table[table["labeler_prefers"] == "all"].to_dict("records")[0]
    choice = the(analysed.dataset.chosen_by)
    if not every["pairs"]:
        return f"{model} rated none of these pairs."
    ties = f"; {number_of(every['ties'], 'tie')}" if every["ties"] else ""
    return f"{model} goes against {choice} in {_rate(every)} pairs{ties}."


def preference_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """The same apart by what the labels prefer; empty where they tell no preference."""
    table = analysed.table("misaligned", model=model, labeler=labeler)
    parts = {row["labeler_prefers"]: row for row in table.to_dict("records")}
    told = [
        f"in {_rate(parts[name])} where the labels prefer {words}"
        for name, words in _PREFERRED.items()
        if name in parts and parts[name]["pairs"]
    ]
    who = analysed.labeler(labeler)
    return f"{model}: {', '.join(told)} ({who.labels})." if told else ""


def _rate(row: Mapping[str, Any]) -> str:
    ends = (row["low"], row["high"], row["effective_n"])
    return rate_words(rate_of_row(row["misaligned"], row["pairs"], *ends))


def why_sentence(row: Mapping[str, Any], who: WhoLabelled, choice: str) -> str:
    """How one feature of one side goes with going against the choice; `row` is in points."""
    side, _, feature = str(row["column"]).rpartition(":")
    if side:
        of = f"{row['away']:,} of {number_of(int(row['n']), 'text')} differ from the most common"
        of, where = f"{of} label", f"the {side} reply is {REPLIES.get(feature, feature)}"
    else:
        of = f"{row['away']:,} of {number_of(int(row['n']), 'pair')} differ"
        where = "the chosen reply is twice as long"
    if isnan(row["estimate"]):
        return f"Where {where}: {row['why']} ({of}; {who.labels})."
    value, low, high = (row[name] * _unit(row) for name in ("estimate", "low", "high"))
    less = value < 0
    ends = interval_text(*((-high, -low) if less else (low, high)), 0)
    sure = "" if row["p_holm"] < SIGNIFICANT or not side else " Not clear."
    often = f"{number_text(abs(value), 0)} points {'less' if less else 'more'} often {ends}"
    return (
        f"Alike in all else in this table, {row['model']} goes against {the(choice)} {often} where"
        f" {where} ({of}; {who.labels}).{sure}"
    )


def shift_sentence(analysed: Analysed, labeler: str) -> str:
    """By how much the margin moved from one model to the other, over all pairs."""
    table = analysed.table("shift", labeler=labeler, by="all")
    row = table.to_dict("records")[0]
    if isnan(row["mean"]):
        return "No pair was rated by both models."
    ends = interval_text(row["low"], row["high"], 2, signed=True)
    moved = f"{number_text(row['mean'], 2, signed=True)} typical margins {ends}"
    pairs = number_of(int(row["pairs"]), "pair")
    return (
        f"From {row['before']} to {row['after']} the chosen reply's margin moved by {moved} on"
        f" average ({pairs})."
    )


def regime_sentence(analysed: Analysed, labeler: str) -> str:
    """How many pairs changed sides between two models, and in which direction."""
    table = analysed.table("regimes", labeler=labeler)
    counts = table.groupby("regime")["pairs"].sum()
    row = table.to_dict("records")[0]
    return (
        f"Of {number_of(int(counts.sum()), 'pair')}, {counts['got']:,} got aligned with"
        f" {the(analysed.dataset.chosen_by)} from {row['before']} to {row['after']},"
        f" {counts['reversed']:,} went the other way, {counts['stayed']:,} stayed aligned and"
        f" {counts['resists']:,} were against it before and after."
    )


def trained_sentence(analysed: Analysed) -> str:
    """Who says that training lies between the two models."""
    spec = analysed.spec
    return (
        f"{spec.before} was named as the model before training and {spec.after} as the one after"
        " it; nothing here checks that."
    )


def quotes(analysed: Analysed) -> list[Quote]:
    """Every sentence of an analysis, by question."""
    found = [
        Quote(question, sentence, chart, {**shown, **_by(analysed, who)} if chart else {})
        for who in analysed.labelers
        for question, sentence, chart, shown in _told(analysed, who)
    ]
    found += rewording_quotes(analysed)
    if TABLE in analysed.tables:
        found.append(Quote(SECOND_LOOK, second_look_sentence(analysed)))
    return found


def _by(analysed: Analysed, who: WhoLabelled) -> Wish:
    """Whose labels a chart must show, where it could show others."""
    return Wish(labeler=who.run_id) if len(analysed.labelers) > 1 else Wish()


def _told(analysed: Analysed, who: WhoLabelled) -> Iterator[tuple[str, str, str, Wish]]:
    """Question, sentence, its chart, and what that must show, by one labeler."""
    for model in analysed.models:
        yield WHAT_FOR, explained_sentence(analysed, model, who.run_id), "imprint", {}
    yield WHAT_FOR, labeler_sentence(analysed, who), "imprint", {}
    control = analysed.spec.control
    effects = shown_effects(analysed, who.run_id, "together", control)
    as_people = people_rows(analysed, who.run_id, "together", control)
    for table in (effects[effects["estimate"].notna()], as_people):
        for row in table.to_dict("records"):
            yield WHAT_FOR, effect_sentence(row, who), "imprint", {}
    if found := found_sentence(analysed, who.run_id):
        yield WHAT_FOR, found, "authored", {}
    for model in analysed.models:
        if taught := taught_sentence(analysed, model, who.run_id):
            yield WHAT_FOR, taught, "authored", {"model": model}
    alone = who == analysed.labelers[0]  # what no label tells is told once
    against = "" if who.authored else "against"
    for model in analysed.models:
        if alone:
            told = against_sentence(analysed, model, who.run_id)
            yield AGAINST, told, against, {"model": model}
        if apart := preference_sentence(analysed, model, who.run_id):
            yield AGAINST, apart, against, {"model": model}
    if alone and "shift" in analysed.tables:
        yield CHANGED, shift_sentence(analysed, who.run_id), "change", {}
        yield CHANGED, regime_sentence(analysed, who.run_id), "change", {}
