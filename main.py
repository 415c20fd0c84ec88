"""Rushes: the command line, which alone reads the settings."""

import argparse
import asyncio
import functools
import logging
import re
import sys

from services.app import server
from services.app.backends import InstalledBackends
from services.app.drill_engine import open_for_drill
from services.core.errors import CannotStart
from services.core.settings import Settings, read_settings
from services.diagnostics.doctor import FAILED, Doctor
from services.diagnostics.drill import Drill
from services.diagnostics.drill.rules import RULES
from services.diagnostics.runs.finding_json import to_line
from services.http.address_guard import AddressGuard
from services.store.folder_lock import FolderLock
from services.store.folder_modes import close_new_files

STREAM_S, QUICK_S = 35, 5


def main() -> int:
    """Serve in the foreground; 0 after a shutdown, 1 with a sentence when it cannot start."""
    asked = read_command()
    try:
        settings = read_settings()
        close_new_files(settings.data_dir)
        if asked.command == "drill":
            rules = frozenset(asked.rules) or None
            return asyncio.run(drill_in_lines(settings, rules) if asked.lines else drill(settings, rules))
        if asked.command == "doctor":
            url = address_of(settings, asked.address)
            return asyncio.run(doctor(settings, url, stream_s=QUICK_S if asked.quick else STREAM_S))
        lock = FolderLock(settings.data_dir)
        lock.acquire()
        with server.listening_socket(settings) as listener:
            set_up_logging()
            server.serve(settings, listener)
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
    play.add_argument("rules", nargs="*", metavar="RULE", help="only these, as R6 (default: all)")
    examine = commands.add_parser(
        "doctor", help="is all well between this install, its people and its backends"
    )
    examine.add_argument("address", nargs="?", help="the address people use (default: RUSHES_PUBLIC_URL)")
    examine.add_argument("--quick", action="store_true", help=f"listen for {QUICK_S} s, not for {STREAM_S} s")
    asked = parser.parse_args()
    if unknown := set(getattr(asked, "rules", ())) - RULES.keys():
        play.error(f"there is no rule {', '.join(sorted(unknown))}: they are R1 to R{len(RULES)}")
    return asked


def set_up_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "httpcore", "alembic", "uvicorn.error", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


# -- the drill ------------------------------------------------------------------------------------


async def drill(settings: Settings, rules: frozenset[str] | None) -> int:
    """0 when every rule (or those that are named) held, else 1. It touches nothing of the install's own."""
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    findings = await Drill(functools.partial(open_for_drill, settings), settings.data_dir).run(rules)
    for finding in findings:
        print(finding)
    broken = sum(1 for finding in findings if finding.broken)
    print(f"{broken} of {len(findings)} did not hold." if broken else f"All {len(findings)} held.")
    return 1 if broken else 0


async def drill_in_lines(settings: Settings, rules: frozenset[str] | None) -> int:
    """The same for the check-up page: the app closes our input when it ends, however it ends."""
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    drill = Drill(functools.partial(open_for_drill, settings), settings.data_dir)
    findings = drill.run(rules, report=lambda finding: print(to_line(finding), flush=True))
    running = asyncio.create_task(findings)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), running.cancel)
    return 1 if any(finding.broken for finding in await running) else 0


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
    installed = InstalledBackends.configured(settings.model_copy(update={"animatic": False}), AddressGuard())
    examining = Doctor(
        data_dir=settings.data_dir,
        backends=installed.backends,
        url_of=installed.url_of,
        proxy=installed.proxy,
    )
    findings = await examining.examine(url, stream_s=stream_s)
    for finding in findings:
        print(finding)
    for backend in installed.backends.values():
        await backend.close()
    return 1 if any(finding.mark == FAILED for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
