"""What a drill tries: the rules in plain words, and for each the faults that try it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.drill import faults
from services.drill.stage import Stage
from services.errors import Words

RULES: dict[str, Words] = {
    "R1": Words("It is written down before it is paid for."),
    "R2": Words("A result is kept once, however often it comes."),
    "R3": Words("Done means: the whole file is in hand."),
    "R4": Words("Not to be heard is not a failure."),
    "R5": Words("Late is not lost."),
    "R6": Words("Nothing is paid for twice."),
    "R7": Words("Either channel alone brings the result."),
    "R8": Words("Progress never goes backwards."),
    "R9": Words("A restart is nothing."),
    "R10": Words("A crash stays small."),
    "R11": Words("Nobody sees what is not theirs."),
    "R12": Words("Each result carries its receipt."),
}


@dataclass(frozen=True, slots=True)
class Trial:
    rule: str
    play: Callable[[Stage], Awaitable[None]]
    does: Words

    @property
    def name(self) -> str:
        return self.play.__name__


TOGETHER: tuple[Trial, ...] = (
    Trial(
        "R1",
        faults.intent_first,
        Words("The intent is on the disk before the request is sent, the job's id before it is asked for."),
    ),
    Trial(
        "R2",
        faults.heard_twice,
        Words("A result heard over both channels, and once more afterwards: one row, one file."),
    ),
    Trial("R2", faults.same_address, Words("Both channels name the same address: it is fetched once.")),
    Trial(
        "R3",
        faults.cut_short,
        Words("A file cut short, then a dead link, then the whole file: the whole file is kept."),
    ),
    Trial(
        "R3",
        faults.not_the_file,
        Words("An error page, then half a file that calls itself whole: neither is kept."),
    ),
    Trial(
        "R4", faults.wrong_failure, Words("The stream says failed, polling says completed: it is completed.")
    ),
    Trial(
        "R4",
        faults.refused_stream,
        Words("The stream is refused: that is no failure, polling brings the result."),
    ),
    Trial("R4", faults.closed, Words("The stream is closed as soon as it opens: it is opened again.")),
    Trial("R5", faults.late, Words("A result after the message arrives by itself, with how late it was.")),
    Trial(
        "R5",
        faults.given_up,
        Words("A silent job is given up after its time: its result is kept all the same."),
    ),
    Trial("R5", faults.stopped, Words("A result after a stop is kept apart: paid, not wanted.")),
    Trial(
        "R6",
        faults.lost_answer,
        Words("The answer to a request was lost: unconfirmed, and never sent again by itself."),
    ),
    Trial("R6", faults.busy, Words("The backend was busy: sent again when it said, paid once.")),
    Trial("R7", faults.push_alone, Words("Polling hears nothing: push brings the result.")),
    Trial("R7", faults.poll_alone, Words("The stream is silent: polling brings the result.")),
    Trial("R7", faults.reopened, Words("The stream is dead: it is reopened, and polling asks at once.")),
    Trial(
        "R7",
        faults.talkative,
        Words("The stream talks on and does not tell the end: polling brings the result."),
    ),
    Trial("R7", faults.told_to_wait, Words("The backend asks for a pause: polling keeps it.")),
    Trial("R8", faults.progress, Words("Polling lags behind the stream: progress never goes backwards.")),
    Trial(
        "R10",
        faults.crash,
        Words("One watcher meets a bug: it begins again, the one beside it is not touched."),
    ),
    Trial("R10", faults.broken_listener, Words("A listener meets a bug: the delivery is not touched.")),
    Trial(
        "R11",
        faults.seen_by_others,
        Words("Somebody else sees nothing, and the provider's link stands nowhere."),
    ),
    Trial(
        "R12", faults.receipt, Words("The receipt says who won, when, and what the other channel had said.")
    ),
)
"""They are played at the same time, on one engine."""
AFTERWARDS: tuple[Trial, ...] = (
    Trial(
        "R9",
        faults.restart,
        Words("Taken over by a second process while the first one sleeps: delivered once."),
    ),
    Trial(
        "R9", faults.left_over, Words("What a killed download has left is cleared away at the next start.")
    ),
)
"""A second engine takes over whatever is open, so nothing else may be."""
TRIALS = {
    trial.name: trial for trial in sorted([*TOGETHER, *AFTERWARDS], key=lambda trial: int(trial.rule[1:]))
}
"""By their names, in the order of the rules."""
