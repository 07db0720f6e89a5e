"""Runs tests until one fails, and keeps to what can be told apart: a test that fails once and then holds was disturbed."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# How long a test may take: so much, and so many times what it takes without a mutant.
PATIENCE = 90
TIMES = 5

# The servers of the tests stop by themselves once the tests are gone, and clear up behind them.
STOP_BY_THEMSELVES = {"bash", "runuser", "postgres", "initdb", "cat", "sh"}


@dataclass(frozen=True)
class Verdict:
    """Of one run: which test did not hold and how, or neither; and how long those took that did."""

    test: str | None
    how: str | None
    seconds: dict


class Tests:
    def __init__(self, program, root: Path):
        self.program = program
        self.root = root
        self.environment = {
            **os.environ,
            # Without it stable Rust's tests do not say what they begin.
            "RUSTC_BOOTSTRAP": "1",
            "CARGO_MANIFEST_DIR": str(root),
            "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true",
            "PROPTEST_MAX_SHRINK_ITERS": "100",
            "PROPTEST_RNG_SEED": "1",
        }
        self.environment.pop("SYNCMON_TEST_FIGURES", None)
        self.names = self.list_names()

    def list_names(self):
        listed = subprocess.run(
            [self.program, "--list", "--format", "terse"],
            cwd=self.root, env=self.environment, check=True, stdout=subprocess.PIPE,
        )
        lines = listed.stdout.decode().splitlines()
        return [line.removesuffix(": test") for line in lines if line.endswith(": test")]

    def within(self, start):
        return [name for name in self.names if name.startswith(start)]

    def fails(self, names, usual, keep_going=False):
        """The first of these tests that fails twice."""
        names, seconds = list(names), {}
        while names:
            verdict = self.run(names, usual)
            seconds.update(verdict.seconds)
            if verdict.test is None or verdict.how == "time-out":
                return Verdict(verdict.test, verdict.how, seconds)
            again = self.run([verdict.test], usual)
            if again.test is not None:
                return Verdict(verdict.test, again.how, seconds)
            seconds.update(again.seconds)
            names = [name for name in names if name not in seconds]
        return Verdict(None, None, seconds)

    def run(self, names, usual):
        folder = tempfile.mkdtemp(prefix="mutant-", dir="/tmp")
        os.chmod(folder, 0o755)
        try:
            return self.watch(names, usual, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def watch(self, names, usual, folder):
        # Counted while this process runs, so that stopping it for a while makes no test late.
        now, last = 0.0, time.monotonic()
        running, seconds = {}, {}
        with subprocess.Popen(
            [self.program, "--exact", "--test-threads", "2", "-Z", "unstable-options", "--format", "json", *names],
            cwd=self.root, env={**self.environment, "TMPDIR": folder},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as tests:
            try:
                for event in events(tests.stdout):
                    now += min(time.monotonic() - last, 5)
                    last = time.monotonic()
                    if event is None:
                        for name, began in running.items():
                            if now > began + PATIENCE + TIMES * usual.get(name, 0):
                                return Verdict(name, "time-out", seconds)
                    elif event.get("type") == "test" and event["event"] == "started":
                        running[event["name"]] = now
                    elif event.get("type") == "test" and event["event"] in ("ok", "failed"):
                        took = now - running.pop(event["name"])
                        if event["event"] == "failed":
                            return Verdict(event["name"], "failed", seconds)
                        seconds[event["name"]] = round(took, 2)
            finally:
                end(tests)
        if running:
            return Verdict(next(iter(running)), "died", seconds)
        return Verdict(None, None, seconds)


def events(stream):
    """What the tests say, and None every second."""
    os.set_blocking(stream.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if selector.select(timeout=1):
                piece = stream.read()
                if piece == b"":
                    return
                *lines, rest = (rest + (piece or b"")).split(b"\n")
                for line in lines:
                    try:
                        event = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(event, dict):
                        yield event
            yield None


def end(tests):
    """Ends the tests and the programs that they have started."""
    if tests.poll() is None:
        left = descendants(tests.pid)
        tests.kill()
        for process, name in left:
            if name not in STOP_BY_THEMSELVES:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def descendants(ancestor):
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            name, _, rest = stat.partition("(")[2].rpartition(")")
            parents[int(entry.name)] = (int(rest.split()[1]), name)
    found, ancestors = [], {ancestor}
    while ancestors:
        children = {process for process, (parent, _) in parents.items() if parent in ancestors}
        found += [(process, parents[process][1]) for process in children]
        ancestors = children
    return found
