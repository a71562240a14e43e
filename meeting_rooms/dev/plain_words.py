"""`python -m meeting_rooms.dev.plain_words` finds words that are hard to understand.

Many readers of the code, its messages and its documents have English as their second language.
`plain_words.toml` lists the words that this project does not use, with a plain word for each. The
check reads the Python files except tests and migrations, `docs/*.md`, README.md and
CONTRIBUTING.md. Exits with 1 if it finds a word.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKED = ("*.py", "docs/*.md", "README.md", "CONTRIBUTING.md")
EXCLUDED = ("*/tests/*", "*/migrations/*")
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
    """Return the files that are checked, as git lists them."""
    excluded = [f":!{pattern}" for pattern in EXCLUDED]
    command = ["git", "ls-files", "--", *CHECKED, *excluded]
    listed = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def main() -> int:
    """Print the file, line, word and plain word of each place. Returns the exit code."""
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
