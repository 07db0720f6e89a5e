"""Which completed runs are unusual, worked out anew for each run from everything before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional
from zoneinfo import ZoneInfo

WEEKDAYS = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NEWEST = 200
POWER = 6 * 1.4826
RARE = 60
# What is added to both sides before two numbers are divided.
BESIDE = {"records": 5.0, "seconds": 10.0}


@dataclass
class Completed:
    """A completed run with what was recorded of it; None where nothing was."""

    id: int
    day: int
    records: Optional[float]
    seconds: Optional[float]

    @property
    def weekday(self) -> int:
        return self.day % 7


def completed(run_id: int, start: int, zone: str, records: Optional[int], duration: Optional[str]) -> Completed:
    """`start` in microseconds since 1970, `duration` as it was written."""
    local = (EPOCH + timedelta(microseconds=start)).astimezone(ZoneInfo(zone))
    seconds = None if duration is None else float(duration)
    return Completed(
        run_id,
        local.toordinal() - 1,
        None if records is None or records < 0 else float(records),
        seconds if seconds is not None and seconds > 0 else None,
    )


def describe_unusual(runs: list) -> dict:
    """By id, what is unusual about these runs of one entity and action, oldest first."""
    found = {}
    for figure in ("records", "seconds"):
        before, held_back = [], []
        for run in runs:
            number = getattr(run, figure)
            if number is None:
                continue
            usual = compare(run, number, before, figure)
            if usual is not None:
                found.setdefault(run.id, []).append([figure, number, *usual])
            if usual is not None and len(held_back) < 7:
                held_back.append(run)
                continue
            before += held_back + [run]
            held_back = []
    return found


def compare(run: Completed, number: float, before: list, figure: str) -> Optional[tuple]:
    """The usual range and the weekday it is of, if the number is not usual."""
    same = [other for other in before if other.weekday == run.weekday][-NEWEST:]
    if len(same) >= 8 and len({other.day for other in same}) >= 4:
        others, weekday = same, WEEKDAYS[run.weekday]
    else:
        others, weekday = before[-NEWEST:], None
        if len(others) < 15:
            return None
    numbers = sorted(getattr(other, figure) for other in others)
    count = len(numbers)
    median = (numbers[(count - 1) // 2] + numbers[count // 2]) / 2
    if median == 0:
        return None

    def distance(other: float) -> float:
        pair = sorted((other + BESIDE[figure], median + BESIDE[figure]))
        return pair[1] / pair[0]

    spread = sorted(distance(other) for other in numbers)[count // 2] ** POWER
    usual = numbers[count // 8], numbers[count - 1 - count // 8], weekday
    none = figure == "records" and number == 0 and distance(0) < max(3.0, spread)
    limit = max(3.0, spread)
    if distance(number) < limit and not none:
        return None

    def is_as_far(other: float) -> bool:
        return other == 0 if none else (other < median) == (number < median) and distance(other) >= limit

    # Where other weekdays are usually like this one, that is no habit of its own.
    all_days = {}
    for other in before[-NEWEST:]:
        all_days.setdefault(other.weekday, []).append(getattr(other, figure))
    comparable = []
    for other_weekday, of_weekday in all_days.items():
        usually = sorted(of_weekday)[len(of_weekday) // 2]
        if weekday is None or other_weekday == run.weekday or not is_as_far(usually):
            comparable += of_weekday
    as_far = sum(map(is_as_far, comparable))
    if none:
        return usual if as_far == 0 and (distance(0) >= spread or len(comparable) >= RARE) else None
    return None if as_far > len(comparable) // RARE else usual
