"""GET /health and GET /metrics."""

from edge_slm import __version__
from edge_slm.server.exchange import Call, Reply, as_json
from edge_slm.server.metrics import MEDIA_TYPE, family
from edge_slm.server.site import Site


def health(site: Site, call: Call) -> Reply:
    """Say that the server is there; no model is asked."""
    return as_json({"status": "ok", "version": __version__})


def metrics(site: Site, call: Call) -> Reply:
    """Tell the figures of the server and of its models."""
    pool = site.engines.pool
    models = pool.status()
    states = [((("model", m.model), ("kind", m.kind), ("state", m.state)), 1) for m in models]

    def each(field: str) -> list[tuple[tuple[tuple[str, str], ...], float]]:
        return [((("model", model.model),), getattr(model, field)) for model in models]

    lines = [
        *site.metrics.lines(),
        *family("budget_bytes", "gauge", "Memory allowed.", [((), pool.budget)]),
        *family("used_bytes", "gauge", "Memory taken or reserved.", [((), pool.used)]),
        *family("workers", "gauge", "Models, by state.", states),
        *family("worker_bytes", "gauge", "Memory measured.", each("measured")),
        *family("worker_waiting", "gauge", "Requests in the queue.", each("waiting")),
        *family("worker_requests_total", "counter", "Requests to a model.", each("requests")),
        *family("worker_restarts_total", "counter", "Starts after a crash.", each("restarts")),
    ]
    return Reply("".join(f"{line}\n" for line in lines).encode(), media_type=MEDIA_TYPE)
