"""`python -m meeting_rooms.dev.plain_words`: words that this project does not use, and where.

The code, its messages and its documents are read by engineers whose second language is English.
The words in `plain_words.toml` read as riddles to them; each has a plain word beside it. The check
reads Python files (tests and migrations apart), `docs/*.md`, README.md and CONTRIBUTING.md. It
exits with 1 where it finds a word.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOKED_AT = ("*.py", "docs/*.md", "README.md", "CONTRIBUTING.md")
LEFT_OUT = ("*/tests/*", "*/migrations/*")
PLAIN_WORDS: dict[str, str] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)["words"]
_ALL = re.compile("|".join(f"(?P<w{n}>{pattern})" for n, pattern in enumerate(PLAIN_WORDS)))


def found_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the word and the plain word for each word in the text."""
    plain = list(PLAIN_WORDS.values())
    for number, line in enumerate(text.splitlines(), 1):
        for match in _ALL.finditer(line):
            yield number, match[0], plain[int((match.lastgroup or "w0")[1:])]


def files() -> list[Path]:
    """Return the files that are looked at, as git lists them."""
    left_out = [f":!{pattern}" for pattern in LEFT_OUT]
    command = ["git", "ls-files", "--", *LOOKED_AT, *left_out]
    listed = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def main() -> int:
    """Print each place with a plain word for it. Returns the exit code."""
    places = [
        f"{path.relative_to(ROOT)}:{number}: '{word}': {plain}"
        for path in files()
        for number, word, plain in found_in(path.read_text(encoding="utf-8"))
    ]
    for place in places:
        sys.stdout.write(f"{place}\n")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
