"""Any filter that can be asked for, as a strategy for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from ivan_core.experiments.columns.conditions import TextHas, UserColumnIn
from ivan_core.experiments.compare.conditions import (
    LANGUAGE,
    Failed,
    MarginIn,
    MarginsIn,
    RewardsIn,
    Seen,
    Sort,
    SureIn,
    Truncated,
)
from ivan_core.experiments.compare.verdicts import (
    Deciding,
    JointIs,
    ModelsDiffer,
    RatedBy,
    TwoPart,
    VerdictIs,
    VerdictsAre,
)
from ivan_core.lists.conditions import Filter
from ivan_core.lists.pairs import ColumnIn, ColumnIs, LongerIs, Noted, Starred, SubsetIs

_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_models = _names.filter(bool)
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_rated = st.sampled_from(["agree", "tie", "disagree", "unrated"])
_ids = st.text("0123456789abcdef", min_size=16, max_size=16)
_edges = st.lists(_numbers, min_size=2, max_size=2).map(sorted)
_ranges = _edges.flatmap(
    lambda edges: st.sampled_from(
        [
            {"low": edges[0], "high": edges[1]},
            {"low": edges[0], "high": None},
            {"low": None, "high": edges[1]},
        ]
    )
)
_cells = st.tuples(_edges, _edges).map(
    lambda xy: {"x0": xy[0][0], "x1": xy[0][1], "y0": xy[1][0], "y1": xy[1][1]}
)
_conditions = st.one_of(
    st.builds(VerdictIs, model=_models, verdict=_rated),
    st.just(ModelsDiffer()),
    st.builds(VerdictsAre, model=_models, verdict=_rated, other=_models, other_verdict=_rated),
    st.builds(TwoPart, model=_models, other=_models),
    st.builds(
        JointIs,
        by=st.sampled_from(["vote", "mean"]),
        verdict=st.sampled_from(["agree", "tie", "disagree"]),
    ),
    st.builds(SubsetIs, label=_names),
    st.builds(ColumnIs, column=_models, value=_names),
    st.builds(Truncated, model=_names),
    st.builds(Failed, model=_names),
    st.builds(Seen, model=_models, seen=st.booleans()),
    st.builds(RatedBy, model=_models),
    st.builds(Deciding, model=_models),
    st.builds(lambda column, ends: ColumnIn(column=column, **ends), _models, _ranges),
    st.builds(lambda model, ends: MarginIn(model=model, **ends), _models, _ranges),
    st.builds(lambda model, ends: SureIn(model=model, **ends), _models, _ranges),
    st.builds(LongerIs, longer=st.sampled_from(["chosen", "rejected", "neither"])),
    st.builds(lambda model, cell: RewardsIn(model=model, **cell), _models, _cells),
    st.builds(lambda m, o, cell: MarginsIn(model=m, other=o, **cell), _models, _models, _cells),
    st.builds(
        TextHas,
        text=_models,
        over=st.sampled_from(["reply", "text"]),
        side=st.sampled_from(["any", "chosen", "rejected"]),
    ),
    st.builds(lambda column, ends: UserColumnIn(column=column, **ends), _ids, _ranges),
    st.just(Starred()),
    st.just(Noted()),
)
_sorts = st.one_of(
    st.builds(
        Sort, by=st.sampled_from(["row", "sharpest", "split", "length"]), descending=st.booleans()
    ),
    st.builds(
        Sort, by=st.sampled_from(["margin", "size", "column"]), of=_models, descending=st.booleans()
    ),
)
ANY_FILTER = st.builds(
    lambda conditions, sort: Filter(LANGUAGE, tuple(conditions), sort=sort),
    st.lists(_conditions, max_size=8),
    _sorts,
)
