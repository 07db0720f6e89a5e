"""Which modules of `tests/it` are named for the rule that a file holds, the most telling first.

The unit tests come before them: those beside the file, then all others.
"""

from fnmatch import fnmatch

VERDICTS = ["verdicts", "differential", "hidden", "golden_site"]
WRITING = ["publishing", "planted", "not_exchanged", "disk_messages", "kills"]

TESTS = [
    ("src/health/schedule.rs", ["schedules", "differential", "what_it_means"]),
    ("src/health/untraced.rs", ["schedules", "differential", "what_it_means"]),
    ("src/health/freshness.rs", ["schedules", *VERDICTS]),
    ("src/health/unusual.rs", ["unusual", "differential", "golden_site"]),
    ("src/health/cause.rs", ["what_it_means", "golden_site"]),
    ("src/health/notices.rs", [*VERDICTS, "what_it_means", "clocks"]),
    ("src/health/evidence.rs", [*VERDICTS, "clocks"]),
    ("src/health/time_in_state.rs", ["what_it_means", "figures_on_pages", "schedules", "golden_site"]),
    ("src/health/strip.rs", ["what_it_means", "figures_on_pages", "schedules", "golden_site"]),
    ("src/health/problems.rs", ["what_it_means", "figures_on_pages", "schedules", "golden_site"]),
    ("src/health/*", [*VERDICTS, "what_it_means"]),
    ("src/masking*", ["secrets", "planted_secrets", "hostile", "repeated_passwords"]),
    ("src/recording/*", ["running"]),
    ("src/report.rs", ["running", "recording"]),
    ("src/store/runs*", ["running", "recording"]),
    ("src/publish/received.rs", ["received", "workflows"]),
    ("src/publish/inspection.rs", ["doctor", "received"]),
    ("src/publish/manifest.rs", ["received", *WRITING]),
    ("src/publish/in_place.rs", ["not_exchanged", "publishing", "planted", "received", "kills"]),
    ("src/publish/target.rs", ["publishing", "planted", "disk_messages", "crowds"]),
    ("src/publish/*", WRITING),
]


def tests_of(file):
    return next(modules for pattern, modules in TESTS if fnmatch(file, pattern))


def beside(file):
    """What the names of the unit tests beside a file begin with."""
    return file.removeprefix("src/").removesuffix(".rs").removesuffix("/mod").split("/")[0] + "::"
