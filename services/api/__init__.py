"""The HTTP API for scripts and chat clients; holds no state of its own."""

from typing import Protocol

from fastapi import FastAPI

from services.api import (
    bug_report,
    chat,
    diagnostics,
    docs,
    doctor_probes,
    errors,
    events,
    fallback,
    files,
    generate,
    health,
    library,
    media,
    metrics,
    origin_guard,
    sources,
)
from services.api.health import Health
from services.api.metrics import Metrics
from services.chat import Chats
from services.core.settings import TRUSTED_PROXIES
from services.diagnostics.service import Diagnostics
from services.generations.service import Generations
from services.library import Library
from services.statistics import Statistics

__all__ = ["Health", "Metrics", "Services", "include"]


class Services(Protocol):
    """The parts of an engine that the routes use."""

    @property
    def generations(self) -> Generations: ...
    @property
    def library(self) -> Library: ...
    @property
    def statistics(self) -> Statistics: ...
    @property
    def diagnostics(self) -> Diagnostics: ...
    @property
    def chats(self) -> Chats: ...
    @property
    def health(self) -> Health: ...
    @property
    def metrics(self) -> Metrics: ...


def include(
    app: FastAPI, services: Services, *, public_url: str | None, trusted_proxies: str = TRUSTED_PROXIES
) -> None:
    """Adds all routes, the guards and the error handlers; call it before the pages are mounted at "/".

    The app must be made with `docs_url=None, redoc_url=None`: FastAPI's own pages load from a CDN.
    """
    if app.docs_url is not None or app.redoc_url is not None:
        raise ValueError("Make the app with docs_url=None and redoc_url=None; /docs is served from here.")
    app.state.public_url = public_url
    generations = services.generations
    routers = [
        generate.router(generations),
        files.router(generations),
        library.router(generations, services.library),
        chat.router(services.chats),
        events.router(generations),
        bug_report.router(services.statistics),
        sources.router(generations),
        media.router(generations, services.library, services.metrics.lost),
        doctor_probes.router(),
        diagnostics.router(services.diagnostics),
        health.router(services.health),
        metrics.router(services.metrics),
        docs.router(app),
    ]
    for router in [*routers, fallback.router([route for each in routers for route in each.routes])]:
        app.include_router(router)
    errors.install(app)
    origin_guard.install(app, public_url=public_url, trusted_proxies=trusted_proxies)
