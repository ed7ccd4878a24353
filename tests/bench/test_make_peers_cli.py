"""The command line of the script that makes peers: what is listed, removed, refused, undone."""

import importlib.util
import re
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import msgspec
import pytest
from click.testing import CliRunner, Result

from edge_slm.bench.peers.catalogue import KINDS, Kind
from edge_slm.bench.runtime.peer import Peer, peers_dir

FOLDER = Path(__file__).parents[2] / "packaging" / "peers"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    spec = importlib.util.spec_from_file_location("make_peer", FOLDER / "make_peer.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(script: ModuleType, *words: str) -> Result:
    return CliRunner().invoke(script.main, words)


def put(name: str) -> Path:
    folder = peers_dir() / name
    (folder / "models").mkdir(parents=True)
    peer = Peer(name, "1.2", "by hand", (str(FOLDER / "lines.py"),))
    (folder / "peer.json").write_bytes(msgspec.json.encode(peer))
    return folder


def test_the_list_tells_what_is_made_and_what_the_others_take(script: ModuleType) -> None:
    put("openvino-genai")
    lines = call(script, "--list").output.splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)
    (made,) = (line for line in lines if line.startswith("openvino-genai"))
    assert made.endswith("made, 1.2")
    assert all("takes" in line for line in lines if line != made)


def test_a_peer_is_removed_with_its_models(script: ModuleType) -> None:
    folder = put("transformers")
    assert "removed" in call(script, "--remove", "transformers").output
    assert not folder.exists()
    assert "not made here" in call(script, "--remove", "transformers").output


@pytest.mark.parametrize("words", [["nobody"], ["--remove", "nobody"], ["--remove", "../.."]])
def test_an_unknown_peer_is_refused(script: ModuleType, words: list[str]) -> None:
    assert call(script, *words).exit_code == 2


def test_too_full_a_disk_is_said_before_anything_is_made(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "free_disk", lambda _: 1000)
    result = call(script, "transformers")
    assert result.exit_code == 1
    assert "takes 1.2 GB, the disk has 1 kB" in result.output
    assert not peers_dir().exists()


def test_a_half_made_environment_is_removed(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def environment(folder: Path) -> str:
        (folder / "lib").mkdir(parents=True)
        return "python"

    def fail(*_: object, **__: object) -> CompletedProcess[bytes]:
        return CompletedProcess([], 1)

    monkeypatch.setattr(script, "_environment", environment)
    monkeypatch.setattr(script.subprocess, "run", fail)
    result = call(script, "openvino-genai")
    assert result.exit_code == 1
    assert "failed; its words are above" in result.output
    assert list(peers_dir().iterdir()) == []


def test_several_peers_are_made_each_once(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def install(kind: Kind, folder: Path) -> Peer:
        made.append(kind.name)
        return Peer(kind.name, "1", "by hand", (str(folder),))

    monkeypatch.setattr(script, "_install", install)
    names = ("xllamacpp", "openvino-genai", "xllamacpp")
    assert call(script, *names).exit_code == 0
    assert made == ["xllamacpp", "openvino-genai"]
    assert (peers_dir() / "xllamacpp" / "peer.json").exists()


@pytest.mark.parametrize("name", [kind.name for kind in KINDS.values() if kind.package])
def test_each_package_has_its_scripts_and_a_lock_of_exact_versions(
    script: ModuleType, name: str
) -> None:
    for file in script.SCRIPTS[name]:
        assert (FOLDER / file).is_file()
    lock = (FOLDER / f"{name}.lock").read_text("utf-8")
    pins = [line for line in lock.splitlines() if not line.startswith("    --hash=sha256:")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( \\)?", pin) for pin in pins)
    assert f"{KINDS[name].package}==" in lock
