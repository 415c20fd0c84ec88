"""Builds an engine from the settings: creates all parts and joins them; opens nothing."""

import functools
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from services import api
from services.app.backends import InstalledBackends
from services.app.container import Engine
from services.app.watch import build_watch
from services.backends.base import Backend
from services.catalogue import Catalogue
from services.chat import Chats
from services.chat.llm import LanguageModel
from services.core.events import Bus
from services.core.model import Kind
from services.core.runtime import Runtime
from services.core.settings import Settings
from services.diagnostics.doctor import Doctor
from services.diagnostics.runs import DrillRuns
from services.diagnostics.service import Diagnostics
from services.generations.poll_rhythm import PollRhythm
from services.generations.service import Generations
from services.http.address_guard import AddressGuard
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
from services.statistics.bug_report import Installation
from services.store.chats import ChatRows
from services.store.library import LibraryRows
from services.store.sources import SourceRows
from services.store.statistics import StatisticsRows
from services.store.store import Store

VERSION = "0.1.0"
COMMAND_LINE = Path(__file__).resolve().parents[2] / "main.py"
"""The check-up page starts the drill with it, as a process of its own."""


def build_engine(
    settings: Settings,
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
    instead: Sequence[Backend] = (),
    origins: Iterable[str] = (),
) -> Engine:
    """Joins all parts; nothing is opened. `checkpoint` is called at each boundary of a generation's life.

    The backends `instead`, whose results come from `origins`, replace all that are configured.
    """
    runtime = Runtime(checkpoint=checkpoint)
    guard = AddressGuard(origins)
    installed = (
        InstalledBackends.replaced_by(instead) if instead else InstalledBackends.configured(settings, guard)
    )
    bus = Bus()
    process = f"{os.getpid()}-{secrets.token_hex(4)}"
    store = Store(settings.resolved_database_url, process=process, checkpoint=checkpoint)
    folder = MediaFolder(settings.media_dir, checkpoint=checkpoint)
    worker = Worker()
    downloader = Downloader(guard)
    ingest = Ingest(folder, downloader, worker, checkpoint=checkpoint)
    catalogue = Catalogue(list(installed.backends.values()), settings, settings.data_dir / "models.toml")
    rhythm = PollRhythm(settings, catalogue, installed.backends)
    watch = build_watch(
        store,
        bus,
        ingest,
        installed.backends,
        rhythm,
        runtime,
        stream_silence_s=settings.stream_silence_s,
        read_source=folder.read,
    )
    generations = Generations(
        store=store,
        event_log=watch.event_log,
        bus=bus,
        supervisor=watch.supervisor,
        catalogue=catalogue,
        rhythm=rhythm,
        sources=Sources(folder, ingest, worker, SourceRows(store)),
        runtime=runtime,
    )
    metrics = api.Metrics(bus, backends=installed.backends)
    library_rows = LibraryRows(store)
    storage = Storage(store, folder, lost=metrics.lost)
    scrub = Scrub(library_rows, folder, lost=metrics.lost, damaged=metrics.damaged)
    library = Library(
        library_rows=library_rows,
        generations=generations,
        bus=bus,
        supervisor=watch.supervisor,
        folder=folder,
        storage=storage,
        scrub=scrub,
        runtime=runtime,
    )
    llm = build_llm(settings, ChatRows(store), catalogue)
    return Engine(
        settings=settings,
        store=store,
        event_log=watch.event_log,
        bus=bus,
        folder=folder,
        worker=worker,
        downloader=downloader,
        delivery=watch.delivery,
        supervisor=watch.supervisor,
        reconciler=watch.reconciler,
        catalogue=catalogue,
        backends=installed.backends,
        generations=generations,
        chats=Chats(generations, ChatRows(store), llm=llm, runtime=runtime),
        llm=llm,
        library=library,
        orphans=Orphans(library_rows, store, storage),
        statistics=Statistics(
            rows=StatisticsRows(store),
            generations=generations,
            event_log=watch.event_log,
            storage=storage,
            scrub=scrub,
            installation=Installation(
                version=VERSION,
                settings=settings,
                backends=tuple(installed.backends),
                secrets=functools.partial(secrets_of, settings, installed),
            ),
        ),
        diagnostics=build_diagnostics(settings, installed),
        animatic=installed.animatic(settings.data_dir / "animatic", guard, catalogue),
        health=build_health(settings, store, catalogue),
        metrics=metrics,
        checkpoint=checkpoint,
    )


def secrets_of(settings: Settings, installed: InstalledBackends) -> list[str]:
    """Values that no text leaving the install may contain."""
    key = [] if settings.chat_key is None else [settings.chat_key.get_secret_value()]
    return [*installed.tokens, *key]


def build_llm(settings: Settings, rows: ChatRows, catalogue: Catalogue) -> LanguageModel | None:
    if settings.chat_url is None or settings.chat_model is None:
        return None
    key = settings.chat_key.get_secret_value() if settings.chat_key is not None else ""
    return LanguageModel(rows, catalogue, url=settings.chat_url, key=key, model=settings.chat_model)


def build_diagnostics(settings: Settings, installed: InstalledBackends) -> Diagnostics:
    command = [sys.executable, str(COMMAND_LINE), "drill", "--lines"]
    return Diagnostics(
        DrillRuns(command, settings.data_dir),
        Doctor(data_dir=settings.data_dir, backends=installed.backends, url_of=installed.url_of),
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
