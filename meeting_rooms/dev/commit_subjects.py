"""`python -m meeting_rooms.dev.commit_subjects [RANGE]` checks the form of commit subjects.

The form: `type(scope): imperative subject`, at most 72 columns (Conventional Commits). Without a
range, the command checks all commits since SINCE. Exits with 1 if a subject has another form.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_COLUMNS = 72  # git's own listings show so many without truncation
SINCE = "da533be"  # the last commit before subjects were checked
FORM = re.compile(
    r"(feat|fix|perf|refactor|test|docs|build|ci|style|chore|revert)(\([a-z_]+\))?!?: "
    r"(?P<subject>[a-z].*[^.])"
)
# A subject begins with its verb, not with one of these words, a past tense or a gerund.
NO_VERBS = re.compile(
    r"an?|the|no|some|one|two|what|whom?|whose|where|when|whether|which|those|these|this|that|its?|"
    r"all|any|each|every|more|other|our|new"
)
NO_IMPERATIVE = re.compile(r"\w+(?<!e)(ed|ing)")
VERBS_ALL_THE_SAME = frozenset({"embed", "feed", "need", "seed", "speed", "bring", "string"})


def fault_of(subject: str) -> str | None:
    """Return the first fault of a subject; None if there is no fault."""
    if len(subject) > MAX_COLUMNS:
        return f"{len(subject)} columns; the maximum is {MAX_COLUMNS}"
    form = FORM.fullmatch(subject)
    if form is None:
        return "not 'type(scope): subject' in lower case without a full stop"
    verb = form["subject"].split()[0]
    if NO_VERBS.fullmatch(verb) or (
        verb not in VERBS_ALL_THE_SAME and NO_IMPERATIVE.fullmatch(verb)
    ):
        return f"'{verb}' is no imperative; begin with the verb: add, refuse, show"
    return None


def subjects_of(commits: str) -> list[str]:
    """Return the subjects of a range, without merges. Raises SystemExit for an unknown range."""
    listed = subprocess.run(
        ["git", "log", "--no-merges", "--format=%s", commits],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    if listed.returncode:
        raise SystemExit(f"git does not know the range {commits}: {listed.stderr.strip()}")
    return listed.stdout.splitlines()


def is_known(commit: str) -> bool:
    """Return whether this clone has the commit; a shallow clone or an archive does not."""
    asked = subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"],
        cwd=ROOT, check=False, capture_output=True, timeout=30,
    )  # fmt: skip
    return asked.returncode == 0


def main(arguments: list[str] | None = None) -> int:
    """Print each subject that does not follow the form. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Check the form of commit subjects.")
    parser.add_argument("range", nargs="?", help=f"commits to check (default {SINCE}..HEAD)")
    commits = parser.parse_args(arguments).range
    if commits is None:
        if not is_known(SINCE):
            sys.stdout.write("Commit subjects: not checked, this clone has no history.\n")
            return 0
        commits = f"{SINCE}..HEAD"
    faults = [(each, fault) for each in subjects_of(commits) if (fault := fault_of(each))]
    for subject, fault in faults:
        sys.stdout.write(f"{subject}\n    {fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
