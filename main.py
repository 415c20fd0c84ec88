"""Rushes: the only place that reads the settings, builds the objects, joins, opens and closes them."""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import logging
import os
import re
import secrets
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from services import api
from services.animatic.process import AnimaticProcess
from services.backends.base import Backend, Capabilities
from services.backends.superduperai import Address, SuperDuperAI
from services.bus import Bus
from services.catalogue import Catalogue
from services.channels.policy import PollPolicy, chat_policy, tool_policy
from services.chat import Chats
from services.chat.companion import LanguageModel
from services.checkup import Checkup, Drills
from services.deliveries import Deliveries
from services.delivery import Delivery
from services.doctor import ILL, Doctor
from services.drill import Drill
from services.drill.finding import written
from services.errors import CannotStart
from services.generations import Generations
from services.ghosts import Ghosts
from services.journal import Journal
from services.library import Library, rules
from services.library.leftovers import Leftovers
from services.library.rounds import Rounds
from services.library.storage import Storage
from services.media.download import Downloader
from services.media.files import MediaFolder
from services.media.guard import AddressGuard, origin_of
from services.media.keeping import Keeper
from services.media.sources import Sources
from services.media.worker import Worker
from services.model import Generation, Kind
from services.settings import Settings
from services.store.chats import ChatRows
from services.store.deliveries import DeliveryRows
from services.store.jobs import JobRows
from services.store.lock import FolderLock
from services.store.shelf import Shelf
from services.store.store import Store
from services.watching import Watching

log = logging.getLogger("rushes")
VERSION = "0.1.0"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ANIMATIC_OPENS_WITHIN_S = 5.0
OLDER_THAN_S = 0.1
"""A younger file may be on its way into its row; the kernel's clock for files lags by up to 0.01 s."""
BACKLOG = 2048
DRILL_POLLS_EVERY_S = 0.3
STREAM_S, QUICK_S = 35, 5
FULL_COLLECTIONS = (50_000, 20, 100)


def main() -> int:
    """Serve in the foreground; 0 after a shutdown, 1 with a sentence when it cannot start."""
    asked = read_command()
    try:
        settings = read_settings()
        if asked.command == "drill":
            return asyncio.run(drill_in_lines(settings) if asked.lines else drill(settings))
        if asked.command == "doctor":
            url = address_of(settings, asked.address)
            return asyncio.run(doctor(settings, url, stream_s=QUICK_S if asked.quick else STREAM_S))
        lock = FolderLock(settings.data_dir)
        lock.take()
        with listening_socket(settings) as listener:
            set_up_logging()
            serve(settings, listener)
    except CannotStart as refusal:
        print(f"Rushes cannot start: {refusal}", file=sys.stderr)
        return 1
    return 0


def read_command() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Rushes, a studio for AI video. Without a command it serves."
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    play = commands.add_parser(
        "drill", help="play faults against this install's engine, a verdict for each rule"
    )
    play.add_argument(
        "--lines", action="store_true", help="each finding at once, as JSON; it ends when its input is closed"
    )
    examine = commands.add_parser(
        "doctor", help="is all well between this install, its people and its backends"
    )
    examine.add_argument("address", nargs="?", help="the address people use (default: RUSHES_PUBLIC_URL)")
    examine.add_argument("--quick", action="store_true", help=f"listen for {QUICK_S} s, not for {STREAM_S} s")
    return parser.parse_args()


def read_settings() -> Settings:
    """Raises CannotStart with the setting's name and what is wrong with it."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        prefix = "" if name.startswith("SUPERDUPERAI") else "RUSHES_"
        raise CannotStart(f"the setting {prefix}{name} is not right: {first['msg']}.") from error
    if settings.host not in LOOPBACK:
        raise CannotStart(
            f"RUSHES_HOST is {settings.host}, and there is no sign-in yet, so anybody on the network could "
            "use your keys. Leave it at 127.0.0.1 and reach it through an SSH tunnel."
        )
    if not settings.resolved_database_url.startswith("sqlite:///"):
        raise CannotStart("RUSHES_DATABASE_URL must name an SQLite file, as sqlite:////path/rushes.db.")
    if bool(settings.superduperai_url) != bool(settings.superduperai_token):
        raise CannotStart("set both SUPERDUPERAI_URL and SUPERDUPERAI_TOKEN, or neither.")
    if bool(settings.chat_url) != bool(settings.chat_model):
        raise CannotStart("set both RUSHES_CHAT_URL and RUSHES_CHAT_MODEL, or neither.")
    return settings


def listening_socket(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)  # now: else two that start at once both bind, and uvicorn fails in the later
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"port {settings.port} on {settings.host} cannot be used ({error.strerror}). "
            "Stop what is using it, or choose another one in RUSHES_PORT."
        ) from error
    return listener


def set_up_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "httpx2", "httpcore", "httpcore2", "openai", "alembic", "uvicorn.error", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


# -- the objects and how they are joined ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything that works with no browser open."""

    settings: Settings
    store: Store
    journal: Journal
    bus: Bus
    folder: MediaFolder
    worker: Worker
    downloader: Downloader
    delivery: Delivery
    watching: Watching
    ghosts: Ghosts
    catalogue: Catalogue
    backends: dict[str, Backend]
    generations: Generations
    chats: Chats
    companion: LanguageModel | None
    library: Library
    leftovers: Leftovers
    deliveries: Deliveries
    checkup: Checkup
    animatic: AnimaticProcess | None
    health: api.Health
    metrics: api.Metrics
    checkpoint: Callable[[str], None]


def build(
    settings: Settings,
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
    backend: Backend | None = None,
    origin: str = "",
) -> Engine:
    """`checkpoint` is told when a boundary is reached; tests pull the plug there.

    A `backend`, whose results come from `origin`, stands in for all that are configured.
    """
    guard = AddressGuard([origin] if origin else [])
    backends, animatic_address = (
        build_backends(settings, guard) if backend is None else ({backend.name: backend}, None)
    )
    bus = Bus()
    process = f"{os.getpid()}-{secrets.token_hex(4)}"
    store = Store(settings.resolved_database_url, process=process, checkpoint=checkpoint)
    journal = Journal(store, bus)
    folder = MediaFolder(settings.media_dir, checkpoint=checkpoint)
    worker = Worker()
    downloader = Downloader(guard)
    keeper = Keeper(folder, downloader, worker, checkpoint=checkpoint)
    delivery = Delivery(store, keeper, bus, journal, checkpoint=checkpoint)
    catalogue = Catalogue(list(backends.values()), settings, settings.data_dir / "models.toml")
    watching = Watching(
        store,
        journal,
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
        journal=journal,
        bus=bus,
        watching=watching,
        backends=backends,
        catalogue=catalogue,
        settings=settings,
        sources=Sources(folder, keeper, worker),
        media_path=folder.path,
        checkpoint=checkpoint,
    )
    metrics = api.Metrics(bus, backends=backends)
    shelf = Shelf(store)
    storage = Storage(store, folder, lost=metrics.lost)
    rounds = Rounds(shelf, folder, lost=metrics.lost, damaged=metrics.damaged)
    library = Library(
        shelf=shelf,
        generations=generations,
        bus=bus,
        watching=watching,
        folder=folder,
        storage=storage,
        checkpoint=checkpoint,
        rounds=rounds,
    )
    deliveries = Deliveries(
        rows=DeliveryRows(store),
        generations=generations,
        journal=journal,
        storage=storage,
        rounds=rounds,
        version=VERSION,
        secrets=functools.partial(secrets_of, settings, animatic_address),
    )
    companion = build_companion(settings, ChatRows(store), catalogue)
    animatic = None
    if animatic_address is not None:
        moved = functools.partial(animatic_moved, animatic_address, guard, catalogue)
        animatic = AnimaticProcess((settings.data_dir / "animatic").absolute(), moved)
    return Engine(
        settings=settings,
        store=store,
        journal=journal,
        bus=bus,
        folder=folder,
        worker=worker,
        downloader=downloader,
        delivery=delivery,
        watching=watching,
        ghosts=Ghosts(JobRows(store), watching, backends),
        catalogue=catalogue,
        backends=backends,
        generations=generations,
        chats=Chats(generations, ChatRows(store), companion=companion, checkpoint=checkpoint),
        companion=companion,
        library=library,
        leftovers=Leftovers(shelf, store, storage),
        deliveries=deliveries,
        checkup=build_checkup(settings, backends, animatic_address),
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


async def count_open(store: Store) -> int:
    return sum((await store.open_count()).values())


def build_backends(settings: Settings, guard: AddressGuard) -> tuple[dict[str, Backend], Address | None]:
    """In the order of preference: cloud before animatic."""
    backends: dict[str, Backend] = {}
    tls = ssl.create_default_context()
    if settings.superduperai_url and settings.superduperai_token:
        guard.allow(origin_of(settings.superduperai_url))
        backends["superduperai"] = SuperDuperAI(
            name="superduperai",
            address=Address(settings.superduperai_url, settings.superduperai_token.get_secret_value()),
            capabilities=Capabilities(searchable=True),
            ssl_context=tls,
        )
    animatic = Address() if settings.animatic else None
    if animatic is not None:
        backends["animatic"] = SuperDuperAI(
            name="animatic",
            address=animatic,
            capabilities=Capabilities(keyed=True, searchable=True, cancel=True),
            ssl_context=tls,
        )
    return backends, animatic


def build_companion(settings: Settings, rows: ChatRows, catalogue: Catalogue) -> LanguageModel | None:
    if settings.chat_url is None or settings.chat_model is None:
        return None
    key = settings.chat_key.get_secret_value() if settings.chat_key is not None else ""
    return LanguageModel(rows, catalogue, url=settings.chat_url, key=key, model=settings.chat_model)


def build_checkup(settings: Settings, backends: dict[str, Backend], animatic: Address | None) -> Checkup:
    def place_of(backend: str) -> str:
        return animatic.url if backend == "animatic" and animatic else settings.superduperai_url or ""

    command = [sys.executable, str(Path(__file__).resolve()), "drill", "--lines"]
    return Checkup(
        Drills(command, settings.data_dir),
        Doctor(data_dir=settings.data_dir, backends=backends, place_of=place_of),
        public_url=settings.public_url,
    )


def animatic_moved(address: Address, guard: AddressGuard, catalogue: Catalogue, url: str, token: str) -> None:
    """The embedded server has a new port and a new token after each start."""
    if address.url:
        guard.forget(origin_of(address.url))
    guard.allow(origin_of(url))
    address.move(url, token)
    catalogue.wake()


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


# -- opening and closing --------------------------------------------------------------------------


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    """From the database upwards, and down again in the other order."""
    async with AsyncExitStack() as stack:

        def at_the_end(name: str, close: Callable[[], Awaitable[None]]) -> None:
            stack.push_async_callback(closed, close, name, engine.checkpoint)

        await engine.store.open()
        at_the_end("store_closed", engine.store.close)
        await engine.folder.clean_parts()
        started_at = time.time()
        await engine.leftovers.open()
        at_the_end("leases_released", engine.store.release)
        at_the_end("journal_flushed", engine.journal.flush)
        for backend in engine.backends.values():
            at_the_end("backend_closed", backend.close)
        at_the_end("downloader_closed", engine.downloader.close)
        at_the_end("worker_closed", engine.worker.close)
        at_the_end("delivery_closed", engine.delivery.close)
        owned = [
            asyncio.create_task(engine.journal.run(), name="journal"),
            asyncio.create_task(engine.watching.keep_leases(), name="leases"),
            tidying := asyncio.create_task(tidy(engine, started_at), name="tidy"),
        ]
        opening = asyncio.create_task(open_animatic(engine.animatic), name="animatic")
        owned += [opening, asyncio.create_task(list_models(engine.catalogue, opening), name="catalogue")]
        if engine.animatic is not None:
            stack.push_async_callback(engine.animatic.stop)
        at_the_end("tasks_ended", functools.partial(ended, owned))
        at_the_end("watching_closed", engine.watching.close)
        if engine.companion is not None:
            stack.push_async_callback(engine.companion.close)
            owned.append(asyncio.create_task(warm(engine.companion), name="language model"))
        await engine.chats.open()
        at_the_end("chats_closed", engine.chats.close)
        await engine.checkup.open()
        stack.push_async_callback(engine.checkup.close)
        resumed = await engine.watching.resume()
        engine.metrics.resume(resumed)
        if resumed:
            log.info("Open generations that are watched again: %d.", len(resumed))
        await engine.worker.start()
        owned.append(asyncio.create_task(draw_missing(engine, tidying, started_at), name="posters"))
        owned.append(asyncio.create_task(rules.apply_for_ever(engine.library), name="rules"))
        owned.append(asyncio.create_task(engine.library.rounds.run(), name="rounds"))
        owned.append(asyncio.create_task(find_ghosts(engine.ghosts, opening), name="ghosts"))
        yield


async def closed(close: Callable[[], Awaitable[None]], name: str, checkpoint: Callable[[str], None]) -> None:
    await close()
    checkpoint(name)


async def list_models(catalogue: Catalogue, opening: asyncio.Task[None]) -> None:
    """The first question waits a moment for the animatic, so that its start is no trouble in the log."""
    await asyncio.wait([opening], timeout=ANIMATIC_OPENS_WITHIN_S)
    await catalogue.run()


async def find_ghosts(ghosts: Ghosts, opening: asyncio.Task[None]) -> None:
    """The first round waits a moment for the animatic, whose list it may want."""
    await asyncio.wait([opening], timeout=ANIMATIC_OPENS_WITHIN_S)
    await ghosts.run()


async def warm(companion: LanguageModel) -> None:
    """So that the first message does not wait for it."""
    await companion.open()


async def open_animatic(animatic: AnimaticProcess | None) -> None:
    if animatic is None:
        return
    try:
        await animatic.start()
    except RuntimeError as error:
        log.error("The animatic did not start: %s", error)


async def tidy(engine: Engine, started_at: float) -> None:
    """Remove kept files that a crash left between rename and commit, or between a row's removal and theirs:
    no row names them. What a row names and the folder does not have is lost, and is said.
    """
    await engine.leftovers.tidy(older_than=started_at - OLDER_THAN_S)


async def draw_missing(engine: Engine, tidying: asyncio.Task[None], started_at: float) -> None:
    """The posters and previews that the last run did not come to."""
    await asyncio.wait([tidying])
    for generation in await engine.store.without_poster(finished_before=started_at):
        engine.delivery.illustrate(generation)


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# -- the drill ------------------------------------------------------------------------------------


async def drill(settings: Settings) -> int:
    """0 when every rule held, else 1. It touches nothing of the install's own."""
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    findings = await Drill(functools.partial(open_for_drill, settings), settings.data_dir).run()
    for finding in findings:
        print(finding)
    broken = sum(1 for finding in findings if finding.broken)
    print(f"{broken} of {len(findings)} did not hold." if broken else f"All {len(findings)} held.")
    return 1 if broken else 0


async def drill_in_lines(settings: Settings) -> int:
    """The same for the check-up page, which closes our input when the app ends, however it ends."""
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    play = Drill(functools.partial(open_for_drill, settings), settings.data_dir)
    playing = asyncio.create_task(play.run(tell=lambda finding: print(written(finding), flush=True)))
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), playing.cancel)
    return 1 if any(finding.broken for finding in await playing) else 0


@asynccontextmanager
async def open_for_drill(
    settings: Settings, folder: Path, backend: Backend, origin: str
) -> AsyncIterator[Engine]:
    """The whole engine, faster, in another folder, and with nobody to pay."""
    changes = {
        "data_dir": folder,
        "database_url": None,
        "chat_url": None,
        "chat_model": None,
        "poll_every_s": DRILL_POLLS_EVERY_S,
        "poll_attempts": 1000,
        "stream_silence_s": 1.0,
    }
    engine = build(settings.model_copy(update=changes), backend=backend, origin=origin)
    async with running(engine):
        yield engine


# -- the doctor -----------------------------------------------------------------------------------


def address_of(settings: Settings, named: str | None) -> str:
    """Where people reach it. Raises CannotStart for what is no address, and where no setting tells."""
    if named is not None and not re.fullmatch(r"https?://[^\s/]+/?", named):
        raise CannotStart("the doctor needs an address without a path, as https://rushes.example.")
    if named or settings.public_url:
        return named or settings.public_url or ""
    if settings.port == 0:
        raise CannotStart(
            "the port is a free one: name the address, as in: main.py doctor http://127.0.0.1:8080"
        )
    return f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"


async def doctor(settings: Settings, url: str, *, stream_s: int) -> int:
    """0 when nothing is ill. The animatic is the app's own child: /health speaks for it."""
    logging.basicConfig(handlers=[logging.NullHandler()])
    backends, _ = build_backends(settings.model_copy(update={"animatic": False}), AddressGuard())
    examining = Doctor(
        data_dir=settings.data_dir, backends=backends, place_of=lambda _: settings.superduperai_url or ""
    )
    findings = await examining.examine(url, stream_s=stream_s)
    for finding in findings:
        print(finding)
    for backend in backends.values():
        await backend.close()
    return 1 if any(finding.mark == ILL for finding in findings) else 0


# -- the web side ---------------------------------------------------------------------------------


def build_app(engine: Engine) -> FastAPI:
    settings = engine.settings
    os.environ["NICEGUI_STORAGE_PATH"] = str((settings.data_dir / "nicegui").absolute())
    from nicegui import ui

    from ui.app import register
    from ui.pages.generation import not_found

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(engine):
            yield

    app = FastAPI(lifespan=lifespan, title="Rushes", docs_url=None, redoc_url=None)
    api.include(
        app,
        engine.generations,
        library=engine.library,
        deliveries=engine.deliveries,
        checkup=engine.checkup,
        chats=engine.chats,
        health=engine.health,
        metrics=engine.metrics,
    )
    register(engine.generations, engine.library, engine.chats, engine.deliveries, engine.checkup)
    ui.run_with(
        app,
        title="Rushes",
        storage_secret=storage_secret(settings.data_dir),
        reconnect_timeout=30,
        show_welcome_message=False,
        tailwind=False,
        root=not_found,
    )
    return app


def storage_secret(folder: Path) -> str:
    """Made at the first start; 32 random bytes in a file that only the owner reads."""
    path = folder / "storage_secret"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text()


class Server(uvicorn.Server):
    """Says its address when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*FULL_COLLECTIONS)
            host, port = sockets[0].getsockname()[:2]
            print(f"Rushes is ready: http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """uvicorn raises them again when it is done: a traceback after Ctrl-C, and -15 for an orderly end."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def serve(settings: Settings, listener: socket.socket) -> None:
    engine = build(settings)
    engine.store.prepare()  # not in the lifespan: there a refusal would be a traceback
    app = build_app(engine)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
        ws_per_message_deflate=False,  # packing each page's few hundred bytes cost more than sending them
    )
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
