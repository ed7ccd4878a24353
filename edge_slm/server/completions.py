"""POST /v1/completions: a chat model goes on with a text as it stands."""

from edge_slm.clock import Clock
from edge_slm.engines import TokenLogprob
from edge_slm.i18n import t
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import END, END_OF_EVENTS, Call, Reply, as_json, event, read
from edge_slm.server.generate import generation
from edge_slm.server.sampling import finite, options_of, token_text, unsupported
from edge_slm.server.schemas import CompletionBody
from edge_slm.server.shapes import identity, usage_of
from edge_slm.server.site import ASSISTANT, Site, no_model

KIND = "text_completion"


def handle(site: Site, call: Call) -> Reply:
    """Complete a text."""
    clock = Clock()
    body = read(call.body, CompletionBody)
    prompt = _prompt(body)
    options = options_of(body, body.logprobs)
    if body.model == ASSISTANT:
        raise no_model(ASSISTANT)
    written = generation(site, site.model(body.model, "chat"))
    head = identity("cmpl", KIND, written.model.id)
    pieces = written.pieces(prompt, body.max_tokens, options, clock)
    if not body.stream:
        text, tokens = "", list[TokenLogprob]()
        for piece in pieces:
            text += piece.text
            tokens += piece.logprobs
        shown = None if options.logprobs is None else _logprobs(tokens, 0)
        choice = _choice(text, _reason(written.complete), shown)
        return as_json(head | choice | {"usage": usage_of(written.usage, written.energy)})
    offset = 0
    for piece in pieces:
        shown = None if options.logprobs is None else _logprobs(list(piece.logprobs), offset)
        offset += len(piece.text)
        call.emit(event(head | _choice(piece.text, None, shown)))
    call.emit(event(head | _choice("", _reason(written.complete), None)))
    if body.stream_options and body.stream_options.include_usage:
        call.emit(event(head | {"choices": [], "usage": usage_of(written.usage, written.energy)}))
    call.emit(END_OF_EVENTS)
    return END


def _reason(complete: bool) -> str:
    return "stop" if complete else "length"


def _choice(text: str, reason: str | None, logprobs: dict[str, object] | None) -> dict[str, object]:
    choice = {"index": 0, "text": text, "finish_reason": reason, "logprobs": logprobs}
    return {"choices": [choice]}


def _logprobs(tokens: list[TokenLogprob], offset: int) -> dict[str, object]:
    """Return the older shape of log-probabilities; `offset` is in characters of the reply."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token_text(token.token))
    return {
        "tokens": [token_text(token.token) for token in tokens],
        "token_logprobs": [finite(token.logprob) for token in tokens],
        "top_logprobs": [
            {token_text(other): finite(logprob) for other, logprob in token.top} for token in tokens
        ],
        "text_offset": offsets,
    }


def _prompt(body: CompletionBody) -> str:
    if body.echo or body.suffix or body.best_of not in (None, 1):
        why = t("only the text that follows is written", "seule la suite du texte est rédigée")
        field = "echo" if body.echo else "suffix" if body.suffix else "best_of"
        raise unsupported(field, why)
    prompt = body.prompt
    if isinstance(prompt, list) and len(prompt) == 1:
        (prompt,) = prompt
    if not isinstance(prompt, str) or not prompt:
        raise Refused(
            t("“prompt” is one text, not empty.", "« prompt » est un seul texte, non vide."),
            param="prompt",
        )
    return prompt
