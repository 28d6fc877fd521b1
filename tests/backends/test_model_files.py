"""Where models come from, and the sentence a person reads when one cannot be had."""

from __future__ import annotations

import json
import shutil

import huggingface_hub
import pytest
import torch
from given.tiny_models import as_pickle, load, tiny_deberta, tiny_qwen3, without_head
from huggingface_hub import constants, errors

from ivan_core.backends.reward_models.model_files import find_model
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError
from ivan_core.models import reward_models

torch.set_num_threads(1)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SECRET = "hf_verysecret"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tiny_deberta(tmp_path_factory.mktemp("models") / "good")


@pytest.fixture
def copy(good, tmp_path):
    return shutil.copytree(good, tmp_path / "copy")


def refusal(folder, **options) -> IvanError:
    with pytest.raises(IvanError) as caught:
        load(folder, **options)
    assert caught.value.hint
    assert "Traceback" not in caught.value.message and "\n" not in caught.value.message
    return caught.value


# Local directories


def test_a_directory_s_revision_follows_its_files(good, copy):
    before = find_model(str(copy)).revision
    assert before == find_model(str(good)).revision
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert find_model(str(copy)).revision != before


def test_a_directory_s_notes_are_no_part_of_its_revision(copy):
    before = find_model(str(copy)).revision
    (copy / "README.md").write_text("Notes.")
    assert find_model(str(copy)).revision == before


def test_a_directory_with_other_files_than_the_revision_asked_for_is_refused(good):
    found = find_model(str(good)).revision
    assert find_model(str(good), found).revision == found
    assert "not revision" in refusal(good, revision="sha256:0").message


def test_a_directory_s_size_is_known_before_it_is_loaded(good, copy):
    whole = load(good).card.parameters
    assert reward_models.card(str(good)).parameters == whole
    weights = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(weights[:100])
    assert reward_models.card(str(copy)).parameters is None
    (copy / "model.safetensors").unlink()
    assert reward_models.card(str(copy)).parameters is None


def test_whether_a_directory_s_model_fits_is_said_by_its_size(good, monkeypatch):
    monkeypatch.setattr(reward_models, "has_gpu", lambda: False)
    card = reward_models.card(str(good))
    assert reward_models.fit(card) == reward_models.Fit(True, "runs here on the CPU, slowly")
    monkeypatch.setattr(reward_models, "memory_bytes", lambda: 1000)
    assert reward_models.fit(card).runs is False


def test_a_path_that_does_not_exist_is_refused_without_asking_the_hub():
    assert isinstance(refusal("./no/such/place"), BadInput)


def test_a_pickle_only_checkpoint_is_refused(copy):
    assert "pickle" in refusal(as_pickle(copy)).message


def test_a_checkpoint_without_a_score_head_is_refused(copy):
    assert "no score head" in refusal(without_head(copy)).message


def test_a_chat_checkpoint_without_a_score_head_is_refused(tmp_path):
    assert "no score head" in refusal(without_head(tiny_qwen3(tmp_path))).message


def test_two_logits_without_clear_labels_are_refused(tmp_path):
    folder = tiny_deberta(tmp_path, labels={0: "LABEL_0", 1: "LABEL_1"})
    assert "LABEL_1" in refusal(folder).message


def test_more_than_two_logits_are_refused(tmp_path):
    folder = tiny_deberta(tmp_path, labels={0: "helpful", 1: "honest", 2: "short"})
    assert "3 scores" in refusal(folder).message


def test_a_cut_off_weights_file_is_refused(copy):
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "damaged" in refusal(copy).message


def test_a_missing_shard_is_named(copy):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-00002-of-00002.safetensors is missing" in refusal(copy).message


def test_a_directory_without_a_config_is_refused(copy):
    (copy / "config.json").unlink()
    assert "config.json" in refusal(copy).message


def test_a_directory_without_weights_is_refused(copy):
    (copy / "model.safetensors").unlink()
    assert "no weights" in refusal(copy).message


def test_a_broken_config_is_refused(copy):
    (copy / "config.json").write_text("{")
    assert "cannot be read" in refusal(copy).message


def test_a_directory_without_a_tokenizer_is_refused(copy):
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer_config.json").unlink()
    assert isinstance(refusal(copy), BackendUnavailable)


def test_code_that_comes_with_a_model_is_not_run(copy):
    trap = copy / "modeling_trap.py"
    trap.write_text(f"open({str(copy / 'ran')!r}, 'w')\nclass Trap: pass\nclass TrapConfig: pass\n")
    config = json.loads((copy / "config.json").read_text())
    config["model_type"] = "trap"
    config["auto_map"] = {
        "AutoConfig": "modeling_trap.TrapConfig",
        "AutoModelForSequenceClassification": "modeling_trap.Trap",
    }
    (copy / "config.json").write_text(json.dumps(config))
    assert isinstance(refusal(copy), BackendUnavailable)
    assert not (copy / "ran").exists()


# The hub: its library raises, a person reads one sentence


def http_error(kind, status):
    import httpx2

    request = httpx2.Request("GET", f"https://hub.example/api?token={SECRET}")
    return kind(f"{status} {SECRET}", response=httpx2.Response(status, request=request))


def hub_that_raises(monkeypatch, error):
    def model_info(self, *args, **kwargs):
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_in_cache(hub_cache, good):
    repo = hub_cache / "models--owner--name"
    shutil.copytree(good, repo / "snapshots" / COMMIT)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    return repo / "snapshots" / COMMIT


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        (errors.RepositoryNotFoundError, 404, "has no model owner/name"),
        (errors.GatedRepoError, 403, "gated"),
        (errors.RevisionNotFoundError, 404, "has no revision"),
        (errors.HfHubHTTPError, 401, "does not let you read"),
        (errors.HfHubHTTPError, 503, "HTTP 503"),
    ],
)
def test_what_the_hub_refuses_is_one_plain_sentence(monkeypatch, hub_cache, kind, status, words):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    hub_that_raises(monkeypatch, http_error(kind, status))
    refused = refusal("owner/name")
    assert words in refused.message and refused.hint
    assert SECRET not in refused.message + refused.hint and "http" not in refused.message


def test_a_lost_connection_says_what_is_kept(monkeypatch, hub_cache):
    hub_that_raises(monkeypatch, ConnectionResetError("reset by peer"))
    assert "files that are complete are kept" in refusal("owner/name").hint


def test_a_name_that_is_no_hub_id_is_refused(hub_cache):
    assert isinstance(refusal("not a name!"), BadInput)


def test_without_an_answer_the_cached_commit_is_used_and_said(monkeypatch, hub_cache, good):
    put_in_cache(hub_cache, good)
    hub_that_raises(monkeypatch, ConnectionError("no route"))
    card = load("owner/name").card
    assert (card.id, card.revision) == ("owner/name", COMMIT)
    assert "cached" in card.note


def test_offline_the_cached_snapshot_s_commit_is_recorded(monkeypatch, hub_cache, good):
    put_in_cache(hub_cache, good)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load("owner/name").card.revision == COMMIT


def test_offline_and_not_cached_names_the_switch(monkeypatch, hub_cache):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refusal("owner/name").hint


def test_offline_and_half_cached_is_refused(monkeypatch, hub_cache, good):
    (put_in_cache(hub_cache, good) / "model.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "not complete" in refusal("owner/name").message


def test_a_pinned_commit_in_the_cache_needs_no_hub(monkeypatch, hub_cache, good):
    put_in_cache(hub_cache, good)
    hub_that_raises(monkeypatch, AssertionError("the hub was asked"))
    assert load("owner/name", revision=COMMIT).card.revision == COMMIT
