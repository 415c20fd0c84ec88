"""What a drill tries: the rules in plain words, and for each the faults that try it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.core.errors import Words
from services.diagnostics.drill import faults, jobs, leases, lives, over_http, presses, rhythm, whole
from services.diagnostics.drill.stage import Stage

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
    Trial("R6", over_http.server_error, Words("A gateway answers 502: unconfirmed, and not sent again.")),
    Trial("R6", over_http.no_answer, Words("No answer comes in time: unconfirmed, and not sent again.")),
    Trial(
        "R6", over_http.same_key_again, Words("Sent again, as the backend takes a key: the key is the same.")
    ),
    Trial(
        "R6",
        over_http.stopped_meanwhile,
        Words("Stopped while the answer is lost: it is not sent again, even with a key."),
    ),
    Trial("R7", over_http.foreign_event, Words("The stream tells another's result: it is ignored.")),
    Trial("R7", over_http.fallen_silent, Words("A stream falls silent on the line: it is opened again.")),
    Trial("R11", over_http.echoed_key, Words("The backend's answer tells the key: it stands nowhere.")),
    Trial(
        "R11", over_http.led_elsewhere, Words("The result leads to another host: the key does not go there.")
    ),
    Trial("R5", lives.told_before, Words("Told before a power cut that it takes longer: not told again.")),
    Trial("R5", lives.limit_before, Words("After a power cut its time goes on, and does not begin anew.")),
    Trial("R5", lives.hour_late, Words("Hours late, and after a power cut: it is asked about again soon.")),
    Trial(
        "R6",
        lives.cut_while_sent,
        Words("The power is cut while it is sent: unconfirmed, and not sent again at the start."),
    ),
    Trial(
        "R6",
        leases.slept,
        Words("The machine sleeps before it sends, and another process takes over: it sends nothing."),
    ),
    Trial(
        "R9",
        lives.asked_at_once,
        Words("Ready while the power was off: it is asked about at once after the start."),
    ),
    Trial(
        "R9", lives.stopped_before, Words("Stopped before a power cut: its result is kept apart after it.")
    ),
    Trial(
        "R9",
        leases.other_process,
        Words("Another process takes over and dies: no two watch at once, and then it is taken back."),
    ),
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
        whole.cut_short,
        Words("A file cut short, then a dead link, then the whole file: the whole file is kept."),
    ),
    Trial(
        "R3",
        whole.not_the_file,
        Words("An error page, then half a file that calls itself whole: neither is kept."),
    ),
    Trial("R3", whole.more_announced, Words("A file is shorter than its server said: it is not kept.")),
    Trial(
        "R3",
        whole.not_the_film,
        Words("A picture instead of the film, then a film without its end: neither is kept."),
    ),
    Trial("R3", whole.rot, Words("One bit of a kept file flips: the round over the files names it.")),
    Trial(
        "R4", faults.wrong_failure, Words("The stream says failed, polling says completed: it is completed.")
    ),
    Trial(
        "R4",
        faults.refused_stream,
        Words("The stream is refused: that is no failure, polling brings the result."),
    ),
    Trial("R4", faults.closed, Words("The stream is closed as soon as it opens: it is opened again.")),
    Trial(
        "R4",
        faults.failure_meanwhile,
        Words("Polling says failed while the bytes are on their way: they are kept."),
    ),
    Trial("R5", faults.late, Words("A result after the message arrives by itself, with how late it was.")),
    Trial(
        "R5",
        faults.given_up,
        Words("A silent job is given up after its time: its result is kept all the same."),
    ),
    Trial("R5", faults.stopped, Words("A result after a stop is kept apart: paid, not wanted.")),
    Trial(
        "R5",
        jobs.stopped_while_sent,
        Words("Stopped while it is sent, and the answer is lost: its job is found and kept apart."),
    ),
    Trial(
        "R5",
        jobs.never_heard_of,
        Words("A job that nobody heard of is found by the hourly round, and its result arrives."),
    ),
    Trial("R5", presses.cleared, Words("All is cleared away: what is paid and not wanted waits for a word.")),
    Trial("R5", presses.emptied, Words("The trash is emptied: what was stopped and may still come stays.")),
    Trial(
        "R6",
        faults.lost_answer,
        Words("The answer to a request was lost: unconfirmed, and never sent again by itself."),
    ),
    Trial("R6", faults.busy, Words("The backend was busy: sent again when it said, paid once.")),
    Trial(
        "R6",
        jobs.older_job,
        Words("A job was made before the request was sent: it is not taken for its own."),
    ),
    Trial("R6", jobs.two_jobs, Words("Two jobs might be its own: neither is taken.")),
    Trial("R6", jobs.twins_job, Words("Two asked for the same, and one job is there: neither takes it.")),
    Trial(
        "R6",
        jobs.job_of_another,
        Words("The same was asked for before: its own job is told from the older one."),
    ),
    Trial("R6", presses.same_key, Words("The same request comes twice with one key: it is sent once.")),
    Trial("R6", presses.pressed_twice, Words('"Submit again" is pressed twice: it is sent again once.')),
    Trial("R7", faults.push_alone, Words("Polling hears nothing: push brings the result.")),
    Trial("R7", faults.poll_alone, Words("The stream is silent: polling brings the result.")),
    Trial("R7", faults.reopened, Words("The stream is dead: it is reopened, and polling asks at once.")),
    Trial(
        "R7",
        faults.talkative,
        Words("The stream talks on and does not tell the end: polling brings the result."),
    ),
    Trial("R7", faults.told_to_wait, Words("The backend asks for a pause: polling keeps it.")),
    Trial(
        "R7", rhythm.comments_alone, Words("The stream sends comments only: polling does not wait for it.")
    ),
    Trial("R7", rhythm.just_before, Words("It is ready just before the stream opens: polling asks at once.")),
    Trial("R7", rhythm.slow_answer, Words("The stream talks while a poll is answered: the answer counts.")),
    Trial("R7", rhythm.closes_in_peace, Words("The loser of a race closes its connection in peace.")),
    Trial(
        "R7",
        rhythm.check_at_the_end,
        Words("A person asks in the moment of the end: the watch ends all the same."),
    ),
    Trial("R8", faults.progress, Words("Polling lags behind the stream: progress never goes backwards.")),
    Trial(
        "R8",
        faults.not_fetched_at_first,
        Words("The result cannot be fetched at first: progress stays where it is."),
    ),
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
    Trial("R2", faults.told_early, Words("Whatever was told stood in the database already.")),
    Trial("R10", faults.watcher_cut_off, Words("A watcher is cut off: the next round replaces it.")),
    Trial("R9", faults.second_process, Words("A second process is not let into the folder.")),
    Trial(
        "R9",
        faults.restart,
        Words("Taken over by a second process while the first one sleeps: delivered once."),
    ),
    Trial(
        "R9", faults.left_over, Words("What a killed download has left is cleared away at the next start.")
    ),
)
"""One after the other, when all that is over: a second engine takes over whatever is open."""
TRIALS = {
    trial.name: trial for trial in sorted([*TOGETHER, *AFTERWARDS], key=lambda trial: int(trial.rule[1:]))
}
"""By their names, in the order of the rules."""
