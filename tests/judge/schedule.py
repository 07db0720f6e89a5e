"""When runs are due, and when nothing is expected: written from the rules, with the calendar of Python.

All moments are integers of microseconds since 1970.
"""

from datetime import date, datetime, timedelta, timezone
from itertools import count
from typing import Iterator, Optional
from zoneinfo import ZoneInfo

from reading import count_microseconds, parse_moment

NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def numbers(field: str, low: int, high: int, names: list, first_name: int) -> set:
    """All numbers that a field of cron stands for."""
    found = set()
    for part in field.lower().split(","):
        part, _, step = part.partition("/")
        if part == "*":
            begin, end = low, high
        else:
            begin, dash, end = part.partition("-")
            begin, end = (
                names.index(text) + first_name if text in names else int(text)
                for text in (begin, end if dash else begin)
            )
        found.update(range(begin, end + 1, int(step or 1)))
    return found


class Schedule:
    def __init__(self, told: dict):
        minute, hour, day, month, weekday = told["cron"].split()
        self.zone = ZoneInfo(told["zone"])
        self.times = sorted(
            (h, m) for h in numbers(hour, 0, 23, [], 0) for m in numbers(minute, 0, 59, [], 0)
        )
        self.by_the_clock = minute.startswith("*") or hour.startswith("*")
        self.days = numbers(day, 1, 31, [], 0)
        self.months = numbers(month, 1, 12, MONTHS, 1)
        self.weekdays = {number % 7 for number in numbers(weekday, 0, 7, NAMES, 0)}
        self.any_day, self.any_weekday = day.startswith("*"), weekday.startswith("*")
        self.grace = count_microseconds(told["grace"])
        self.early = count_microseconds(told["early"])
        self.since = parse_moment(told["since"])

    def comes_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        # As cron has it: where both are given, either will do.
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday

    def on(self, day: date) -> Iterator[int]:
        for hour, minute in self.times:
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
            first, second = (at_utc(local.replace(fold=fold)) for fold in (0, 1))
            if not exists(local):
                if len(self.times) == 1:
                    yield end_of_gap(local)
            elif first == second or not self.by_the_clock:
                yield first
            else:
                yield first
                yield second

    def after(self, moment: int, pauses: list) -> Iterator[int]:
        """Every expected run after a moment."""
        start = datetime.fromtimestamp(moment // 1_000_000, timezone.utc).astimezone(self.zone).date()
        for ahead in count(-1):
            day = start + timedelta(days=ahead)
            if not self.comes_on(day):
                continue
            for due in sorted(self.on(day)):
                expected = due > moment and (self.since is None or due >= self.since)
                if expected and not any(begin <= due < end for begin, end in pauses):
                    yield due


def at_utc(local: datetime) -> int:
    return int(local.timestamp()) * 1_000_000


def exists(local: datetime) -> bool:
    back = local.astimezone(timezone.utc).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def end_of_gap(local: datetime) -> int:
    while not exists(local):
        local += timedelta(minutes=1)
    return at_utc(local)


def outside(pauses: list, moment: int) -> Iterator[tuple]:
    """The stretches of time from a moment on that lie outside all pauses; the last has no end."""
    for begin, end in sorted(pauses):
        if begin > moment:
            yield moment, begin
        moment = max(moment, end)
    yield moment, None


def moment_after(moment: int, time: int, pauses: list) -> int:
    """When so much time outside all pauses has gone by."""
    for begin, end in outside(pauses, moment):
        if end is None or time < end - begin:
            return begin + time
        time -= end - begin
    raise AssertionError("the last stretch has no end")


def deadlines(success: Optional[int], policy) -> tuple:
    """When the clock alone makes an entity yellow and red, and its first run that is due after its last success."""
    if success is None:
        return None, None, None
    if policy.schedule is None:
        late = moment_after(success, policy.late_after, policy.pauses)
        return late, moment_after(success, policy.overdue_after, policy.pauses), None
    dues = policy.schedule.after(success + policy.schedule.early, policy.pauses)
    first, second = next(dues), next(dues)
    return first + policy.schedule.grace, second + policy.schedule.grace, first


def next_due(unmet: Optional[int], policy, now: int) -> Optional[int]:
    """When the next run is expected; a run that is due counts as long as it may still be met."""
    if policy.schedule is None:
        return None
    if unmet is not None and unmet <= now <= unmet + policy.schedule.grace:
        return unmet
    return next(policy.schedule.after(now, policy.pauses))


def read_pauses(told: list) -> list:
    return [(parse_moment(begin), parse_moment(end)) for begin, end in told]

