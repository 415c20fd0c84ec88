"""All of the engine's parts, joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services import api
from services.animatic.process import AnimaticProcess
from services.backends.base import Backend
from services.bus import Bus
from services.catalogue import Catalogue
from services.chat import Chats
from services.chat.companion import LanguageModel
from services.checkup import Checkup
from services.deliveries import Deliveries
from services.delivery import Delivery
from services.generations import Generations
from services.ghosts import Ghosts
from services.journal import Journal
from services.library import Library
from services.library.leftovers import Leftovers
from services.media.download import Downloader
from services.media.files import MediaFolder
from services.media.worker import Worker
from services.settings import Settings
from services.store.store import Store
from services.watching import Watching


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
