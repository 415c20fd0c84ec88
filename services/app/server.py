"""Serves an engine: its pages and its HTTP API, behind one address."""

import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from services import api
from services.app.backends import is_recognised
from services.app.build import Engine, build_engine
from services.app.deadline_protocol import DeadlineProtocol
from services.app.lifespan import running
from services.core.errors import CannotStart
from services.core.settings import Settings
from services.store.folder_modes import close_folder

BACKLOG = 2048
GC_THRESHOLDS = (50_000, 20, 100)


def serve(settings: Settings, listener: socket.socket) -> None:
    engine = build_engine(settings)
    engine.store.prepare()  # not in the lifespan, where a refusal would be a traceback
    close_folder(settings.data_dir)
    app = build_app(engine)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
        http=DeadlineProtocol,
        proxy_headers=False,  # the API's guard reads them
        ws_per_message_deflate=False,  # compressing a few hundred bytes costs more than sending them
    )
    Server(config).run(sockets=[listener])


def build_app(engine: Engine) -> FastAPI:
    settings = engine.settings
    os.environ["NICEGUI_STORAGE_PATH"] = str((settings.data_dir / "nicegui").absolute())
    from nicegui import ui

    from ui.components import animatic_notice
    from ui.pages.generation import not_found
    from ui.pages.routes import register
    from ui.session import socket_events
    from ui.session.page_memory import PageLimit, PageMemory

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(engine):
            yield

    app = FastAPI(lifespan=lifespan, title="Rushes", docs_url=None, redoc_url=None)
    socket_events.install()
    app.add_middleware(socket_events.SocketGuard)
    memory = PageMemory()
    memory.install()
    app.add_middleware(PageLimit, memory=memory)
    api.include(app, engine, public_url=settings.public_url, trusted_proxies=settings.trusted_proxies)
    register(engine.generations, engine.library, engine.chats, engine.statistics, engine.diagnostics)
    animatic_notice.install(is_recognised)
    ui.run_with(
        app,
        title="Rushes",
        storage_secret=storage_secret(settings.data_dir),
        session_middleware_kwargs=session_cookie(settings.public_url),
        reconnect_timeout=30,
        show_welcome_message=False,
        tailwind=False,
        root=not_found,
    )
    return app


def session_cookie(public_url: str | None) -> dict[str, Any]:
    """Over https the browser sends the cookie to this very host only, and never in the clear."""
    is_https = (public_url or "").startswith("https:")
    return {"session_cookie": "__Host-session", "https_only": True} if is_https else {}


def storage_secret(folder: Path) -> str:
    """Created at the first start: 32 random bytes in a file with mode 0600."""
    path = folder / "storage_secret"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text()


class Server(uvicorn.Server):
    """Prints its address when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            host, port = sockets[0].getsockname()[:2]
            print(f"Rushes is ready: http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """uvicorn raises captured signals again at its end: a traceback after Ctrl-C, exit code -15."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def listening_socket(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # Now, else two processes that start at once both bind, and uvicorn fails later.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"port {settings.port} on {settings.host} cannot be used ({error.strerror}). "
            "Stop what is using it, or choose another one in RUSHES_PORT."
        ) from error
    return listener
