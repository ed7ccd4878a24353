"""A conversation as the tokens that a model expects, cut where its beginning can be kept."""

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from edge_slm.engines import Message, Prompt
from edge_slm.engines.llama.model import Model
from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t

_MARK = "\ue000"  # of the private use area: in no template, and taken out of every message


_GAP = "\u200b"  # a space of no width


class Tokens(NamedTuple):
    """A prompt: all that stands before its last message, then the rest."""

    prefix: list[int]
    rest: list[int]

    @property
    def all(self) -> list[int]:
        """The whole prompt."""
        return self.prefix + self.rest


class ChatFormat:
    """The template of a model: its own, or the one of its card."""

    def __init__(self, model: Model, template: str | None) -> None:
        """Read the template.

        Raises:
            IntegrityError: there is none, or it cannot be read.
        """
        from jinja2 import TemplateError
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        text = template or model.metadata("tokenizer.chat_template")
        if not text:
            raise IntegrityError(
                t(
                    "The model file has no chat template.",
                    "Le modèle n'a pas de gabarit de dialogue.",
                )
            )
        self.text = text
        self._model = model
        eos, bos = (self._word(name) for name in ("eos", "bos"))
        try:
            self._formatter: Any = Jinja2ChatFormatter(text, eos_token=eos, bos_token=bos)
        except TemplateError as error:
            raise IntegrityError(
                t(
                    "The model's chat template cannot be read: {error}.",
                    "Le gabarit de dialogue du modèle est illisible : {error}.",
                    error=str(error)[:200],
                )
            ) from None

    def tokens(self, prompt: Prompt) -> Tokens:
        """Return the tokens of a prompt.

        The two parts are tokenized apart, so that the first is the same whatever follows it.

        Raises:
            UsageError: the prompt is empty, or the template takes no such conversation.
        """
        if isinstance(prompt, str):
            whole = self._model.tokenize(plain(prompt), special=False, first=True)
            return Tokens([], whole) if whole else _nothing_asked()
        if not prompt:
            return _nothing_asked()
        *before, last = [Message(role, self._harmless(content)) for role, content in prompt]
        rendered = self._render([*before, Message(last.role, _MARK)])
        head, _, tail = rendered.partition(_MARK)
        content = last.content
        if rendered.count(_MARK) != 1:  # a template that drops or alters messages
            head, content, tail = "", self._render([*before, last]), ""
        begins = self._model.begins_with_bos and not head.startswith(self._word("bos") or "\0")
        prefix = self._model.tokenize(head, special=True, first=begins) if head else []
        rest = self._model.tokenize(content.strip() + tail, special=True, first=not head and begins)
        return Tokens(prefix, rest)

    def _harmless(self, content: str) -> str:
        """Take the force out of whatever this vocabulary has for control tokens."""
        content = plain(content)
        while names := self._model.control_names(content) - {""}:
            for name in names:
                content = content.replace(name, f"{name[0]}{_GAP}{name[1:]}")
        return content

    def _render(self, messages: Sequence[Message]) -> str:
        from jinja2 import TemplateError

        rows = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return str(self._formatter(messages=rows).prompt)
        except (TemplateError, ValueError, TypeError, LookupError) as error:
            raise UsageError(
                t(
                    "The model's template refuses this conversation: {error}.",
                    "Le gabarit du modèle refuse cette conversation : {error}.",
                    error=str(error)[:200],
                )
            ) from None

    def _word(self, name: str) -> str:
        number = getattr(self._model.c, f"llama_vocab_{name}")(self._model.vocabulary)
        return self._model.piece(number, special=True).decode() if number >= 0 else ""


def _nothing_asked() -> NoReturn:
    raise UsageError(
        t(
            "There is nothing to answer: give a message or a text.",
            "Il n'y a rien à quoi répondre : donnez un message ou un texte.",
        )
    )


def plain(content: str) -> str:
    """Take the force out of control tokens (<|im_end|>) that a question or a document holds."""
    return content.replace(_MARK, "").replace("<|", f"<{_GAP}|")
