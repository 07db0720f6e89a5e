"""One tree in which every mutant lies beside what it changes, so that all are compiled at once.

The body of a function becomes `if crate::mutant::active(17) { MUTATED } else { ORIGINAL }`. Which one is active stands
in a file: the tests clear the environment of the program.
"""

import json
import subprocess
from itertools import groupby
from pathlib import Path

SWITCH = """\
//! Which mutant is active.

use std::sync::OnceLock;

pub fn active(mutant: u32) -> bool {
    static ACTIVE: OnceLock<u32> = OnceLock::new();
    let read = || std::fs::read_to_string(PATH).ok()?.trim().parse().ok();
    *ACTIVE.get_or_init(|| read().unwrap_or(0)) == mutant
}

const PATH: &str = %s;

/// A function that returns an iterator returns one type.
pub enum Either<A, B> {
    Mutated(A),
    Other(B),
}

impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Either<A, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Either::Mutated(items) => items.next(),
            Either::Other(items) => items.next(),
        }
    }
}
"""


class Tree:
    def __init__(self, root: Path, place: Path, target: Path):
        self.root = root
        self.place = place
        self.target = target
        self.switch = place / "active"
        # By file: the first and the last line of what each mutant put there.
        self.lines = {}

    def activate(self, number):
        self.switch.write_text(str(number), encoding="utf-8")

    def copy(self):
        """What the repository holds; files that are the same keep their time, and cargo what it compiled."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, stdout=subprocess.PIPE,
        ).stdout.decode().split("\0")
        wanted = {name for name in listed if name and (self.root / name).is_file()}
        for name in sorted(wanted):
            if name.startswith("src/"):
                continue
            self.put(name, (self.root / name).read_bytes())
            (self.place / name).chmod((self.root / name).stat().st_mode & 0o777)
        return sorted(name for name in wanted if name.startswith("src/"))

    def put(self, name, content):
        path = self.place / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def weave(self, numbered):
        """`numbered`: a mutant by its number."""
        by_file = {}
        for number, mutant in numbered.items():
            by_file.setdefault(mutant.file, []).append((number, mutant))
        self.lines = {}
        for name in self.copy():
            text = (self.root / name).read_text(encoding="utf-8")
            if name in by_file:
                text, self.lines[name] = woven(text, by_file[name])
            if name == "src/lib.rs":
                text += "\npub mod mutant;\n"
            self.put(name, text.encode())
        self.put("src/mutant.rs", (SWITCH % json.dumps(str(self.switch))).encode())

    def cargo(self, *arguments):
        """The messages of the compiler."""
        ended = subprocess.run(
            ["cargo", *arguments, "--locked", "--jobs", "1", "--target-dir", self.target, "--message-format", "json"],
            cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        return ended, [json.loads(line) for line in ended.stdout.splitlines() if line.startswith(b"{")]

    def unviable(self):
        """The numbers of mutants that the compiler refuses; none once it takes all."""
        ended, messages = self.cargo("test", "--no-run", "--lib")
        if ended.returncode == 0:
            return set()
        refused = set()
        for message in messages:
            error = message.get("message", {})
            if message["reason"] == "compiler-message" and error["level"] == "error" and error["spans"]:
                guilty = self.guilty(error)
                if not guilty:
                    raise SystemExit(f"tests/mutants: no mutant is to blame for this:\n{error['rendered']}")
                refused |= guilty
        if not refused:
            raise SystemExit(f"tests/mutants: cargo test fails:\n{ended.stderr.decode()}")
        return refused

    def guilty(self, error):
        spans = list(spans_of(error))
        for chosen in ([span for span in spans if span["is_primary"]], spans):
            found = {
                number
                for span in chosen
                for number, first, last in self.lines.get(span["file_name"], [])
                if first <= span["line_start"] <= last
            }
            if found:
                return found
        return set()

    def programs(self):
        """The unit tests and the integration tests, compiled."""
        ended, messages = self.cargo("test", "--no-run", "--lib", "--bins", "--test", "it")
        if ended.returncode != 0:
            rendered = [message["message"]["rendered"] for message in messages
                        if message["reason"] == "compiler-message" and message["message"]["level"] == "error"]
            raise SystemExit("\n".join(["tests/mutants: the woven tree does not compile", *rendered, ended.stderr.decode()]))
        tests = [message for message in messages
                 if message["reason"] == "compiler-artifact" and message["profile"]["test"] and message["executable"]]
        by_name = {(message["target"]["kind"][0], message["target"]["name"]): message["executable"] for message in tests}
        return {"unit": by_name["lib", "syncmon"], "it": by_name["test", "it"]}


def spans_of(error):
    yield from error["spans"]
    for child in error["children"]:
        yield from spans_of(child)


def woven(text, mutants):
    """The text with these in it, and the lines that each has come to."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def offset(position):
        return starts[position[0] - 1] + position[1] - 1

    def outermost(numbered):
        inner = numbered[1].function
        return min(mutant.function for _, mutant in mutants
                   if mutant.function[0] <= inner[0] and inner[1] <= mutant.function[1])

    parts, lines, end = [], [], 0
    count = 1
    for function, members in groupby(sorted(mutants, key=lambda m: (outermost(m), m[0])), key=outermost):
        close = offset(function[1]) - 1
        opening = body_start(text, offset(function[0]), close)
        body = text[opening + 1:close]
        members = list(members)
        is_iterator = any(mutant.is_iterator and mutant.function == function for _, mutant in members)
        parts.append(text[end:opening + 1])
        count += parts[-1].count("\n")
        for number, mutant in members:
            start, stop = (offset(edge) - opening - 1 for edge in mutant.span)
            mutated = body[:start] + mutant.replacement + body[stop:]
            head, tail = f" if crate::mutant::active({number}) {{\n", "\n} else {"
            if is_iterator:
                head, tail = head + "crate::mutant::Either::Mutated({\n", "\n})} else { crate::mutant::Either::Other({"
            parts.append(head + mutated + tail)
            lines.append((number, count, count + parts[-1].count("\n")))
            count = lines[-1][2]
        parts.append("\n" + body + "\n" + ("})} " if is_iterator else "} ") * len(members))
        count += body.count("\n") + 2
        end = close
    parts.append(text[end:])
    return "".join(parts), lines


def body_start(text, start, close):
    """Where the brace stands that the one at `close` closes."""
    open_braces = []
    for at in code(text, start, close + 1):
        if text[at] == "{":
            open_braces.append(at)
        elif text[at] == "}":
            last = open_braces.pop()
            if at == close:
                return last
    raise SystemExit(f"tests/mutants: no function ends at {text[max(start, close - 80):close + 1]!r}")


def code(text, at, end):
    """The places that lie in no comment and no literal."""
    while at < end:
        if text.startswith("//", at):
            at = text.find("\n", at)
        elif text.startswith("/*", at):
            at = text.find("*/", at) + 2
        elif text[at] == '"':
            at = after_string(text, at)
        elif text[at] in "rb" and not is_word(text[at - 1]) and (raw := raw_mark(text, at)):
            opening, closing = raw
            at = text.find(closing, at + opening) + len(closing)
        elif text[at] == "'" and text[at + 1] == "\\":
            at = text.find("'", at + 3) + 1
        elif text[at] == "'" and text[at + 2] == "'":
            at += 3
        else:
            yield at
            at += 1


def after_string(text, at):
    at += 1
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def raw_mark(text, at):
    """How long the beginning of a raw string is that begins here, and what ends it."""
    begun = at
    if text[at] == "b":
        at += 1
    if text[at] != "r":
        return None
    at += 1
    hashes = 0
    while text[at] == "#":
        at, hashes = at + 1, hashes + 1
    return (at + 1 - begun, '"' + "#" * hashes) if text[at] == '"' else None


def is_word(character):
    return character.isalnum() or character == "_"
