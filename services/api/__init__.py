"""The HTTP API for scripts and chat clients; holds no state of its own."""

from __future__ import annotations

from fastapi import FastAPI

from services.api import bug_report as deliveries_
from services.api import (
    chat,
    docs,
    doctor_probes,
    errors,
    events,
    fallback,
    files,
    generate,
    media,
    origin_guard,
    sources,
)
from services.api import diagnostics as checkup_
from services.api import health as health_
from services.api import library as library_
from services.api import metrics as metrics_
from services.api.health import Health
from services.api.metrics import Metrics
from services.api.public_url import Addresses
from services.chat import Chats
from services.diagnostics.service import Diagnostics
from services.generations.service import Generations
from services.library import Library
from services.statistics import Statistics

__all__ = ["Health", "Metrics", "include"]


def include(
    app: FastAPI,
    generations: Generations,
    *,
    public_url: str | None = None,
    library: Library,
    statistics: Statistics,
    diagnostics: Diagnostics,
    chats: Chats,
    health: Health,
    metrics: Metrics,
) -> None:
    """Add all routes, the guards and the error answers; before the pages are mounted at "/".

    The app must be made with `docs_url=None, redoc_url=None`: FastAPI's own pages load from a CDN.
    """
    if app.docs_url is not None or app.redoc_url is not None:
        raise ValueError("Make the app with docs_url=None and redoc_url=None; /docs is served from here.")
    addresses = Addresses(public_url)
    routers = [
        generate.router(generations),
        files.router(generations, addresses),
        library_.router(generations, library, addresses),
        chat.router(chats),
        events.router(generations, addresses),
        deliveries_.router(statistics),
        sources.router(generations),
        media.router(generations, library, metrics.lost),
        doctor_probes.router(),
        checkup_.router(diagnostics),
        health_.router(health),
        metrics_.router(metrics),
        docs.router(app),
    ]
    for router in [*routers, fallback.router([route for each in routers for route in each.routes])]:
        app.include_router(router)
    errors.install(app)
    origin_guard.install(app, public_url=public_url)
