"""The pseudo-model `edge-slm`: the whole assistant behind the shape of a chat model."""

from collections.abc import Callable, Sequence

import msgspec

from edge_slm.answer import Answer
from edge_slm.assistant import Assistant
from edge_slm.conversation.follow_up import Turn
from edge_slm.conversation.turns import turns_of
from edge_slm.engines import Message
from edge_slm.i18n import say, t
from edge_slm.routing.router import route
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import END, END_OF_EVENTS, Call, Reply, as_json, event
from edge_slm.server.schemas import ChatBody
from edge_slm.server.shapes import CHUNK, WHOLE, chunk, identity, message_choice, usage_of
from edge_slm.server.site import ASSISTANT, Site


def handle(site: Site, call: Call, body: ChatBody, messages: Sequence[Message]) -> Reply:
    """Answer the last message of the user, which may lean on the user's earlier questions.

    What other roles say is not looked at: a client may write anything there.
    """
    asked = [message.content for message in messages if message.role == "user"]
    if not asked:
        raise Refused(
            t(
                "There is no message of the user to answer.",
                "Il n'y a pas de message de l'utilisateur auquel répondre.",
            ),
            param="messages",
        )
    _refuse_recordings(asked[-1])
    earlier = turns_of(asked[:-1])
    if body.stream:
        usage = bool(body.stream_options and body.stream_options.include_usage)
        _stream(site, call, asked[-1], earlier, usage=usage)
        return END
    answer = _ask(site, asked[-1], earlier)
    choice = message_choice(answer.text + ending_of(answer), "stop")
    told = {"choices": [choice], "usage": usage_of(answer.usage, answer.energy)}
    return as_json(identity("chatcmpl", WHOLE, ASSISTANT) | told | _extension(answer))


def ending_of(answer: Answer) -> str:
    """Return what follows a reply: how a follow-up was understood, and the sources."""
    if not answer.understood:
        return sources_of(answer)
    asked = say(answer.language, "Understood: {q}", "Compris : {q}", q=answer.understood)
    return f"\n\n{asked}{sources_of(answer)}"


def sources_of(answer: Answer) -> str:
    """Return the list of sources that ends a reply, in the answer's language; may be empty."""
    if not answer.sources:
        return ""
    places = dict.fromkeys(
        say(
            answer.language,
            "- {title}, page {page} ({document})",
            "- {title}, page {page} ({document})",
            title=source.title or source.document,
            page=source.page,
            document=source.document,
        )
        for source in answer.sources
    )
    return "\n\n" + "\n".join([say(answer.language, "Sources:", "Sources :"), *places])


def _ask(
    site: Site,
    text: str,
    earlier: Sequence[Turn],
    on_piece: Callable[[str], None] = lambda _: None,
) -> Answer:
    with site.opened() as bases:
        # Not as a context manager: leaving it would close the engines that requests share.
        answer = Assistant(site.engines, bases).ask(text, on_piece, earlier=earlier)
    site.metrics.tokens(answer.usage)
    site.metrics.energy(answer.energy)
    if first := answer.timings_ms.get("first_token"):
        site.metrics.first_token(first / 1000)
    return answer


def _stream(site: Site, call: Call, text: str, earlier: Sequence[Turn], *, usage: bool) -> None:
    head = identity("chatcmpl", CHUNK, ASSISTANT)
    delta: dict[str, object] = {"role": "assistant"}  # goes with the first piece

    def emit(piece: str) -> None:
        call.emit(event(chunk(head, delta | {"content": piece})))
        delta.clear()

    answer = _ask(site, text, earlier, emit)
    if ending := ending_of(answer):
        emit(ending)
    call.emit(event(chunk(head, {}, "stop") | _extension(answer)))
    if usage:
        call.emit(event(head | {"choices": [], "usage": usage_of(answer.usage, answer.energy)}))
    call.emit(END_OF_EVENTS)


def _extension(answer: Answer) -> dict[str, object]:
    whole = msgspec.to_builtins(answer)
    return {
        "sources": whole["sources"],
        "kind": answer.kind,
        "route": whole["route"],
        "edge_slm": whole,
    }


def _refuse_recordings(text: str) -> None:
    """Refuse a request to read a file of this machine: a client names no path here."""
    if route(text.strip()).route.task == "speech":
        raise Refused(
            t(
                "Send a recording to /v1/audio/transcriptions: its path is not opened here.",
                "Envoyez l'enregistrement à /v1/audio/transcriptions : son chemin n'est pas "
                "ouvert ici.",
            ),
            param="messages",
        )
