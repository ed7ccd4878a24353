"""Chat by llama.cpp, in this process."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.answer import Usage
from edge_slm.engines import Done, Message, Piece
from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.machine import compute_threads

# Threads that spin while they wait make everything crawl on a machine that also does other things:
# two models at work on two cores were 20 times slower. OpenMP reads this when llama.cpp is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

CONTEXT = 4096  # tokens; bounds the KV cache (50 MB for Qwen2.5-0.5B, 115 MB for the 1.5B)


class LlamaChat:
    """A chat model in a GGUF file."""

    def __init__(self, path: Path, template: str | None = None, context: int = CONTEXT) -> None:
        """Load the model.

        Args:
            path: the GGUF file.
            template: Jinja template of a conversation, for a file that has none.
            context: tokens that prompt and reply may hold together.
        Raises:
            IntegrityError: llama.cpp cannot load the file.
        """
        self.context = context
        self._llama = _load(path, n_ctx=context, n_batch=512)
        self._format = _chat_formatter(self._llama, template)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return len(self._llama.tokenize(text.encode(), add_bos=False))

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[Piece | Done]:
        """Yield the reply piece by piece, then `Done`; greedy.

        Raises:
            UsageError: the messages do not fit the context.
        """
        formatted = self._format(
            messages=[{"role": m.role, "content": _plain(m.content)} for m in messages]
        )
        prompt = self._llama.tokenize(formatted.prompt.encode(), add_bos=False, special=True)
        if len(prompt) + max_tokens > self.context:
            raise UsageError(
                t(
                    "The request takes {needed} tokens and the model reads {limit}: shorten it.",
                    "La demande prend {needed} jetons et le modèle en lit {limit} : "
                    "raccourcissez-la.",
                    needed=len(prompt) + max_tokens,
                    limit=self.context,
                )
            )
        cached = _common_prefix(self._llama.input_ids[: self._llama.n_tokens], prompt)
        reason = None

        def usage() -> Usage:
            return Usage(len(prompt), cached, max(0, self._llama.n_tokens - len(prompt)))

        for chunk in self._llama.create_completion(
            prompt, max_tokens=max_tokens, temperature=0.0, stop=formatted.stop, stream=True
        ):
            choice = chunk["choices"][0]
            reason = choice["finish_reason"]
            if choice["text"]:
                yield Piece(choice["text"], usage())
        yield Done(usage(), complete=reason == "stop")

    def close(self) -> None:
        """Give the memory back."""
        self._llama.close()


def library() -> Any:
    """Return llama_cpp, its log silenced.

    Raises:
        MissingError: llama-cpp-python is not installed.
    """
    try:
        import llama_cpp
    except ImportError as error:
        raise MissingError(
            t(
                "llama-cpp-python is not installed ({error}): see the README.",
                "llama-cpp-python n'est pas installé ({error}) : voir le README.",
                error=error,
            )
        ) from None
    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
    return llama_cpp


def unloadable(path: Path) -> IntegrityError:
    """Return the error of a file that llama.cpp cannot load."""
    return IntegrityError(
        t(
            "{name} cannot be loaded, it is damaged or of an unknown kind: "
            "check it with edge-slm models verify.",
            "{name} ne se charge pas, il est abîmé ou d'un genre inconnu : "
            "vérifiez-le avec edge-slm models verify.",
            name=path.name,
        )
    )


def _load(path: Path, **options: Any) -> Any:
    threads = compute_threads()
    try:
        return library().Llama(
            str(path),
            n_threads=threads,
            n_threads_batch=threads,
            # Weights that llama.cpp lays out anew for this processor would stay mapped as well:
            # 0.6 GB more for the 1.5B, and no faster to load.
            use_mmap=False,
            flash_attn=True,
            verbose=False,
            **options,
        )
    except (ValueError, RuntimeError, AssertionError) as error:
        raise unloadable(path) from error


def _chat_formatter(llama: Any, template: str | None) -> Any:
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    template = template or llama.metadata.get("tokenizer.chat_template")
    if not template:
        raise IntegrityError(
            t("The model file has no chat template.", "Le modèle n'a pas de gabarit de dialogue.")
        )

    def token(number: int) -> str:
        return llama.detokenize([number], special=True).decode() if number >= 0 else ""

    eos = llama.token_eos()
    return Jinja2ChatFormatter(
        template, eos_token=token(eos), bos_token=token(llama.token_bos()), stop_token_ids=[eos]
    )


def _plain(content: str) -> str:
    """Take the force out of control tokens (<|im_end|>) that a question or a document holds."""
    return content.replace("<|", "<\u200b|")


def _common_prefix(left: Any, right: Sequence[int]) -> int:
    length = min(len(left), len(right))
    different = np.nonzero(np.asarray(left[:length]) != np.asarray(right[:length]))[0]
    return int(different[0]) if len(different) else length
