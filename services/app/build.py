"""The engine: all parts, and how the settings and each other configure them; opens nothing."""

import os
import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services import api
from services.animatic.process import AnimaticProcess
from services.app.backends import InstalledBackends
from services.app.generations import GenerationParts, build_generations
from services.backends.base import Backend
from services.catalogue import Catalogue
from services.chat import Chats
from services.chat.llm import LanguageModel
from services.chat.openai_endpoint import OpenAIEndpoint
from services.core.events import Bus
from services.core.model import Kind
from services.core.runtime import Runtime
from services.core.settings import LOOPBACK, Settings
from services.diagnostics.doctor import Doctor
from services.diagnostics.runs import DrillRuns
from services.diagnostics.service import Diagnostics
from services.generations.delivery import Delivery
from services.generations.event_log import EventLog
from services.generations.reconciler import Reconciler
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.http.address import Address
from services.http.address_guard import AddressGuard
from services.http.proxy import OutboundProxy
from services.library import Library
from services.library.orphans import Orphans
from services.library.reindex import Reindex
from services.library.scrub import Scrub
from services.library.storage import Storage
from services.media.download import Downloader, Limits
from services.media.ingest import Ingest
from services.media.sources import Sources
from services.media.storage.folder import MediaFolder
from services.media.worker_pool import Worker
from services.statistics import Statistics
from services.statistics.bug_report import Installation
from services.store.chats import ChatRows
from services.store.library import LibraryRows
from services.store.search_text import SearchText
from services.store.sources import SourceRows
from services.store.statistics import StatisticsRows
from services.store.store import Store

VERSION = "0.1.0"
COMMAND_LINE = Path(__file__).resolve().parents[2] / "main.py"
"""The check-up page runs the drill with it, in a process of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything that works without an open browser."""

    settings: Settings
    store: Store
    event_log: EventLog
    bus: Bus
    folder: MediaFolder
    worker: Worker
    downloader: Downloader
    delivery: Delivery
    supervisor: Supervisor
    reconciler: Reconciler
    catalogue: Catalogue
    backends: dict[str, Backend]
    generations: Generations
    chats: Chats
    llm: LanguageModel | None
    library: Library
    orphans: Orphans
    reindex: Reindex
    statistics: Statistics
    diagnostics: Diagnostics
    animatic: AnimaticProcess | None
    health: api.Health
    metrics: api.Metrics
    checkpoint: Callable[[str], None]


def build_engine(
    settings: Settings,
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
    replacements: Sequence[Backend] = (),
    origins: Iterable[str] = (),
) -> Engine:
    """Joins all parts; opens nothing. `checkpoint` is called at each boundary of a generation's life.

    The backends `replacements`, whose results come from `origins`, replace all that are configured.
    """
    runtime, guard, bus = (
        Runtime(checkpoint=checkpoint),
        AddressGuard(origins, trusted=settings.result_origins),
        Bus(),
    )
    installed = (
        InstalledBackends.replaced_by(replacements)
        if replacements
        else InstalledBackends.configured(settings, guard)
    )
    backends = installed.backends
    process = f"{os.getpid()}-{secrets.token_hex(4)}"
    store = Store(settings.resolved_database_url, process=process, checkpoint=checkpoint)
    folder = MediaFolder(settings.media_dir, checkpoint=checkpoint)
    limits = Limits(size_bytes=round(settings.result_limit_mb * 1e6))
    worker = Worker(max_pixels=round(settings.picture_limit_mp * 1e6))
    downloader = Downloader(guard, limits=limits, proxy=installed.proxy)
    ingest = Ingest(folder, downloader, worker, checkpoint=checkpoint)
    catalogue = Catalogue(list(backends.values()), settings)
    sources = Sources(folder, ingest, worker, SourceRows(store))
    parts = build_generations(
        settings, store, bus, ingest, sources, folder.read, catalogue, backends, runtime
    )
    metrics = api.Metrics(bus, backends=backends)
    library = build_library(store, folder, bus, parts, metrics, runtime)
    llm = build_llm(settings, ChatRows(store), catalogue, installed.proxy)
    return Engine(
        settings=settings,
        store=store,
        event_log=parts.event_log,
        bus=bus,
        folder=folder,
        worker=worker,
        downloader=downloader,
        delivery=parts.delivery,
        supervisor=parts.supervisor,
        reconciler=parts.reconciler,
        catalogue=catalogue,
        backends=backends,
        generations=parts.generations,
        chats=Chats(parts.generations, ChatRows(store), llm=llm, runtime=runtime),
        llm=llm,
        library=library,
        orphans=Orphans(LibraryRows(store), store, library.storage),
        reindex=Reindex(LibraryRows(store), SearchText(store)),
        statistics=build_statistics(settings, installed, store, parts, library),
        diagnostics=build_diagnostics(settings, installed),
        animatic=installed.animatic(settings.data_dir / "animatic", guard, catalogue),
        health=build_health(settings, store, catalogue),
        metrics=metrics,
        checkpoint=checkpoint,
    )


def build_library(
    store: Store,
    folder: MediaFolder,
    bus: Bus,
    parts: GenerationParts,
    metrics: api.Metrics,
    runtime: Runtime,
) -> Library:
    rows = LibraryRows(store)
    return Library(
        library_rows=rows,
        generations=parts.generations,
        bus=bus,
        supervisor=parts.supervisor,
        folder=folder,
        storage=Storage(store, folder, on_lost=metrics.lost),
        scrub=Scrub(rows, folder, on_lost=metrics.lost, on_damaged=metrics.damaged),
        runtime=runtime,
    )


def build_statistics(
    settings: Settings, installed: InstalledBackends, store: Store, parts: GenerationParts, library: Library
) -> Statistics:
    return Statistics(
        rows=StatisticsRows(store),
        generations=parts.generations,
        event_log=parts.event_log,
        storage=library.storage,
        scrub=library.scrub,
        installation=Installation(
            version=VERSION,
            settings=settings,
            backends=tuple(installed.backends),
            secrets=lambda: [*installed.tokens, chat_key(settings)],
        ),
    )


def build_llm(
    settings: Settings, rows: ChatRows, catalogue: Catalogue, proxy: OutboundProxy
) -> LanguageModel | None:
    """Raises CannotStart."""
    url, model = settings.chat_url, settings.chat_model
    if url is None or model is None:
        return None
    address = Address(url, chat_key(settings))
    if urlsplit(url).hostname in LOOPBACK:
        proxy.bypass(url)
    return LanguageModel(rows, catalogue, OpenAIEndpoint(address, model, proxy=proxy))


def chat_key(settings: Settings) -> str:
    return "" if settings.chat_key is None else settings.chat_key.get_secret_value()


def build_diagnostics(settings: Settings, installed: InstalledBackends) -> Diagnostics:
    command = [sys.executable, str(COMMAND_LINE), "drill", "--lines"]
    return Diagnostics(
        DrillRuns(command, settings.data_dir),
        Doctor(
            data_dir=settings.data_dir,
            backends=installed.backends,
            url_of=installed.url_of,
            proxy=installed.proxy,
        ),
        public_url=settings.public_url,
    )


def build_health(settings: Settings, store: Store, catalogue: Catalogue) -> api.Health:
    async def count_open() -> int:
        return sum((await store.open_count()).values())

    return api.Health(
        version=VERSION,
        data_dir=settings.data_dir,
        open_generations=count_open,
        damaged=lambda: store.damaged,
        problems=lambda: catalogue.problems,
        models_known=lambda: any(catalogue.models(kind) for kind in Kind),
    )
