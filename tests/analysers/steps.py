"""Writes every script that stands in a workflow into a file of its own: steps.py WORKFLOWS FOLDER

Workflows of ours write "run: COMMAND" or "run: |" with lines below; anything else is refused, so that no step is left out.
"""

import pathlib
import re
import sys

workflows, folder = map(pathlib.Path, sys.argv[1:])
for workflow in sorted(workflows.glob("*.yml")):
    lines = workflow.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        found = re.match(r"^(\s+)(- )?run:(.*)$", line)
        # "defaults: run:" holds no script.
        if not found or lines[number - 1].strip() == "defaults:":
            continue
        indent, rest = len(found[1]), found[3].strip()
        if rest == "|":
            script = []
            for below in lines[number + 1:]:
                if below.strip() and len(below) - len(below.lstrip()) <= indent:
                    break
                script.append(below[indent + 2:])
        elif rest and rest[0] not in ">|&*'\"":
            script = [rest]
        else:
            sys.exit(f"{workflow}, line {number + 1}: cannot tell what is run")
        name = f"{workflow.stem}-{number + 1}"
        text = "\n".join(["#!/bin/bash", "set -eo pipefail", *script, ""])
        (folder / name).write_text(text, encoding="utf-8")
