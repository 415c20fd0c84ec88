"""All of the engine's parts, joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services import api
from services.animatic.process import AnimaticProcess
from services.backends.base import Backend
from services.catalogue import Catalogue
from services.chat import Chats
from services.chat.llm import LanguageModel
from services.core.events import Bus
from services.core.settings import Settings
from services.diagnostics.runs import Checkup
from services.generations.delivery import Delivery
from services.generations.event_log import Journal
from services.generations.reconciler import Ghosts
from services.generations.service import Generations
from services.generations.supervisor import Watching
from services.library import Library
from services.library.orphans import Leftovers
from services.media.download import Downloader
from services.media.storage.folder import MediaFolder
from services.media.worker_pool import Worker
from services.statistics import Deliveries
from services.store.store import Store


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
