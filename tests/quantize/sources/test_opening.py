"""What a user may name as a model, and what is refused in one sentence."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from edge_slm.cards import Card, CardFile, Embed, PathSource, write_card
from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm.files import sha256_of
from edge_slm.paths import user_cards_dir
from edge_slm.store import Store
from edge_slm_quantize.sources.opening import open_source
from edge_slm_quantize.sources.to_gguf import to_gguf
from tests.quantize.sources import tiny

COMMIT = "a1" * 20


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one chat model as safetensors and as GGUF; not to be changed."""
    root = tmp_path_factory.mktemp("made")
    tiny.write_decoder(root / "tiny-llama")
    tiny.write_bytes_tokenizer(root / "tiny-llama")
    to_gguf(open_source(str(root / "tiny-llama")), root / "Tiny-Llama-F16.gguf")
    return root


def write_ct2(folder: Path, specification: str = "WhisperSpec", kind: str = "int8") -> Path:
    """Write a CTranslate2 folder of a few numbers, by the library's own writer."""
    from ctranslate2.specs import common_spec, model_spec

    class Spec(model_spec.LanguageModelSpec):  # type: ignore[misc, name-defined, unused-ignore]
        name = specification
        revision = 3

        def __init__(self) -> None:
            super().__init__()
            self.linear = common_spec.LinearSpec()
            self.linear.weight = np.full((8, 16), 0.5, dtype=np.float32)
            self.linear.bias = np.zeros(8, dtype=np.float32)

        def get_vocabulary_size(self) -> int:
            return 4

        def get_default_config(self) -> Any:
            return model_spec.LanguageModelConfig()

    spec = Spec()
    spec.register_vocabulary(["<unk>", "<s>", "</s>", "a"])
    spec.validate()
    spec.optimize(quantization=None if kind == "float32" else kind)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    return folder


def test_a_folder_of_safetensors_is_opened(made: Path) -> None:
    source = open_source(str(made / "tiny-llama"))
    assert (source.format, source.task, source.architecture) == ("safetensors", "chat", "llama")
    assert (source.name, source.quantisation, source.context) == ("tiny-llama", None, 512)
    assert source.parameters == 512 * 64 + 64 + 2 * (64 * 64 * 2 + 32 * 64 * 2 + 3 * 96 * 64 + 128)
    assert source.card is None and len(source.sha256) == 64


def test_its_readme_tells_its_licence_and_languages(made: Path) -> None:
    readme = made / "tiny-llama" / "README.md"
    for languages in ("\n- fr\n- en", " [fr, en]"):
        readme.write_text(f"---\nlanguage:{languages}\nlicense: mit\ntags:\n- x\n---\n# Tiny\n")
        source = open_source(str(readme.parent))
        assert (source.licence, source.languages) == ("mit", ("fr", "en"))
    readme.unlink()


def test_the_hash_of_a_folder_follows_its_weights_and_its_tokenizer(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    tiny.write_decoder(folder)
    tiny.write_bytes_tokenizer(folder)
    first = open_source(str(folder)).sha256
    tiny.write_bytes_tokenizer(folder, bos=True)
    assert open_source(str(folder)).sha256 != first


def test_an_embedding_model_tells_the_length_of_its_vectors(tmp_path: Path) -> None:
    tiny.write_encoder(tmp_path / "m", "XLMRoberta")
    tiny.write_unigram(tmp_path / "m")
    source = open_source(str(tmp_path / "m"))
    assert (source.task, source.architecture, source.context) == ("embed", "bert", 128)
    assert source.embed == Embed(64)


def test_a_gguf_file_is_opened(made: Path) -> None:
    path = made / "Tiny-Llama-F16.gguf"
    source = open_source(str(path))
    assert (source.format, source.name, source.quantisation) == ("gguf", "tiny-llama", None)
    assert source.sha256 == sha256_of(path)
    assert source.parameters == open_source(str(made / "tiny-llama")).parameters


def test_a_model_of_the_store_brings_what_its_card_says(made: Path) -> None:
    path = made / "Tiny-Llama-F16.gguf"
    card = Card(
        id="my-tiny-f16",
        task="chat",
        family="llama",
        parameters=1,
        languages=("fr",),
        licence="MIT",
        licence_url="https://example.org",
        quantisation="F16",
        context=128,
        min_ram=1,
        files=(CardFile("m.gguf", path.stat().st_size, sha256_of(path)),),
        sources=(PathSource(str(made)),),
    )
    write_card(card, user_cards_dir())
    with pytest.raises(MissingError, match="edge-slm models pull my-tiny-f16"):
        open_source("my-tiny-f16")
    Store().import_path(path)
    source = open_source("my-tiny-f16")
    assert (source.name, source.card, source.licence) == ("my-tiny", "my-tiny-f16", "MIT")
    assert (source.context, source.sha256) == (128, sha256_of(path))


@pytest.mark.parametrize(
    ("specification", "kind", "task", "quantisation"),
    [
        ("WhisperSpec", "int8", "speech", "int8_float32"),
        ("WhisperSpec", "float16", "speech", None),
        ("TransformerSpec", "int8_float16", "translate", "int8_float16"),
        ("TransformerSpec", "float32", "translate", None),
    ],
)
def test_a_ctranslate2_folder_is_opened(
    tmp_path: Path, specification: str, kind: str, task: str, quantisation: str | None
) -> None:
    source = open_source(str(write_ct2(tmp_path / "model", specification, kind)))
    assert (source.format, source.task) == ("ctranslate2", task)
    assert (source.quantisation, source.parameters) == (quantisation, 8 * 16 + 8)


def test_a_ctranslate2_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    folder = write_ct2(tmp_path / "a", "TransformerDecoderSpec")
    with pytest.raises(UsageError, match="TransformerDecoderSpec"):
        open_source(str(folder))
    folder = write_ct2(tmp_path / "b")
    for file in folder.glob("vocabulary*"):
        file.unlink()
    with pytest.raises(MissingError, match="vocabulary"):
        open_source(str(folder))
    folder = write_ct2(tmp_path / "c")
    good = (folder / "model.bin").read_bytes()
    for length in range(4, len(good), 7):
        (folder / "model.bin").write_bytes(good[:length])
        with pytest.raises(IntegrityError, match="cut or damaged"):
            open_source(str(folder))
    (folder / "model.bin").write_bytes(b"PK\x03\x04 a pickle of torch")
    with pytest.raises(UsageError, match="no CTranslate2 model"):
        open_source(str(folder))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("", MissingError),
        ("no/such/place/at/all", MissingError),
        ("x" * 5000, MissingError),
        ("a\0b", MissingError),
        ("../../etc", MissingError),
        ("no-such-model", UsageError),
        ("nothing.gguf", MissingError),
        ("org/name@--upload-pack=x", MissingError),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(given: str, kind: type[EdgeSlmError]) -> None:
    with pytest.raises(kind) as error:
        open_source(given)
    assert "\n" not in str(error.value)


def test_a_hub_that_is_switched_off_is_named(tmp_path: Path) -> None:
    done = opened("some/model", {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)})
    assert done.returncode == MissingError.exit_code
    assert "HF_HUB_OFFLINE" in done.stderr and "bring its folder" in done.stderr


class Hub(BaseHTTPRequestHandler):
    """Serves one repository as the hub does; keeps what was asked for."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        place, _, name = self.path.partition(f"/some/model/resolve/{COMMIT}/")
        if self.path.startswith("/api/models/some/model/revision/main"):
            names = [{"rfilename": name} for name in self.files]
            body = json.dumps({"id": "some/model", "sha": COMMIT, "siblings": names}).encode()
        elif place == "" and name in self.files:
            body = self.files[name]
            self.asked.append(name)
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(made: Path) -> Iterator[str]:
    """Serve the model's folder, with a pickle and code beside it; yield the address."""
    Hub.files = {file.name: file.read_bytes() for file in (made / "tiny-llama").iterdir()}
    Hub.files |= {
        "pytorch_model.bin": b"pickle",
        "modeling.py": b"import os",
        ".gitattributes": b"",
    }
    Hub.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


OPEN = """
import sys
from edge_slm.errors import EdgeSlmError
from edge_slm.offline import forbid_network
from edge_slm_quantize.sources.opening import open_source
forbid_network()
try:
    source = open_source(sys.argv[1])
    print(source.name, source.path, source.parameters)
except EdgeSlmError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def opened(given: str, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Open in a process of its own: huggingface_hub reads its settings once, at import."""
    mine = {name: text for name, text in os.environ.items() if not name.startswith("HF_")}
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-c", OPEN, given],
        env=mine | paths | more,
        capture_output=True,
        text=True,
    )


def test_a_repository_of_the_hub_is_fetched_at_a_commit_without_pickles_or_code(
    served: str, made: Path, tmp_path: Path
) -> None:
    more = {"HF_ENDPOINT": served, "HF_HOME": str(tmp_path)}
    done = opened("some/model", more)
    assert done.returncode == 0, done.stderr
    name, path, parameters = done.stdout.split()
    assert (name, Path(path).name) == ("model", COMMIT)
    assert int(parameters) == open_source(str(made / "tiny-llama")).parameters
    assert "model.safetensors" in Hub.asked
    assert not {"pytorch_model.bin", "modeling.py"} & set(Hub.asked)


def test_a_repository_that_is_not_there_is_said_to_be_so(served: str, tmp_path: Path) -> None:
    done = opened("some/other", {"HF_ENDPOINT": served, "HF_HOME": str(tmp_path)})
    assert done.returncode == MissingError.exit_code
    assert len(done.stderr.splitlines()) == 1 and "some/other" in done.stderr


@pytest.mark.model
def test_models_of_the_store_are_opened() -> None:
    source = open_source("smollm2-135m-instruct-q4_1")
    assert (source.name, source.quantisation) == ("smollm2-135m-instruct", "Q4_1")
    assert source.parameters == 134_515_008
    source = open_source("whisper-base")
    assert (source.task, source.architecture, source.context) == ("speech", "whisper", 448)
    source = open_source("multilingual-e5-small-q4_0")
    assert source.embed == Embed(384, "query: ", "passage: ")
