"""Cards: the shipped ones hold together, and a wrong one says which file and which key."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm import cards, paths, profiles
from edge_slm.errors import UsageError

GOOD = """
id = "good"
task = "chat"
family = "f"
parameters = 1
languages = ["fr"]
licence = "MIT"
licence_url = ""
quantisation = "Q4_0"
context = 10
min_ram = 10
[[files]]
name = "a.gguf"
size = 3
sha256 = "{}"
[[sources]]
kind = "hub"
repository = "some/thing"
revision = "{}"
""".format("a" * 64, "b" * 40)


def write(folder: Path, text: str, name: str = "good") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_cards_are_valid_and_profiles_name_them() -> None:
    shipped = cards.all_cards()
    named = {model for models in profiles.PROFILES.values() for model in models}
    assert named <= shipped.keys()
    assert all(shipped[model].exercised for model in named)


def test_profiles_weigh_what_the_documentation_says() -> None:
    sizes = {
        name: sum(cards.get_card(model).size for model in models)
        for name, models in profiles.PROFILES.items()
    }
    assert 0.70e9 < sizes["lite"] < 0.75e9
    assert 1.30e9 < sizes["standard"] < 1.40e9


@pytest.mark.parametrize(
    ("memory", "name"), [(0, "lite"), (4e9, "lite"), (6e9, "standard"), (24e9, "standard")]
)
def test_the_profile_follows_the_memory(memory: float, name: str) -> None:
    assert profiles.propose(int(memory)) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + '\ncolour = "red"\n', "colour"),
        (GOOD.replace('family = "f"', 'family = "f"\nowner = "x"'), "owner"),
        (GOOD.replace('family = "f"', "family = 3"), "family"),
        (GOOD.replace('family = "f"\n', ""), "family"),
        (GOOD.replace('"chat"', '"paint"'), "task"),
        (GOOD.replace("b" * 40, "main"), "revision"),
        (GOOD.replace("a" * 64, "a" * 63), "sha256"),
        (GOOD.replace("size = 3", "size = -3"), "size"),
        (GOOD.replace("a.gguf", "../a.gguf"), "name"),
        (GOOD.replace("a.gguf", "manifest.json"), "manifest.json"),
        (GOOD.replace('id = "good"', 'id = "other"'), "id"),
        (GOOD.replace('"hub"', '"torrent"'), "kind"),
        (GOOD + 'files = { "x" = "not-on-the-card.gguf" }\n', "not-on-the-card.gguf"),
        (GOOD + "[", ""),
        ("", "id"),
        ("[" * 100_000, ""),
        ("#" * (cards.MAX_CARD_BYTES + 1), "larger"),
    ],
)
def test_a_wrong_card_names_its_file_and_what_is_wrong(
    tmp_path: Path, text: str, said: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        cards.read_card(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


PACKAGE = """
[[sources]]
kind = "package"
packages = ["{package}"]
[[sources.parts]]
file = "a.gguf"
members = ["{member}"]
"""


@pytest.mark.parametrize(
    ("package", "member"),
    [
        ("--index-url==1", "x: y"),
        ("x @ http://h/x.whl", "x: y"),
        ("x", "x: y"),
        ("x==1", "z: y"),
        ("x==1", "x:"),
        ("x{2..1}==1", "x2: y"),
        ("x{1..3}==1", "x{1..3}: y{1..2}"),
        ("x{1..9999999999}==1", "x1: y"),
    ],
)
def test_a_package_source_cannot_smuggle_options_or_lose_parts(
    tmp_path: Path, package: str, member: str
) -> None:
    path = write(tmp_path, GOOD + PACKAGE.format(package=package, member=member))
    with pytest.raises(UsageError):
        cards.read_card(path)


def test_ranges_keep_their_zeros_and_count_together() -> None:
    assert cards.expand("p{9..11}: d/{09..11}.bin") == [
        "p9: d/09.bin",
        "p10: d/10.bin",
        "p11: d/11.bin",
    ]
    assert cards.expand("plain") == ["plain"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=400), cut=st.integers(0, len(GOOD)))
def test_garbage_is_an_error_and_never_a_crash(tmp_path: Path, garbage: bytes, cut: int) -> None:
    path = tmp_path / "good.toml"
    path.write_bytes(GOOD.encode()[:cut] + garbage)
    try:
        card = cards.read_card(path)
    except UsageError:
        return
    assert card.id == "good"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8"), max_size=50), flag=st.booleans())
def test_a_written_card_reads_back_the_same(tmp_path: Path, text: str, flag: bool) -> None:
    import msgspec

    card = cards.read_card(write(tmp_path, GOOD))
    card = msgspec.structs.replace(
        card,
        chat_template=text,
        exercised=flag,
        embed=cards.Embed(3, text),
        sources=(*card.sources, cards.PathSource(text)),
    )
    assert cards.read_card(cards.write_card(card, tmp_path)) == card


@pytest.mark.parametrize("model", list(cards.all_cards()))
def test_every_shipped_card_survives_being_written(tmp_path: Path, model: str) -> None:
    card = cards.get_card(model)
    assert cards.read_card(cards.write_card(card, tmp_path)) == card


def test_the_users_card_wins_over_the_shipped_one() -> None:
    folder = paths.user_cards_dir()
    folder.mkdir(parents=True)
    shipped = (paths.shipped_cards_dir() / "whisper-base.toml").read_text(encoding="utf-8")
    write(folder, shipped.replace('family = "whisper"', 'family = "mine"'), "whisper-base")
    assert cards.get_card("whisper-base").family == "mine"
    assert cards.all_cards()["whisper-base"].family == "mine"


@pytest.mark.parametrize("name", ["wisper-base", "../models/whisper-base", "", "Whisper-Base"])
def test_an_unknown_model_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        cards.get_card(name)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean whisper-base"):
        cards.get_card("wisper-base")
