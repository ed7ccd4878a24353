"""GET /v1/models: the models of this machine, and the assistant as one of them."""

from edge_slm.cards import Card
from edge_slm.engines.settings import Settings
from edge_slm.server.exchange import Call, Reply, as_json
from edge_slm.server.site import ASSISTANT, Site, no_model

# Albert's words for what a model does.
_TYPES = {
    "chat": "text-generation",
    "embed": "text-embeddings-inference",
    "speech": "automatic-speech-recognition",
    "translate": "text-generation",
}


def listing(site: Site, call: Call) -> Reply:
    """List the models, the assistant first."""
    data = [_assistant(site), *(_told(site, card) for card in site.installed())]
    return as_json({"object": "list", "data": data})


def one(site: Site, call: Call) -> Reply:
    """Show one model."""
    name = call.path["model"]
    if name == ASSISTANT:
        return as_json(_assistant(site))
    for card in site.installed():
        if card.id == name:
            return as_json(_told(site, card))
    raise no_model(name[:100])


def _assistant(site: Site) -> dict[str, object]:
    return _row(site, ASSISTANT, "edge-slm", "text-generation", None)


def _told(site: Site, card: Card) -> dict[str, object]:
    context = card.context
    if card.task == "chat":  # as long as this machine runs it with
        context = min(context, Settings.for_model(card.files[0].sha256).context)
    return _row(site, card.id, card.family, _TYPES[card.task], context)


def _row(site: Site, name: str, owner: str, kind: str, context: int | None) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": int(site.started),
        "owned_by": owner,
        "type": kind,
        "aliases": [],
        "max_context_length": context,
    }
