"""POST /v1/chat/completions: a chat model, with passages if asked; or the whole assistant."""

from dataclasses import dataclass

from edge_slm.clock import Clock
from edge_slm.engines import Message, Options, TokenLogprob
from edge_slm.i18n import t
from edge_slm.server import assistant
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import END, END_OF_EVENTS, Call, Reply, as_json, event, read
from edge_slm.server.generate import Generation, generation
from edge_slm.server.sampling import chat_logprobs, chat_tokens, options_of, unsupported
from edge_slm.server.schemas import ChatBody, ChatMessage
from edge_slm.server.search import SearchBody, results
from edge_slm.server.shapes import CHUNK, WHOLE, chunk, identity, message_choice, usage_of
from edge_slm.server.site import ASSISTANT, Site
from edge_slm.server.templates import with_passages

DEFAULT_PASSAGES = 3  # more do not fit the context of a small model


def handle(site: Site, call: Call) -> Reply:
    """Answer a chat."""
    clock = Clock()
    body = read(call.body, ChatBody)
    messages = _messages(body)
    if body.tools or body.functions:
        why = t("this server has no tool to call", "ce serveur n'a pas d'outil à appeler")
        raise unsupported("tools" if body.tools else "functions", why)
    if body.model == ASSISTANT:
        return assistant.handle(site, call, body, messages)
    options = options_of(body, chat_logprobs(body), body.response_format)
    written = generation(site, site.model(body.model, "chat"))
    extra: dict[str, object] = {}
    if body.search:
        messages, extra = _searched(site, body, messages)
    chat = _Chat(written, messages, body.max_completion_tokens or body.max_tokens, options, extra)
    if body.stream:
        chat.stream(
            call, clock, usage=bool(body.stream_options and body.stream_options.include_usage)
        )
        return END
    return as_json(chat.whole(clock))


@dataclass
class _Chat:
    """A reply of a chat model, whole or in chunks."""

    written: Generation
    messages: list[Message]
    max_tokens: int | None
    options: Options
    extra: dict[str, object]

    def whole(self, clock: Clock) -> dict[str, object]:
        """Return the reply once it is written."""
        text, tokens = "", list[TokenLogprob]()
        for piece in self.written.pieces(self.messages, self.max_tokens, self.options, clock):
            text += piece.text
            tokens += piece.logprobs
        choice = message_choice(text, self._reason(), self._logprobs(tuple(tokens)))
        return {
            **identity("chatcmpl", WHOLE, self.written.model.id),
            "choices": [choice],
            "usage": usage_of(self.written.usage, self.written.energy),
            **self.extra,
        }

    def stream(self, call: Call, clock: Clock, *, usage: bool) -> None:
        """Emit the reply as it is written."""
        head = identity("chatcmpl", CHUNK, self.written.model.id)
        delta: dict[str, object] = {"role": "assistant"}  # goes with the first piece
        for piece in self.written.pieces(self.messages, self.max_tokens, self.options, clock):
            delta["content"] = piece.text
            call.emit(event(chunk(head, delta, logprobs=self._logprobs(piece.logprobs))))
            delta = {}
        call.emit(event(chunk(head, delta, self._reason()) | self.extra))
        if usage:
            call.emit(
                event(
                    head
                    | {"choices": [], "usage": usage_of(self.written.usage, self.written.energy)}
                )
            )
        call.emit(END_OF_EVENTS)

    def _reason(self) -> str:
        return "stop" if self.written.complete else "length"

    def _logprobs(self, tokens: tuple[TokenLogprob, ...]) -> dict[str, object] | None:
        if self.options.logprobs is None:
            return None
        return {"content": chat_tokens(tokens), "refusal": None}


def _messages(body: ChatBody) -> list[Message]:
    return [_message(place, message) for place, message in enumerate(body.messages)]


def _message(place: int, message: ChatMessage) -> Message:
    where = f"messages[{place}]"
    if message.role in ("tool", "function"):
        why = t("this server has no tool to call", "ce serveur n'a pas d'outil à appeler")
        raise unsupported(f"{where}.role", why)
    content = message.content
    if isinstance(content, list):
        if any(part.type != "text" for part in content):
            why = t("only text can be read", "seul le texte peut être lu")
            raise unsupported(f"{where}.content", why)
        content = "\n".join(part.text for part in content)
    if not content and message.role != "assistant":
        raise Refused(
            t(
                "A message is empty ({where}): give it some text.",
                "Un message est vide ({where}) : donnez-lui un texte.",
                where=where,
            ),
            param=where,
        )
    match message.role:
        case "system" | "developer":
            return Message("system", content or "")
        case "assistant":
            return Message("assistant", content or "")
        case _:
            return Message("user", content or "")


def _searched(
    site: Site, body: ChatBody, messages: list[Message]
) -> tuple[list[Message], dict[str, object]]:
    """Return the messages with passages in the last question, and what is told of the search."""
    asked = body.search_args
    place = max((n for n, m in enumerate(messages) if m.role == "user"), default=None)
    if place is None:
        raise Refused(
            t(
                "“search” needs a message of the user.",
                "« search » a besoin d'un message de l'utilisateur.",
            ),
            param="search",
        )
    question = messages[place].content
    found = results(
        site,
        SearchBody(
            prompt=question,
            collections=asked.collections if asked else None,
            limit=(asked and (asked.k or asked.limit)) or DEFAULT_PASSAGES,
            method=asked.method if asked else "hybrid",
            score_threshold=asked.score_threshold if asked else 0.0,
        ),
    )
    template = asked.template if asked else None
    text = with_passages(question, [row.hit for row in found], template)
    messages = [*messages[:place], Message("user", text), *messages[place + 1 :]]
    return messages, {"search_results": [row.told() for row in found]}
