"""The ASGI application: reads requests, runs their handlers as jobs, sends what these say.

Knows HTTP and nothing of models: handlers are in the modules named in routes.py.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from edge_slm.i18n import size, t
from edge_slm.server.errors import CLIENT_CLOSED, Refused, explain, too_large, too_slow
from edge_slm.server.exchange import EVENTS, Call, Reply, Upload, as_json
from edge_slm.server.jobs import Job
from edge_slm.server.routes import ROUTES, Route
from edge_slm.server.security import App, Receive, Rules, Scope, Send, headers_of
from edge_slm.server.site import Site
from edge_slm.server.uploads import not_kept

if TYPE_CHECKING:
    from starlette.requests import Request

LONGEST_BODY = 10 * 10**6  # bytes
LONGEST_FORM = 200 * 10**6  # bytes: about an hour of uncompressed speech
ROUTE = "edge_slm.route"  # where the pattern of the path is kept for the figures


@dataclass
class Server:
    """A site, who may use it, and the requests under way."""

    site: Site
    rules: Rules = field(default_factory=Rules)
    jobs: "WeakSet[Job]" = field(default_factory=WeakSet)

    def stop_all(self) -> None:
        """Stop every request under way; may be called from a signal handler."""
        for job in list(self.jobs):
            job.stop()


class _Gone(Exception):
    """The client left before it had sent its whole request."""


def build(server: Server) -> App:
    """Return the application."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route as Path

    paths = [
        Path(route.path, partial(_endpoint, server, route), methods=[route.method])
        for route in ROUTES
    ]
    handlers: dict[Any, Any] = {HTTPException: _http_error, Exception: _crashed}
    app = Starlette(routes=paths, exception_handlers=handlers)
    return _outer(app, server)


def _outer(app: App, server: Server) -> App:
    """Return an application that checks and counts each request."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        status = CLIENT_CLOSED

        async def noted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        server.site.metrics.begin()
        try:
            try:
                server.rules.check(scope["path"], headers_of(scope))
            except Refused as error:
                await _send(_refusal(error), noted)
            else:
                await app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get(ROUTE, "other")
            method = scope["method"] if route != "other" else "other"
            server.site.metrics.end(route, method, status, seconds)

    return guarded


async def _endpoint(server: Server, route: Route, request: "Request") -> App:
    request.scope[ROUTE] = route.path
    loop = asyncio.get_running_loop()
    limit = server.site.timeout
    deadline = None if limit is None else loop.time() + limit
    try:
        async with _read(request, route) as call:
            job = Job(lambda emit: route.handler(server.site, replace(call, emit=emit)))
            server.jobs.add(job)
            return await _answer(job, request, server, deadline)
    except Refused as error:
        return _sending(_refusal(error))
    except _Gone:
        return _sending(Reply(b"", CLIENT_CLOSED))


async def _answer(job: Job, request: "Request", server: Server, deadline: float | None) -> App:
    """Wait for the first thing that a job says, and return the application that sends it all."""
    watcher = asyncio.ensure_future(_stop_when_gone(request.receive, job))
    first: bytes | Reply | None = None
    try:
        first = await _next(job, server, deadline)
        if isinstance(first, bytes):
            return partial(stream, job, server, deadline, watcher, first)
        if first.status == CLIENT_CLOSED:
            server.site.metrics.stopped()
        return _sending(first)
    finally:
        if not isinstance(first, bytes):
            job.stop()
            watcher.cancel()


async def stream(
    job: Job,
    server: Server,
    deadline: float | None,
    watcher: "asyncio.Future[None]",
    first: bytes,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Send what a job emits, as it comes; an error after the first piece is an event too.

    Args:
        job: the computation.
        server: whose figures and time limit count.
        deadline: on the event loop's clock; None for no limit.
        watcher: what waits for the client to leave; cancelled at the end.
        first: what the job has emitted already.
        scope: of the request, unused.
        receive: unused: the watcher has it.
        send: takes the messages.
    """
    head = [(b"content-type", EVENTS.encode()), (b"cache-control", b"no-cache")]
    said: bytes | Reply = first
    try:
        await send({"type": "http.response.start", "status": 200, "headers": head})
        while isinstance(said, bytes):
            await send({"type": "http.response.body", "body": said, "more_body": True})
            try:
                said = await _next(job, server, deadline)
            except Refused as error:
                said = _refusal(error)
        if said.status == CLIENT_CLOSED:
            server.site.metrics.stopped()
        last = b"data: " + said.body + b"\n\n" if said.status >= 400 else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})
    finally:
        job.stop()
        watcher.cancel()


async def _next(job: Job, server: Server, deadline: float | None) -> bytes | Reply:
    left = None if deadline is None else deadline - asyncio.get_running_loop().time()
    try:
        return await asyncio.wait_for(job.next(), left)
    except TimeoutError:
        job.stop()
        server.site.metrics.stopped()
        raise too_slow(server.site.timeout or 0) from None


async def _stop_when_gone(receive: Receive, job: Job) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    job.stop()


@asynccontextmanager
async def _read(request: "Request", route: Route) -> AsyncIterator[Call]:
    """Yield a request as its handler reads it; files of its form are gone afterwards.

    Raises:
        Refused: the body is too large, or the form is broken.
    """
    from starlette.requests import ClientDisconnect
    from starlette.requests import Request as Whole

    call = Call(path=dict(request.path_params), query=dict(request.query_params))
    bounded = Whole(request.scope, _bounded(request, LONGEST_FORM if route.form else LONGEST_BODY))
    try:
        if not route.form:
            yield replace(call, body=await bounded.body())
            return
        async with _form(bounded) as (fields, upload):
            yield replace(call, fields=fields, upload=upload)
    except ClientDisconnect:
        raise _Gone from None


@asynccontextmanager
async def _form(request: "Request") -> AsyncIterator[tuple[dict[str, str], Upload | None]]:
    from starlette.datastructures import UploadFile
    from starlette.exceptions import HTTPException
    from starlette.formparsers import MultiPartException

    try:
        form = await request.form(max_files=1, max_fields=50, max_part_size=100_000)
    except (HTTPException, MultiPartException, UnicodeError, KeyError) as error:
        raise Refused(
            t(
                "The form cannot be read ({error}).",
                "Le formulaire est illisible ({error}).",
                error=getattr(error, "detail", None) or type(error).__name__,
            )
        ) from None
    except OSError as error:
        raise not_kept(error) from error
    try:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        given = form.get("file")
        upload = None
        if isinstance(given, UploadFile):
            upload = Upload(given.filename or "", given.file)
        yield fields, upload
    finally:
        await form.close()


def _bounded(request: "Request", limit: int) -> Receive:
    """Return a `receive` that refuses a body of more than `limit` bytes, told or counted."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise too_large(size(limit))
    total = 0

    async def receive() -> Any:
        nonlocal total
        message = await request.receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise too_large(size(limit))
        return message

    return receive


def _refusal(error: Refused) -> Reply:
    status, body = explain(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Reply(as_json(body).body, status, headers=headers)


def _sending(reply: Reply) -> App:
    async def send_it(scope: Scope, receive: Receive, send: Send) -> None:
        await _send(reply, send)

    return send_it


async def _send(reply: Reply, send: Send) -> None:
    head = [(b"content-type", reply.media_type.encode())] if reply.body else []
    head.append((b"content-length", str(len(reply.body)).encode()))
    head += [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    if reply.status == 204:
        head = []
    await send({"type": "http.response.start", "status": reply.status, "headers": head})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


async def _http_error(request: "Request", error: Any) -> App:
    """Tell an unknown path or a wrong method in the shape of all errors."""
    if error.status_code == 404:
        sentence = t("There is no such path here.", "Ce chemin n'existe pas ici.")
    elif error.status_code == 405:
        sentence = t("This path has other methods.", "Ce chemin a d'autres méthodes.")
    else:
        sentence = str(error.detail)
    reply = _refusal(Refused(sentence, error.status_code))
    headers: Mapping[str, str] = error.headers or {}
    return _sending(Reply(reply.body, reply.status, headers=headers))


async def _crashed(request: "Request", error: Exception) -> App:
    """Tell what no handler foresaw; the server writes its traceback to standard error."""
    status, body = explain(error)
    return _sending(Reply(as_json(body).body, status))
