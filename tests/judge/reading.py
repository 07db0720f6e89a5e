"""Moments and durations as people and databases write them, as integers of microseconds."""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Optional, Union

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
# A moment beyond every calendar; arithmetic with it stays beyond.
FOR_EVER = 10**40

EPOCH = date(1970, 1, 1).toordinal()
MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?"
    r"\s*(?P<zone>Z|z|(?P<sign>[+-])(?P<zone_hour>\d\d):?(?P<zone_minute>\d\d)?)?"
)


def parse_moment(text: Optional[str]) -> Optional[int]:
    """Microseconds since 1970 in UTC; a moment without a zone is one in UTC."""
    if text is None:
        return None
    found = MOMENT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"no moment: {text!r}")
    part = found.groupdict()
    minutes = int(part["hour"]) * 60 + int(part["minute"])
    if part["sign"]:
        offset = int(part["zone_hour"]) * 60 + int(part["zone_minute"] or 0)
        minutes -= offset if part["sign"] == "+" else -offset
    days = date.fromisoformat(part["date"]).toordinal() - EPOCH
    seconds = f"{part['second'] or 0}.{part['fraction'] or 0}"
    return days * DAY + minutes * MINUTE + count_microseconds(seconds)


def parse_duration(text: Optional[str]) -> tuple:
    """The duration that counts, and whether what was written is odd: negative, or no number."""
    if text is None:
        return 0, False
    number = Decimal(text)
    if number.is_nan() or number < 0:
        return 0, True
    if number.is_infinite():
        return FOR_EVER, False
    return min(count_microseconds(number), FOR_EVER), False


def count_microseconds(seconds: Union[int, str, Decimal]) -> int:
    """Rounded to the nearest microsecond, a half upwards."""
    digits = Context(prec=400)
    return int(digits.multiply(Decimal(seconds), Decimal(SECOND)).to_integral_value(ROUND_HALF_UP))
