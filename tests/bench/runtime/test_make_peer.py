"""The script that makes a peer: what is there stays until the new one is whole."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from edge_slm.bench.runtime import peer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    path = ROOT / "packaging" / "peers" / "make_peer.py"
    spec = importlib.util.spec_from_file_location("make_peer", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_new_peer_takes_the_place_of_the_old_one(script: ModuleType) -> None:
    for content in ("old", "new"):
        with script._staging("llama-server") as folder:
            assert list(folder.iterdir()) == []
            (folder / "peer.json").write_text(content)
    assert (peer.peers_dir() / "llama-server" / "peer.json").read_text() == "new"
    assert [path.name for path in peer.peers_dir().iterdir()] == ["llama-server"]


def test_a_failure_leaves_the_old_peer(script: ModuleType) -> None:
    with script._staging("llama-server") as folder:
        (folder / "peer.json").write_text("old")
    with pytest.raises(KeyboardInterrupt), script._staging("llama-server") as folder:
        (folder / "half").write_text("done")
        raise KeyboardInterrupt
    assert [path.name for path in folder.iterdir()] == ["peer.json"]
    assert [path.name for path in peer.peers_dir().iterdir()] == ["llama-server"]


def test_a_first_failure_leaves_nothing(script: ModuleType) -> None:
    with pytest.raises(KeyboardInterrupt), script._staging("xllamacpp"):
        raise KeyboardInterrupt
    assert list(peer.peers_dir().iterdir()) == []


def test_no_web_page_of_the_server_is_fetched_from_a_hub(script: ModuleType) -> None:
    assert "-DLLAMA_USE_PREBUILT_UI=OFF" in script.CMAKE


def test_the_compiler_leaves_amx_out_where_the_switch_exists(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = (ROOT / "packaging" / "build_llama.sh").read_text()
    assert script.NO_AMX in shell  # the peer is built as our engine is
    monkeypatch.setenv("CFLAGS", "-O2")
    monkeypatch.setattr(script.platform, "machine", lambda: "x86_64")
    assert script._flags()["CFLAGS"] == f"-O2 {script.NO_AMX}"
    monkeypatch.setattr(script.platform, "machine", lambda: "aarch64")
    assert script._flags() == {}
