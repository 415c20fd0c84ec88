"""All parts of an engine, joined."""

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
from services.diagnostics.service import Diagnostics
from services.generations.delivery import Delivery
from services.generations.event_log import EventLog
from services.generations.reconciler import Reconciler
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.library import Library
from services.library.orphans import Orphans
from services.media.download import Downloader
from services.media.storage.folder import MediaFolder
from services.media.worker_pool import Worker
from services.statistics import Statistics
from services.store.store import Store


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
    statistics: Statistics
    diagnostics: Diagnostics
    animatic: AnimaticProcess | None
    health: api.Health
    metrics: api.Metrics
    checkpoint: Callable[[str], None]
