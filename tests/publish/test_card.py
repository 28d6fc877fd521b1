"""What a card tells, and that nothing from outside is more on it than words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from given import made_runs
from given.made_reviews import Said
from given.support import write_pairs
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.exports.contents import prepared
from ivan_core.publish.card import Told, card, size_category
from ivan_core.publish.forms import Part, feature
from ivan_core.publish.licences import identifiers
from ivan_core.publish.markdown import block, code, table, words
from ivan_core.publish.of_dataset import publish_dataset
from ivan_core.publish.of_run import publish_run
from ivan_core.publish.publication import Asked, Publication

ASK = "\n\nHuman: Ask {}\n\nAssistant: "
ODD = (
    "---\nlicense: evil\n---\n# Big <script>alert(1)</script> [l](javascript:1) ![i](http://e.vil) "
    "| `a` ``b`` \u202egnp\x1b[2J www.e.vil a@e.vil $x$ &amp; *b* _c_ 1. d"
)
UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*([`*\[|~$])")


def head_of(page: str) -> dict[str, Any]:
    """The head of a card as the hub's library and `datasets` find it."""
    found = re.match(r"---\n(.*?)\n---\n", page, re.S)
    assert found is not None
    return dict(yaml.safe_load(found[1]))


def body_of(page: str) -> str:
    return page.split("\n---\n", 1)[1]


def published(rows: list[dict[str, Any]], folder: Path, name: str = "mine.jsonl") -> Publication:
    path = made_runs.write_rows(folder / name, rows)
    return publish_dataset(prepared(DatasetRequest(source=str(path))), Asked("ada/pairs"))


def rows() -> list[dict[str, Any]]:
    """A pair, the same again, a tie of words, two prompts, and a side without a reply."""
    start = ASK.format(0)
    plain = {"chosen": start + "good", "rejected": start + "bad", "subset": "s"}
    return [
        plain,
        plain,
        {"chosen": start + "same", "rejected": start + "same", "subset": "s"},
        {"chosen": start + "good", "rejected": ASK.format(1) + "bad", "subset": "t"},
        {"chosen": start + "good", "rejected": f"{start}no\n\nHuman: Why?", "subset": "t"},
    ]


def test_a_card_counts_what_is_in_and_out_and_names_rows_that_are_odd(
    data_dir: Path, tmp_path: Path
) -> None:
    page = published(rows(), tmp_path).card
    for told in (
        "- 2 of 5 pairs written.",
        "- 1 left out: both sides are the same text.",
        "- 1 left out: the two prompts differ.",
        "- 1 of 5 pairs: both sides are the same text (row 2).",
        "- 1 of 5 pairs: the same two texts stand in an earlier row (row 1).",
        "- 1 of 5 pairs: a side ends in a person's words, without a reply (row 4).",
        "Subsets: `s` 3, `t` 2.",
        "was not measured, so there is no ceiling",
        "The licence of the source is not known: state it here",
        "Who preferred, and by what rule, is not recorded",
        "ivan publish mine.jsonl ada/pairs",
    ):
        assert told in page, told
    assert str(tmp_path) not in page, "no path of this machine"
    head = head_of(page)
    assert "license" not in head
    assert head["size_categories"] == ["n<1K"]
    (config,) = head["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data/pairs.jsonl"}]
    assert [one["name"] for one in head["dataset_info"][0]["features"]] == [
        *("prompt", "chosen", "rejected"),
        *("row_id", "subset"),
    ]


def test_a_bad_line_is_named(data_dir: Path, tmp_path: Path) -> None:
    path = made_runs.write_rows(tmp_path / "mine.jsonl", rows()[:1])
    path.write_text(path.read_text("utf-8") + "{no\n", "utf-8")
    page = publish_dataset(prepared(DatasetRequest(source=str(path))), Asked("ada/pairs")).card
    assert "1 row of the source left out, as damaged or incomplete: line 2: not valid JSON." in page


def test_agreement_is_told_with_its_interval_once_a_comparison_is_there(data_dir: Path) -> None:
    dataset = prepared(DatasetRequest())
    assert "What reward models make of them" not in publish_dataset(dataset, Asked("a/b")).card
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))
    page = publish_dataset(dataset, Asked("a/b")).card
    part = page.split("## What reward models make of them")[1].split("\n## ")[0]
    for model in made_runs.TWO_MODELS:
        assert re.search(rf"- {model} sides with .* of \d+ pairs \(95% interval \[", part)
    assert head_of(page)["license"] == "mit"


def test_what_people_settled_is_in_it(data_dir: Path, tmp_path: Path) -> None:
    path = made_runs.write_rows(tmp_path / "mine.jsonl", rows())
    dataset = prepared(DatasetRequest(source=str(path)))
    said = Said(data_dir, dataset.fingerprint)
    queue = said.pairs(2)
    for name in ("Ann", "Bob"):
        said.choose(queue, name, {0: "rejected"})
    found = publish_dataset(dataset, Asked("ada/pairs", settled="flip"))
    first = json.loads(found.parts[0].path.read_text("utf-8").splitlines()[0])
    assert (first["done"], first["chosen"][0]["content"]) == ("flipped", "bad")
    assert "- 1 flipped." in found.card and "--settled flip" in found.card
    features = [one["name"] for one in head_of(found.card)["dataset_info"][0]["features"]]
    assert features[-3:] == ["done", "settled", "people"]
    assert "Ann" not in found.card


def test_the_ceiling_is_told_once_with_its_interval(data_dir: Path, tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "many.jsonl", 130)
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(path))
    dataset = prepared(DatasetRequest(source=str(path)))
    said = Said(data_dir, dataset.fingerprint)
    said.choose(said.pairs(110), "Ada", {n: "chosen" if n < 82 else "rejected" for n in range(100)})
    told = "No model can be expected to side with the choice in more than 90% "
    for found in (publish_dataset(dataset, Asked("a/b")), publish_run(run_id, Asked("a/b"))):
        assert found.card.count(told) == 1
        part = found.card.split("## Whose preferences")[1].split("\n## ")[0]
        assert re.search(re.escape(told) + r"\[\d+, \d+\] of pairs", part)
        assert "Ada" not in found.card


def test_the_same_again_is_the_same_to_the_byte(data_dir: Path) -> None:
    dataset = prepared(DatasetRequest())
    first = [path.read_bytes() for path in publish_dataset(dataset, Asked("a/b")).files.values()]
    again = [path.read_bytes() for path in publish_dataset(dataset, Asked("a/b")).files.values()]
    assert first == again


def test_odd_names_are_words_of_the_page_and_values_of_its_head(
    data_dir: Path, tmp_path: Path
) -> None:
    made = [{**row, "subset": ODD, ODD: "value"} for row in rows()[:1]] + rows()[1:2]
    found = published(made, tmp_path, "--- [x](http_e.vil) <b> `a.jsonl")
    head, body = head_of(found.card), body_of(found.card)
    assert set(head) <= {"size_categories", "pretty_name", "tags", "configs", "dataset_info"}
    assert head["pretty_name"].endswith("--- [x](http_e.vil) <b> `a.jsonl")
    assert ODD in [one["name"] for one in head["dataset_info"][0]["features"]]
    assert len(re.findall(r"^# ", body, re.M)) == 1 and "\n---" not in body
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", body.replace("\\`", ""), flags=re.S)
    assert "<" not in outside.replace("<!-- -->", "") and "](" not in outside.replace("\\](", "")
    assert "\x1b" not in body and "\u202e" not in body


@given(st.text() | st.sampled_from((ODD, "- x", "1. x", "1) x", "# x", "> x", "=", "***", "")))
def test_words_are_no_markup(text: str) -> None:
    made = words(text)
    assert "\n" not in made and "\r" not in made
    plain = made.replace("<!-- -->", "")
    assert "<" not in plain and ">" not in plain
    assert not re.match(r"[-+#=>:]|\d+[.)]", made), "it begins no block"
    for link in ("://", "www.", "WWW."):
        assert link not in made
    for mark in UNESCAPED.finditer(made):
        rest = made[mark.start(1) :]
        assert re.match(r"\[−?[\d.]+, −?[\d.]+\](?![(\[:])", rest), rest


@given(st.text(alphabet="`a |\n\\", max_size=12))
def test_a_name_in_code_ends_where_it_ends(text: str) -> None:
    made = code(text)
    fence = re.match(r"`+", made)
    assert fence is not None and made.endswith(fence[0])
    inside = made[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall(r"`+", inside)
    assert re.search(r"(?<!`)" + fence[0] + r"$", made)


def test_lines_of_code_and_cells_stay_within() -> None:
    assert block("a\n````\nb") == "`````\na\n````\nb\n`````"
    assert table(("a",), [(code("x|y"),), (words("p|q"),)]).splitlines()[2:] == [
        "| `x\\|y` |",
        "| p\\|q |",
    ]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("MIT", ["mit"]),
        ("cc-by-4.0, Apache-2.0", ["cc-by-4.0", "apache-2.0"]),
        ("unknown", []),
        ("", []),
        ("mit, my own", []),
        ("mit\nlicense: evil", []),
    ],
)
def test_a_licence_is_in_the_head_only_where_the_hub_knows_it(said: str, known: list[str]) -> None:
    assert identifiers(said) == known
    part = Part("pairs", "train", Path("x"), "data/x", 1, [feature("a", str)])
    head = head_of(card(Told("t", [], {}, said, ()), [part]))
    assert head.get("license", []) == (known[0] if len(known) == 1 else known)


@pytest.mark.parametrize(
    ("rows_there", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (160_800, "100K<n<1M"), (10**9, "100M<n<1B")],
)
def test_sizes_are_called_as_the_hub_calls_them(rows_there: int, name: str) -> None:
    assert size_category(rows_there) == name


def test_a_demo_publishes_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVAN_PUBLIC", "1")
    with pytest.raises(BadInput, match="A demo publishes nothing"):
        Asked("ada/pairs").check()


def test_a_form_for_one_tool_is_refused(data_dir: Path) -> None:
    with pytest.raises(BadInput, match="no form of pairs"):
        Asked("ada/pairs", form="argilla").check()


def test_where_no_pair_has_a_place_nothing_is_published(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No pair has a place in dpo: the two prompts differ"):
        published(rows()[3:4], tmp_path)
