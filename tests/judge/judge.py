#!/usr/bin/env python3
"""A second judge of syncmon's verdicts, written from the rules and not from the program.

Reads worlds from standard input, one JSON object a line, and writes one JSON object a line:

    {"overall": "red", "entities": {"sales": {"health": "red", "reason": "failed", ...}}}

A world holds `now`, the clocks, the policy and the rows of both tables as they were written:
moments are ISO 8601 text in any of its notations, durations are text as in SQL. Inside, and in
the answer, every moment and every length of time is an integer of microseconds.

What the page has to say about an entity is true, false, or null where the rules leave it open.
Where the world says from when on all runs are listed, and in which zone (`history`), the answer holds the unusual ones.
"""

import json
import sys
from dataclasses import dataclass
from typing import Optional

from reading import DAY, MINUTE, count_microseconds, parse_duration, parse_moment
from schedule import Schedule, deadlines, next_due, read_pauses
from unusual import completed, describe_unusual

CLOCK_TOLERANCE = 5 * MINUTE
HEALTHS = ["green", "yellow", "red"]

WORDS = {
    "success": {"success", "succeeded", "completed", "complete", "ok"},
    "failure": {"failed", "failure", "error"},
    "running": {"started", "running", "in_progress"},
    "pending": {"pending"},
    "never_synced": {"never_synced"},
}


def meaning(status: Optional[str]) -> str:
    """What a recorded word means: a key of WORDS, `none` for NULL, `unknown` for any other."""
    if status is None:
        return "none"
    word = status.strip().lower()
    for name, words in WORDS.items():
        if word in words:
            return name
    return "unknown"


@dataclass
class Run:
    id: int
    start: Optional[int]
    word: str
    meaning: str
    duration: int
    odd_duration: bool

    @property
    def finish(self) -> int:
        return self.start + self.duration


@dataclass
class State:
    meaning: str
    last_sync_time: Optional[int]
    updated_at: Optional[int]


@dataclass
class Policy:
    late_after: int
    overdue_after: int
    stuck_after: int
    schedule: Optional[Schedule]
    pauses: list


@dataclass
class Clock:
    """The circumstances of a verdict that are the same for every entity."""

    now: int
    databases_clock_is_off: bool
    hidden: bool
    past_valid_until: bool


@dataclass
class Evidence:
    last_success: Optional[int]
    last_failure: Optional[int]
    future_success: bool
    future_failure: bool


def read_run(row: dict) -> Run:
    duration, odd = parse_duration(row["duration_seconds"])
    word = row["status"]
    return Run(row["id"], parse_moment(row["timestamp"]), word, meaning(word), duration, odd)


def read_state(row: dict) -> State:
    return State(
        meaning(row["status"]),
        parse_moment(row["last_sync_time"]),
        parse_moment(row["updated_at"]),
    )


def weigh(state: Optional[State], runs: list, clock: Clock) -> Evidence:
    """Evidence of success and of failure, and whether a clock is to be spoken of."""
    successes = [run.finish for run in runs if run.meaning == "success"]
    failed_runs = [run.finish for run in runs if run.meaning == "failure"]
    failures = list(failed_runs)

    if state and state.meaning in ("success", "running", "pending") and state.last_sync_time is not None:
        usable_successes = [finish for finish in successes if finish <= clock.now + CLOCK_TOLERANCE]
        if not belongs_to_a_failure(state.last_sync_time, failed_runs, usable_successes):
            successes.append(state.last_sync_time)
    if state and state.meaning == "failure":
        times = [time for time in (state.last_sync_time, state.updated_at) if time is not None]
        failures += [max(times)] if times else []

    usable = [moment for moment in successes if moment <= clock.now + CLOCK_TOLERANCE]
    return Evidence(
        max(usable, default=None),
        max((min(moment, clock.now) for moment in failures), default=None),
        len(usable) < len(successes),
        any(moment > clock.now for moment in failures),
    )


def belongs_to_a_failure(time: int, failed_runs: list, successful_runs: list) -> bool:
    """The writers set `last_sync_time` after a failure as well: such a time is no success."""
    if not failed_runs:
        return False
    failure = max(failed_runs)
    if any(finish > failure for finish in successful_runs):
        return False
    return failure <= time <= failure + MINUTE


def activity(state: Optional[State], runs: list, policy: Policy, now: int) -> str:
    """`running`, `stuck`, `not_closed`, or `idle` where the newest run has ended or there is none."""
    newest = newest_run(runs)
    if newest is None or newest.meaning != "running":
        return "idle"
    if state and state.meaning == "success" and state.last_sync_time is not None:
        if state.last_sync_time > newest.start:
            return "not_closed"
    return "stuck" if now - newest.start > policy.stuck_after else "running"


def newest_run(runs: list) -> Optional[Run]:
    return max(runs, key=lambda run: (run.start, run.id), default=None)


def conclude(evidence: Evidence, state, doing: str, policy: Policy, clock: Clock) -> tuple:
    """The table of the rules, its rows in order."""
    success, failure = evidence.last_success, evidence.last_failure
    if success is None:
        if failure is not None:
            return "red", "failed"
        unconfirmed = state is not None and state.meaning == "success"
        return "red", "unconfirmed" if unconfirmed else "never_synced"
    if failure is not None and failure > success:
        return "red", "failed"
    yellow, red, _ = deadlines(success, policy)
    if clock.now > red:
        return "red", "overdue"
    if policy.schedule is not None and clock.now > yellow:
        return "yellow", "missed"
    if policy.schedule is None and clock.now >= yellow:
        return "yellow", "late"
    if doing == "stuck":
        return "yellow", "stuck"
    if evidence.future_success or evidence.future_failure or clock.databases_clock_is_off:
        return "yellow", "clock_skew"
    if clock.hidden:
        return "yellow", "hidden"
    if clock.past_valid_until:
        return "yellow", "out_of_date"
    return "green", "fresh"


def age_of(success: int, now: int) -> int:
    return max(0, now - success)


def earliest(*moments):
    return min((moment for moment in moments if moment is not None), default=None)


def ahead(moment: Optional[int], earliest: int) -> Optional[int]:
    """When the clock alone makes it worse, unless that is over."""
    return moment if moment is not None and moment >= earliest else None


def contradiction(state: Optional[State], runs: list, now: int) -> Optional[bool]:
    """Whether state and log disagree, where the observed cases of the rules decide it.

    Two times that are less than a minute apart may be those of one run.
    """
    if state is None or not runs:
        return False
    last = newest_run(runs)
    if last.meaning not in ("success", "failure") or last.finish > now:
        return None
    if any(run.meaning in ("success", "failure") and run.finish >= last.finish for run in runs if run is not last):
        return None
    if last.meaning == "success" and state.meaning == "never_synced":
        return True
    if state.meaning != "success" and state.meaning != last.meaning:
        return None
    time = state.last_sync_time
    if last.meaning == state.meaning:
        moments = [time, state.updated_at if state.meaning == "failure" else time]
        if all(moment is not None and 0 <= moment - last.finish <= MINUTE for moment in moments):
            return False
        return True if state.meaning == "success" and time is not None and time < last.start - MINUTE else None
    return True if time is None or time <= last.finish + MINUTE else None


def odd_duration(runs: list) -> Optional[bool]:
    if any(run.odd_duration and run.start is not None and run.meaning in ("success", "failure") for run in runs):
        return True
    return None if any(run.odd_duration for run in runs) else False


def unknown_word(state: Optional[State], runs: list, last: Optional[Run]) -> Optional[bool]:
    if (state and state.meaning == "unknown") or (last and last.meaning == "unknown"):
        return True
    return None if any(run.meaning == "unknown" for run in runs) else False


def describe_last_run(last: Optional[Run]) -> Optional[dict]:
    if last is None:
        return None
    ended = last.meaning in ("success", "failure")
    return {
        "meaning": last.meaning,
        "word": last.word,
        "started": last.start,
        "finished": last.finish if ended else None,
    }


def judge_entity(state: Optional[State], all_runs: list, policy: Policy, clock: Clock) -> dict:
    runs = [run for run in all_runs if run.start is not None]
    evidence = weigh(state, runs, clock)
    doing = activity(state, runs, policy, clock.now)
    health, reason = conclude(evidence, state, doing, policy, clock)
    success = evidence.last_success
    last = newest_run(runs)
    yellow, red, unmet = deadlines(success, policy)
    return {
        "health": health,
        "reason": reason,
        "last_success": success,
        "age": None if success is None else age_of(success, clock.now),
        "running": doing == "running",
        "turns_yellow_at": earliest(
            ahead(yellow, clock.now + (policy.schedule is None)),
            # A run that is going on is stuck once it is older, by a microsecond.
            last.start + policy.stuck_after + 1 if health == "green" and doing == "running" else None,
        ),
        "turns_red_at": ahead(red, clock.now),
        "next_expected_at": next_due(unmet, policy, clock.now),
        "last_run": describe_last_run(last),
        "says": {
            "hidden": clock.hidden,
            "database_clock": clock.databases_clock_is_off,
            "future_success": evidence.future_success,
            "future_failure": evidence.future_failure,
            "stuck": doing == "stuck",
            "not_closed": doing == "not_closed",
            "contradiction": contradiction(state, runs, clock.now),
            "odd_duration": odd_duration(all_runs),
            "untimed": len(runs) < len(all_runs),
            "unknown_word": unknown_word(state, all_runs, last),
        },
    }


def judge_unusual(rows: list, as_of: int, history: dict) -> dict:
    """By id, what is unusual about the runs of one entity that the pages list."""
    since = parse_moment(history["since"])
    timed = [(parse_moment(row["timestamp"]), row["id"], row) for row in rows if row["timestamp"] is not None]
    newest_first = sorted(timed, key=lambda run: run[:2], reverse=True)
    within = sum(start >= since for start, _, _ in newest_first)
    listed = newest_first[: max(within, 50)]
    read = list(listed)
    of_action = {}
    for run in [run for run in newest_first[within:] if run[0] >= as_of - 91 * DAY][:1000]:
        of_action.setdefault(run[2]["action"], []).append(run)
    for runs in of_action.values():
        read += [run for run in runs[:250] if run not in listed]

    found = {}
    for action in {row["action"] for _, _, row in listed}:
        runs = [
            completed(run_id, start, history["time_zone"], row["records_processed"], row["duration_seconds"])
            for start, run_id, row in sorted(read, key=lambda run: run[:2])
            if row["action"] == action and meaning(row["status"]) == "success"
        ]
        found.update(describe_unusual(runs))
    known = {run_id for _, run_id, _ in listed}
    return {run_id: marks for run_id, marks in found.items() if run_id in known}


def judge(world: dict) -> dict:
    now, as_of = parse_moment(world["now"]), parse_moment(world["as_of"])
    database_clock = parse_moment(world["database_clock"])
    clock = Clock(
        now,
        database_clock is not None and abs(database_clock - as_of) > CLOCK_TOLERANCE,
        bool(world["hidden"]),
        world["unreachable"] and now > as_of + 3 * count_microseconds(world["interval_seconds"]),
    )
    states = {} if "sync_state" in world["hidden"] else {
        row["entity_type"]: read_state(row) for row in world["sync_state"]
    }
    log = [] if "sync_log" in world["hidden"] else world["sync_log"]
    runs = {}
    for row in log:
        runs.setdefault(row["entity_type"], []).append(read_run(row))

    verdicts = {}
    for name in sorted({*world["entities"], *states, *runs}):
        seconds = {**world["policy"], **world["policies"].get(name, {})}
        schedule = world["schedules"].get(name)
        policy = Policy(
            **{key: count_microseconds(value) for key, value in seconds.items()},
            schedule=Schedule(schedule) if schedule else None,
            pauses=read_pauses(world["pauses"].get(name, [])),
        )
        verdicts[name] = judge_entity(states.get(name), runs.get(name, []), policy, clock)
        if "history" in world:
            rows = [row for row in log if row["entity_type"] == name]
            verdicts[name]["unusual"] = judge_unusual(rows, as_of, world["history"])
    healths = [verdict["health"] for verdict in verdicts.values()] + ["yellow"] * world["unreachable"]
    return {"overall": max(healths, key=HEALTHS.index), "entities": verdicts}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))), flush=True)
