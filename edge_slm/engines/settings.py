"""How an engine runs on this machine: what autotune measured for a model, else the defaults."""

import os
import platform
from pathlib import Path
from typing import Literal, get_args

import msgspec

from edge_slm import paths
from edge_slm.errors import UsageError
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm.machine import compute_threads, cpu_name

KvType = Literal["f16", "bf16", "q8_0"]

# Laying the weights out anew pays on ARM. On x86 llama.cpp's own tiles read prompts half as fast
# again (1.5B: 153 tokens a second against 95 on 2 cores) and the second copy of the weights costs
# 0.6 GB while they load.
REPACK = platform.machine().lower() not in ("x86_64", "amd64")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of llama.cpp for one model.

    `context` and `batch` are in tokens; `threads` 0 takes one for each physical core. `bf16` and
    `q8_0` keys and values are read the same way whatever the number of tokens in a batch, which
    prompt lookup needs (lookup.py); `f16` reads prompts faster, `q8_0` takes half the memory.
    `conversations` is the memory in bytes for the states of conversations set aside.
    """

    context: int = 4096
    threads: int = 0
    batch: int = 512
    flash_attention: bool = True
    kv_type: KvType = "bf16"
    repack: bool = REPACK
    conversations: int = 64_000_000

    @property
    def thread_count(self) -> int:
        """The threads to use."""
        return self.threads or compute_threads()

    @classmethod
    def for_model(cls, sha256: str) -> "Settings":
        """Return what autotune chose for a model on this processor, or the defaults.

        EDGE_SLM_KV_TYPE takes the place of the type of keys and values.

        Raises:
            UsageError: EDGE_SLM_KV_TYPE is no such type.
        """
        settings = _tuned().get(_key(sha256), cls())
        wanted = os.environ.get("EDGE_SLM_KV_TYPE")
        if not wanted:
            return settings
        kinds = get_args(KvType)
        if wanted not in kinds:
            raise UsageError(
                t(
                    "EDGE_SLM_KV_TYPE is {value}: it may be {kinds}.",
                    "EDGE_SLM_KV_TYPE vaut {value} : ce peut être {kinds}.",
                    value=wanted,
                    kinds=", ".join(kinds),
                )
            )
        return msgspec.structs.replace(settings, kv_type=wanted)


def is_tuned(sha256: str) -> bool:
    """Return whether autotune chose settings for a model on this processor."""
    return _key(sha256) in _tuned()


def remember(sha256: str, settings: Settings) -> None:
    """Keep what autotune chose for a model on this processor."""
    table = _tuned() | {_key(sha256): settings}
    with replacing(tuning_file()) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=2))


def forget() -> bool:
    """Go back to the defaults for all models; return whether there was anything to forget."""
    there = tuning_file().exists()
    tuning_file().unlink(missing_ok=True)
    return there


def tuning_file() -> Path:
    """Return the file of what autotune chose."""
    return paths.data_dir() / "tuning.json"


def _tuned() -> dict[str, Settings]:
    try:
        table = msgspec.json.decode(tuning_file().read_bytes(), type=dict[str, Settings])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}  # none yet, or not what `remember` writes: the defaults serve
    return {key: settings for key, settings in table.items() if _can_run(settings)}


def _can_run(settings: Settings) -> bool:
    """Return whether llama.cpp takes such numbers; others end its process."""
    return (
        64 <= settings.context <= 1 << 20
        and 32 <= settings.batch <= 8192
        and 0 <= settings.threads <= 1024
        and settings.conversations >= 0
    )


def _key(sha256: str) -> str:
    return f"{sha256} {cpu_name()}"
