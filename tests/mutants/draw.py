"""Which mutants are tried: as many of each area, always the same.

cargo-mutants lists them. Their order follows from the seed and from what a mutant does, not from where it stands, so a
change elsewhere in a file leaves the others drawn.
"""

import hashlib
import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SEED = "syncmon 1"

AREAS = {
    "verdict": ["src/health/**/*.rs"],
    "masking": ["src/masking.rs", "src/masking/**/*.rs"],
    "recording": ["src/recording/**/*.rs", "src/report.rs", "src/store/runs*.rs"],
    "publishing": ["src/publish/**/*.rs"],
}


@dataclass(frozen=True)
class Mutant:
    area: str
    file: str
    # "replace < with <= in Pauses::moment_after", and which of several of the same words.
    change: str
    count: int
    line: int
    # From where to where, as (line, column) that count from 1.
    span: tuple
    function: tuple
    is_iterator: bool
    replacement: str

    @property
    def name(self):
        return f"{self.file}: {self.change} #{self.count}"

    @property
    def rank(self):
        return hashlib.sha256(f"{SEED}/{self.name}".encode()).hexdigest()


def list_mutants(cargo_mutants: Path, root: Path):
    """All mutants of each area in the order in which they are drawn."""
    return {area: sorted(of_area(cargo_mutants, root, area), key=lambda mutant: mutant.rank) for area in AREAS}


def of_area(cargo_mutants, root, area):
    chosen = [argument for glob in AREAS[area] for argument in ("--file", glob)]
    answer = subprocess.run([cargo_mutants, "mutants", "--list", "--json", *chosen], cwd=root, check=True, stdout=subprocess.PIPE)
    seen = Counter()
    for found in json.loads(answer.stdout):
        function = found["function"]
        if not function or is_left_out(root / found["file"], as_span(function["span"])):
            continue
        span = as_span(found["span"])
        change = re.sub(r"^\S+?:\d+:\d+: ", "", found["name"])
        seen[found["file"], change] += 1
        yield Mutant(
            area=area,
            file=found["file"],
            change=change,
            count=seen[found["file"], change],
            line=span[0][0],
            span=span,
            function=as_span(function["span"]),
            is_iterator=function["return_type"].startswith("-> impl Iterator"),
            replacement=found["replacement"],
        )


def as_span(span):
    return tuple((span[end]["line"], span[end]["column"]) for end in ("start", "end"))


def is_left_out(file, function):
    """What other systems than Linux compile, and what the compiler evaluates."""
    lines = file.read_text(encoding="utf-8").splitlines()[function[0][0] - 1:function[1][0]]
    head = "\n".join(lines).split("{")[0]
    return bool(re.search(r'#\[cfg\([^\]]*not\(target_os|\bconst fn\b', head))
