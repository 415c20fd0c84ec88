"""From the settings to an engine: which objects there are and how they are joined. Nothing is opened here."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from services import api
from services.animatic.process import AnimaticProcess
from services.app.container import Engine
from services.backends.base import Backend
from services.backends.registry import build_backends
from services.backends.superduperai import Address
from services.catalogue import Catalogue
from services.channels.poll_policy import PollPolicy, chat_policy, tool_policy
from services.chat import Chats
from services.chat.llm import LanguageModel
from services.core.events import Bus
from services.core.model import Generation, Kind
from services.core.settings import Settings
from services.diagnostics.doctor import Doctor
from services.diagnostics.runs import DrillRuns
from services.diagnostics.service import Diagnostics
from services.generations.delivery import Delivery
from services.generations.event_log import EventLog
from services.generations.reconciler import Reconciler
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.http.address_guard import AddressGuard, origin_of
from services.library import Library
from services.library.orphans import Orphans
from services.library.scrub import Scrub
from services.library.storage import Storage
from services.media.download import Downloader
from services.media.ingest import Ingest
from services.media.sources import Sources
from services.media.storage.folder import MediaFolder
from services.media.worker_pool import Worker
from services.statistics import Statistics
from services.store.chats import ChatRows
from services.store.jobs import JobRows
from services.store.library import LibraryRows
from services.store.statistics import StatisticsRows
from services.store.store import Store

VERSION = "0.1.0"
COMMAND_LINE = Path(__file__).resolve().parents[2] / "main.py"
"""By which the check-up page starts a drill as a process of its own."""


def build_engine(
    settings: Settings,
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
    instead: Sequence[Backend] = (),
    origins: Iterable[str] = (),
) -> Engine:
    """`checkpoint` is told when a boundary is reached; tests pull the plug there.

    The backends `instead`, whose results come from `origins`, stand in for all that are configured.
    """
    guard = AddressGuard(origins)
    backends, animatic_address = (
        ({backend.name: backend for backend in instead}, None) if instead else build_backends(settings, guard)
    )
    bus = Bus()
    process = f"{os.getpid()}-{secrets.token_hex(4)}"
    store = Store(settings.resolved_database_url, process=process, checkpoint=checkpoint)
    event_log = EventLog(store, bus)
    folder = MediaFolder(settings.media_dir, checkpoint=checkpoint)
    worker = Worker()
    downloader = Downloader(guard)
    ingest = Ingest(folder, downloader, worker, checkpoint=checkpoint)
    delivery = Delivery(store, ingest, bus, event_log, checkpoint=checkpoint)
    catalogue = Catalogue(list(backends.values()), settings, settings.data_dir / "models.toml")
    supervisor = Supervisor(
        store,
        event_log,
        bus,
        delivery.keep,
        backends,
        policy_of=functools.partial(policy_of, settings, catalogue, backends),
        stream_silence_s=settings.stream_silence_s,
        read_source=lambda name: asyncio.to_thread(folder.path(name).read_bytes),
        checkpoint=checkpoint,
    )
    generations = Generations(
        store=store,
        event_log=event_log,
        bus=bus,
        supervisor=supervisor,
        backends=backends,
        catalogue=catalogue,
        settings=settings,
        sources=Sources(folder, ingest, worker),
        media_path=folder.path,
        checkpoint=checkpoint,
    )
    metrics = api.Metrics(bus, backends=backends)
    library_rows = LibraryRows(store)
    storage = Storage(store, folder, lost=metrics.lost)
    scrub = Scrub(library_rows, folder, lost=metrics.lost, damaged=metrics.damaged)
    library = Library(
        library_rows=library_rows,
        generations=generations,
        bus=bus,
        supervisor=supervisor,
        folder=folder,
        storage=storage,
        checkpoint=checkpoint,
        scrub=scrub,
    )
    statistics = Statistics(
        rows=StatisticsRows(store),
        generations=generations,
        event_log=event_log,
        storage=storage,
        scrub=scrub,
        version=VERSION,
        secrets=functools.partial(secrets_of, settings, animatic_address),
    )
    llm = build_llm(settings, ChatRows(store), catalogue)
    animatic = None
    if animatic_address is not None:
        moved = functools.partial(animatic_moved, animatic_address, guard, catalogue)
        animatic = AnimaticProcess((settings.data_dir / "animatic").absolute(), moved)
    return Engine(
        settings=settings,
        store=store,
        event_log=event_log,
        bus=bus,
        folder=folder,
        worker=worker,
        downloader=downloader,
        delivery=delivery,
        supervisor=supervisor,
        reconciler=Reconciler(JobRows(store), supervisor, backends),
        catalogue=catalogue,
        backends=backends,
        generations=generations,
        chats=Chats(generations, ChatRows(store), llm=llm, checkpoint=checkpoint),
        llm=llm,
        library=library,
        orphans=Orphans(library_rows, store, storage),
        statistics=statistics,
        diagnostics=build_checkup(settings, backends, animatic_address),
        animatic=animatic,
        health=api.Health(
            version=VERSION,
            data_dir=settings.data_dir,
            open_generations=functools.partial(count_open, store),
            damaged=lambda: store.damaged,
            problems=lambda: catalogue.problems,
            models_known=lambda: any(catalogue.models(kind) for kind in Kind),
        ),
        metrics=metrics,
        checkpoint=checkpoint,
    )


def secrets_of(settings: Settings, animatic: Address | None) -> list[str]:
    """What no text that leaves the install may hold, word for word."""
    kept = (settings.superduperai_token, settings.chat_key)
    known = [secret.get_secret_value() for secret in kept if secret is not None]
    return [*known, animatic.token] if animatic is not None else known


def animatic_moved(address: Address, guard: AddressGuard, catalogue: Catalogue, url: str, token: str) -> None:
    """The embedded server has a new port and a new token after each start."""
    if address.url:
        guard.forget(origin_of(address.url))
    guard.allow(origin_of(url))
    address.move(url, token)
    catalogue.wake()


async def count_open(store: Store) -> int:
    return sum((await store.open_count()).values())


def build_llm(settings: Settings, rows: ChatRows, catalogue: Catalogue) -> LanguageModel | None:
    if settings.chat_url is None or settings.chat_model is None:
        return None
    key = settings.chat_key.get_secret_value() if settings.chat_key is not None else ""
    return LanguageModel(rows, catalogue, url=settings.chat_url, key=key, model=settings.chat_model)


def build_checkup(settings: Settings, backends: dict[str, Backend], animatic: Address | None) -> Diagnostics:
    def place_of(backend: str) -> str:
        return animatic.url if backend == "animatic" and animatic else settings.superduperai_url or ""

    command = [sys.executable, str(COMMAND_LINE), "drill", "--lines"]
    return Diagnostics(
        DrillRuns(command, settings.data_dir),
        Doctor(data_dir=settings.data_dir, backends=backends, place_of=place_of),
        public_url=settings.public_url,
    )


def policy_of(
    settings: Settings, catalogue: Catalogue, backends: dict[str, Backend], generation: Generation
) -> PollPolicy:
    request = generation.request
    model = catalogue.find(request.kind, request.backend, request.model)
    every_s = (model and model.poll_every_s) or settings.poll_every_s
    at_most_every_s = backends[request.backend].capabilities.poll_at_most_every_s
    if request.chat_id is not None:
        return chat_policy(settings.chat_poll_after_s, every_s, at_most_every_s=at_most_every_s)
    return tool_policy(every_s, at_most_every_s=at_most_every_s)
