"""`ivan publish` against a stand-in hub: what is shown, what is sent, and what nobody is sent."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FreshProcess, StandinHub
from fakes.writable_hub import IN_THE_MIDDLE, Refusal, WritableHub
from given import made_runs

TOKEN = "hf_secretsecretsecret"
NAME = "ada/pairs"


def in_process(args: list[str]) -> dict[str, Any]:
    """Called in the fresh process: a command, what it printed and its exit code."""
    from ivan_core.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(args)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


@dataclass
class Place:
    """A stand-in hub, a server elsewhere that stores large files, and processes that publish."""

    hub: WritableHub
    elsewhere: WritableHub
    with_token: FreshProcess
    without: FreshProcess
    data: Path

    def publish(self, *args: str) -> dict[str, Any]:
        found: dict[str, Any] = self.with_token.call(in_process, args=["publish", *args])
        assert TOKEN not in found["out"] + found["err"]
        return found

    def forget(self) -> None:
        """As if nothing had come yet."""
        for server in (self.hub, self.elsewhere):
            server.refusals.clear()
            server.requests.clear()
            server.tokens.clear()
            server.commits.clear()
        self.hub.warnings, self.hub.says_commit, self.hub.says_url = [], "", ""
        self.hub.careless = self.hub.loses_answer = False

    def files(self, name: str = NAME) -> dict[str, bytes]:
        folder = self.hub.root / "datasets" / name
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root, work = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("work")
    with WritableHub(root) as hub, WritableHub(root) as elsewhere:
        hub.storage = elsewhere.url
        elsewhere.large = hub.large
        # Files go up over HTTP although the other way to send them is there.
        environment = hub.environment(
            work / "home", IVAN_DATA_DIR=str(work / "data"), HF_HUB_DISABLE_XET="0"
        )
        (work / "data").mkdir()
        with (
            FreshProcess(environment | {"HF_TOKEN": TOKEN}, work / "errors.txt") as one,
            FreshProcess(environment, work / "others.txt") as other,
        ):
            yield Place(hub, elsewhere, one, other, work / "data")


@pytest.fixture
def place(started: Place) -> Place:
    started.forget()
    return started


def wrote(hub: StandinHub) -> list[str]:
    """The requests that could change something."""
    return [one for one in hub.requests if not one.startswith(("GET", "HEAD"))]


def test_without_yes_everything_is_shown_and_nothing_is_sent(place: Place) -> None:
    shown = place.publish("sample", "ada/only-shown")
    assert shown["code"] == 0
    assert f"{place.hub.url}/datasets/ada/only-shown (private)" in shown["out"]
    assert re.search(r"README\.md +[\d.]+ kB ", shown["out"])
    assert re.search(r"data/pairs\.jsonl +[\d.]+ kB ", shown["out"])
    assert "# Preference pairs: sample" in shown["out"]
    assert "It is not there yet: it is made private." in shown["out"]
    assert "The texts of the pairs are in it." in shown["out"]
    assert shown["out"].endswith("To send it: ivan publish sample ada/only-shown --yes\n")
    assert wrote(place.hub) == [] and place.elsewhere.requests == []
    assert not (place.hub.root / "datasets" / "ada" / "only-shown").exists()


def test_a_dataset_is_made_private_and_large_files_go_without_the_token(place: Place) -> None:
    sent = place.publish("sample", NAME, "--yes")
    assert sent["code"] == 0, sent["err"]
    assert "Sent README.md, data/pairs.jsonl (commit " in sent["out"]
    assert place.hub.private == {NAME}
    assert set(place.files()) == {"README.md", "data/pairs.jsonl"}
    assert {one for one in place.hub.tokens if one} == {f"Bearer {TOKEN}"}
    assert any(one.startswith("PUT /upload/") for one in place.elsewhere.requests)
    assert any(one.startswith("POST /verify") for one in place.elsewhere.requests)
    assert set(place.elsewhere.tokens) == {""}, "the token stays with the hub"
    assert place.hub.commits[0][0]["value"]["summary"] == "Publish pairs with IVAN 0.1.0"

    again = place.publish("sample", NAME, "--yes")
    assert "It is there already (private), with these very files: nothing changed." in again["out"]
    assert len(place.hub.commits) == 1

    other = place.hub.root / "datasets" / NAME / "notes.txt"
    other.write_text("mine", "utf-8")
    changed = place.publish("sample", NAME, "--yes", "--public")
    assert "a commit comes on top, and its other files stay." in changed["out"]
    assert "Replaced: README.md." in changed["out"], "the command on the card has --public now"
    assert "It stays private, although --public was said" in changed["out"]
    assert other.read_text("utf-8") == "mine" and place.hub.private == {NAME}


def test_what_is_public_takes_nothing_that_was_to_be_private(place: Place) -> None:
    place.hub.add("datasets", "ada/open", {"notes.txt": b"mine"})
    for yes in ([], ["--yes"]):
        refused = place.publish("sample", "ada/open", *yes)
        assert "ada/open is public" in refused["out"] + refused["err"]
        assert refused["code"] == (1 if yes else 0)
    assert wrote(place.hub) == []
    assert place.publish("sample", "ada/open", "--yes", "--public")["code"] == 0
    assert set(place.files("ada/open")) == {"notes.txt", "README.md", "data/pairs.jsonl"}


def test_a_hub_that_makes_public_what_was_to_be_private_gets_no_files(place: Place) -> None:
    place.hub.careless = True
    refused = place.publish("sample", "ada/careless", "--yes")
    assert refused["code"] == 1 and "ada/careless is public" in refused["err"]
    assert place.files("ada/careless") == {} and place.elsewhere.requests == []


def test_without_a_token_nothing_is_asked(place: Place) -> None:
    refused = place.without.call(in_process, args=["publish", "sample", "ada/none", "--yes"])
    assert refused["code"] == 1
    assert "There is no token for the hub here" in refused["err"]
    assert "hf auth login" in refused["err"]
    shown = place.without.call(in_process, args=["publish", "sample", "ada/none"])
    assert shown["code"] == 0 and "There is no token for the hub here" in shown["out"]
    assert place.hub.requests == []


def test_a_token_from_the_hub_s_own_file_is_used(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "token").write_text(TOKEN, "utf-8")
    (tmp_path / "data").mkdir()
    environment = place.hub.environment(home, IVAN_DATA_DIR=str(tmp_path / "data"))
    with FreshProcess(environment, tmp_path / "errors.txt") as process:
        args = ["publish", "sample", "ada/by-file", "--yes"]
        assert process.call(in_process, args=args)["code"] == 0
    assert {one for one in place.hub.tokens if one} == {f"Bearer {TOKEN}"}
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if TOKEN.encode() in path.read_bytes()]


def test_a_hub_in_trouble_does_not_keep_the_card_from_being_shown(place: Place) -> None:
    place.hub.add("datasets", "ada/ill", {})
    place.hub.faults["ada/ill"] = "error"
    shown = place.publish("sample", "ada/ill")
    assert shown["code"] == 0 and "# Preference pairs: sample" in shown["out"]
    assert "The hub has trouble of its own (HTTP 503)" in shown["out"]


def test_a_dataset_of_the_hub_brings_its_licence_and_revision(place: Place) -> None:
    turn = "\n\nHuman: Hi\n\nAssistant:"
    rows = [{"chosen": f"{turn} yes {n}", "rejected": f"{turn} no {n}"} for n in range(3)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    page = b"---\nlicense: cc-by-4.0\n---\nPairs.\n"
    commit = place.hub.add("datasets", "lab/own", {"train.jsonl": lines, "README.md": page})
    shown = place.publish("lab/own", "ada/copy", "--revision", "main")
    assert "\nlicense: cc-by-4.0\n" in shown["out"]
    assert f"- Revision: `{commit}`." in shown["out"]
    assert "ivan publish lab/own ada/copy --revision main\n" in shown["out"]
    refused = place.publish("lab/own", "Lab/Own", "--yes")
    assert refused["code"] == 1 and "is the dataset itself" in refused["err"]
    assert wrote(place.hub) == []


ODD = "\x1b[2Jno \u202eway\n" + f"<b>{TOKEN}</b>"
REFUSED: list[tuple[str, Refusal, str]] = [
    ("create", Refusal(401), "does not let this token write to"),
    ("create", Refusal(403, {"error": ODD}), "does not let this token write to"),
    ("create", Refusal(409), "already that this token may not see"),
    ("create", Refusal(500), "trouble of its own (HTTP 500)"),
    ("card", Refusal(400, {"errors": [{"message": ODD}], "error": ODD}), "HTTP 400"),
    ("preupload", Refusal(403), "does not let this token write to"),
    ("preupload", Refusal(500), "trouble of its own (HTTP 500)"),
    ("batch", Refusal(422, {"error": ODD}), "HTTP 422"),
    ("upload", Refusal(500), "trouble of its own (HTTP 500)"),
    ("upload", Refusal(0), "broke off"),
    ("upload", Refusal(IN_THE_MIDDLE), "broke off"),
    ("commit", Refusal(401), "does not let this token write to"),
    ("commit", Refusal(409, {"error": ODD}), "Somebody else changed"),
    ("commit", Refusal(412), "Somebody else changed"),
    ("commit", Refusal(429), "too many requests"),
    ("commit", Refusal(500, {"error": ODD}), "trouble of its own (HTTP 500)"),
    ("commit", Refusal(0), "broke off"),
]


@pytest.mark.parametrize(
    ("call", "refusal", "says"), REFUSED, ids=[f"{call}-{how.status}" for call, how, _ in REFUSED]
)
def test_what_a_hub_refuses_ends_in_a_sentence_and_the_next_command_does_the_rest(
    place: Place, call: str, refusal: Refusal, says: str
) -> None:
    name = f"ada/refused-{call}-{abs(refusal.status)}"
    for server in (place.hub, place.elsewhere):
        server.refusals[call] = refusal
    refused = place.publish("sample", name, "--yes")
    assert refused["code"] == 1
    assert says in refused["err"]
    assert "Traceback" not in refused["err"]
    for odd in ("\x1b", "\u202e"):
        assert odd not in refused["out"] + refused["err"]
    if refusal.said == {"error": ODD} and refusal.status in (403, 422):
        assert "and says “" in refused["err"], "in words that are words"
    place.forget()
    assert place.publish("sample", name, "--yes")["code"] == 0
    assert set(place.files(name)) == {"README.md", "data/pairs.jsonl"}


@pytest.mark.parametrize("call", ["preupload", "batch", "commit", "create", "card"])
@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_elsewhere_gets_no_token(place: Place, call: str, status: int) -> None:
    place.hub.refusals[call] = Refusal(status, where=place.elsewhere.url)
    place.publish("sample", f"ada/redirected-{call}-{status}", "--yes")
    assert place.elsewhere.requests and set(place.elsewhere.tokens) == {""}


def test_words_of_the_hub_are_printed_as_words(place: Place) -> None:
    place.hub.warnings = [{"message": ODD}]
    place.hub.says_commit = "\x1b]0;owned\x07"
    sent = place.publish("sample", "ada/words", "--yes")
    assert sent["code"] == 0
    assert "\x1b" not in sent["out"] + sent["err"] and "owned" not in sent["out"] + sent["err"]
    assert "Sent README.md, data/pairs.jsonl.\n" in sent["out"]
    place.hub.says_url = ODD
    sent = place.publish("sample", "ada/other-words", "--yes")
    assert sent["code"] == 0 and "\x1b" not in sent["out"] + sent["err"]


def test_a_commit_whose_answer_is_lost_is_looked_for(place: Place) -> None:
    place.hub.loses_answer = True
    sent = place.publish("sample", "ada/lost", "--yes")
    assert sent["code"] == 0, sent["err"]
    assert "Sent README.md, data/pairs.jsonl (commit " in sent["out"]
    assert len(place.hub.commits) == 1


@pytest.mark.parametrize(
    "name", ["pairs", "a/b/c", "ada/..", "../x", "ada/x.git", "a b/c", "ada/-"]
)
def test_what_is_no_name_is_refused_before_anything_is_read(place: Place, name: str) -> None:
    refused = place.publish("sample", name, "--yes")
    assert refused["code"] == 1 and "is no name on the hub" in refused["err"]
    assert place.hub.requests == []


def read_back(name: str) -> dict[str, Any]:
    """Called in the fresh process: a published dataset as IVAN and `datasets` read it."""
    from datasets import load_dataset

    from ivan_core.datasets.reading import PairReader
    from ivan_core.datasets.sources import open_hub
    from ivan_core.domain.specs import DatasetRequest

    source = open_hub(DatasetRequest(source=name))
    reader = PairReader()
    pairs = [[pair.chosen.messages, pair.rejected.messages] for pair, _ in reader.read(source.rows)]
    loaded = load_dataset(name, split="train")
    return {
        "pairs": pairs,
        "bad": len(reader.bad),
        "licence": source.licence,
        "columns": {key: str(value) for key, value in loaded.features.items()},
        "rows": loaded.num_rows,
    }


def of_sample() -> list[Any]:
    """The dialogues of the sample whose sides have one prompt."""
    from ivan_core.datasets.files import read_file
    from ivan_core.datasets.reading import PairReader
    from ivan_core.datasets.sources import sample_file

    read = (pair for pair, _ in PairReader().read(read_file(sample_file())))
    kept = [[one.chosen.messages, one.rejected.messages] for one in read if not one.prompts_differ]
    return list(json.loads(json.dumps(kept)))


def read_tables(name: str) -> dict[str, Any]:
    """Called in the fresh process: the tables of a published run, as `datasets` loads them."""
    from datasets import load_dataset

    from ivan_core.datasets.sources import open_hub
    from ivan_core.domain.specs import DatasetRequest

    loaded = {part: load_dataset(name, part, split="train") for part in ("scores", "pairs")}
    read = open_hub(DatasetRequest(source=name, subset="pairs")).rows
    tables = {part: [table.num_rows, table[0]] for part, table in loaded.items()}
    return {**tables, "read": len(list(read))}


def test_scores_of_a_run_and_its_pairs_load_as_two_tables(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVAN_DATA_DIR", str(place.data))
    run_id = made_runs.finished(place.data, made_runs.spec_of_sample(limit=30))
    sent = place.publish(run_id, "ada/scores", "--texts", "--yes")
    assert sent["code"] == 0, sent["err"]
    assert set(place.files("ada/scores")) == {
        "README.md",
        "data/scores.parquet",
        "data/pairs.parquet",
    }
    found = place.with_token.call(read_tables, name="ada/scores")
    (scored, first), (paired, pair) = found["scores"], found["pairs"]
    assert (scored, paired, found["read"]) == (60, 30, 30)
    assert first["row_id"] == pair["row_id"] == 0
    assert first["margin"] == pair[f"margin ({first['model']})"]
    again = place.publish(run_id, "ada/scores", "--texts", "--yes")
    assert "nothing changed" in again["out"]


@pytest.mark.parametrize(
    "form", ["dpo", "trl-standard", "reward-trainer", "hh-rlhf", "csv", "parquet"]
)
def test_what_is_published_reads_again_with_the_same_dialogues(place: Place, form: str) -> None:
    name = f"ada/again-{form}"
    assert place.publish("sample", name, "--yes", "--format", form)["code"] == 0
    found = place.with_token.call(read_back, name=name)
    kept = found["pairs"]
    assert found["bad"] == 0 and found["rows"] == len(kept)
    wanted = of_sample()
    assert [one for one in kept if one in wanted] == wanted
    assert found["licence"] == "mit"
    if form == "dpo":
        assert found["columns"]["chosen_value"] == "Value('string')"
