"""`python -m services.animatic --data-dir DIR`: the token on stdin, the address on stdout.

Crash-only: every accepted order is on disk before it is answered, so the server may end at any moment;
it does so at SIGTERM and when stdin reaches its end (the parent died), and its renderers end with it.
"""

import signal

# Before the slow imports: a Ctrl-C in the terminal reaches the whole group and is the parent's business.
signal.signal(signal.SIGINT, signal.SIG_IGN)

import argparse  # noqa: E402
import asyncio  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402

import uvicorn  # noqa: E402

from services.animatic.app import Api  # noqa: E402
from services.animatic.event_feed import Feed  # noqa: E402
from services.animatic.job_store import JobStore  # noqa: E402
from services.animatic.render_queue import RenderQueue  # noqa: E402
from services.animatic.wire import Wire  # noqa: E402


class Server(uvicorn.Server):
    """Prints its address once it accepts; leaves the signals alone."""

    url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(json.dumps({"url": self.url}) + "\n")
        sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.animatic")
    parser.add_argument("--data-dir", type=Path, required=True)
    data_dir: Path = parser.parse_args().data_dir
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _exit)
    token = sys.stdin.readline().strip()
    if not token:
        sys.exit("animatic: the bearer token is expected as the first line of stdin")
    threading.Thread(target=_exit_with_parent, name="parent-watch", daemon=True).start()
    asyncio.run(_serve(data_dir, token))


async def _serve(data_dir: Path, token: str) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
    store, feed = JobStore(data_dir), Feed()
    render_queue = RenderQueue(store, feed, wire)
    app = Api(store, feed, render_queue, wire).asgi(token)
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")
    server = Server(config)
    server.url = wire.base_url
    render_queue.open(await asyncio.to_thread(store.open))
    await server.serve(sockets=[listener])


def _exit_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _exit(signum: int, frame: object) -> None:
    os._exit(0)


if __name__ == "__main__":
    main()
