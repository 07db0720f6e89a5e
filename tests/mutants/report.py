"""What came of it, as the tables of docs/mutants.md."""

from collections import Counter


def report(entries):
    begun, tried = entries[0], [entry for entry in entries if "mutant" in entry]
    print(f"Commit {begun['commit']}: {len(tried)} of {len(begun['drawn'])} mutants tried; "
          f"{len(begun['unviable'])} more do not compile.\n")
    print("| area | tried | caught by unit tests | caught by integration tests | survivors |\n|---|---|---|---|---|")
    counts = Counter((entry["area"], kind(entry)) for entry in tried)
    for area in dict.fromkeys(entry["area"] for entry in tried):
        row = [counts[area, wanted] for wanted in ("unit", "it", "survives")]
        print("|", " | ".join(map(str, [area, sum(row), *row])), "|")
    print("\n| where | mutant |\n|---|---|")
    for entry in tried:
        if kind(entry) == "survives":
            file, change = entry["mutant"].split(": ", 1)
            print(f"| `{file}:{entry['line']}` | `{change.rsplit(' #', 1)[0]}` |")
    broken = [test for entry in entries for test in entry.get("broken", [])]
    if broken:
        print("\nFailing without any mutant, and left out:", ", ".join(broken))


def kind(entry):
    if not entry["caught_by"]:
        return "survives"
    return "unit" if entry["step"] in ("beside", "all") else "it"
