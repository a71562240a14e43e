"""`python -m frontend.tests.stylesheets [FILE…]`: find what is no CSS in our style sheets.

Browsers drop a declaration that they cannot read and say nothing. The parser, tinycss2, finds bad
syntax; it reads any letters after a number as a unit, so the units are held against the list of CSS
Values and Units Level 4. What a property allows is asked of a browser: browser/test_styles.py.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2
import tinycss2.ast

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("frontend", "identity", "infra", "meeting_rooms", "realtime", "rooms", "booking")
VIEWPORT = {f"{size}v{axis}" for size in ("", "s", "l", "d") for axis in ("w", "h", "i", "b")}
VIEWPORT |= {f"{size}v{most}" for size in ("", "s", "l", "d") for most in ("min", "max")}
UNITS = frozenset(
    {
        *("em", "rem", "ex", "rex", "cap", "rcap", "ch", "rch", "ic", "ric", "lh", "rlh"),
        *VIEWPORT,
        *("cqw", "cqh", "cqi", "cqb", "cqmin", "cqmax"),
        *("cm", "mm", "q", "in", "pt", "pc", "px"),
        *("deg", "grad", "rad", "turn"),
        *("s", "ms"),
        *("hz", "khz"),
        *("dpi", "dpcm", "dppx", "x"),
        "fr",
    }
)  # in lower case: units do not tell case apart

Node = tinycss2.ast.Node


def style_sheets() -> list[Path]:
    """Return our own style sheets: those of libraries are held by their check sums."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.css")]
    return sorted(path for path in found if "vendor" not in path.parts)


def faults(css: str) -> list[str]:
    """Return a sentence for each place that is no CSS, with its line."""
    return [
        f"line {node.source_line}: {_wrong_with(node)}"
        for node in _nodes(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))
        if _wrong_with(node)
    ]


def declarations(css: str) -> Iterator[tuple[int, str, str]]:
    """Return line, property and value of each declaration in a rule, but not in `@font-face`."""
    for node in _nodes(tinycss2.parse_stylesheet(css), besides=("font-face",)):
        if isinstance(node, tinycss2.ast.Declaration):
            yield node.source_line, node.name, tinycss2.serialize(node.value).strip()


def _wrong_with(node: Node) -> str:
    if isinstance(node, tinycss2.ast.ParseError):
        return node.message
    if isinstance(node, tinycss2.ast.DimensionToken) and node.lower_unit not in UNITS:
        return f"{node.representation}{node.unit}: CSS has no unit '{node.unit}'"
    return ""


def _nodes(nodes: Iterable[Node], besides: tuple[str, ...] = ()) -> Iterator[Node]:
    """Return each node and those inside it; no selectors, where `2n` is no number with a unit."""
    for node in nodes:
        yield node
        if isinstance(node, tinycss2.ast.AtRule):
            if node.lower_at_keyword not in besides:
                yield from _nodes(node.prelude, besides)
                yield from _nodes(_block(node.content), besides)
        elif isinstance(node, tinycss2.ast.QualifiedRule):
            yield from _nodes(_block(node.content), besides)
        elif isinstance(node, tinycss2.ast.Declaration):
            yield from _nodes(node.value, besides)
        elif isinstance(node, tinycss2.ast.FunctionBlock):
            yield from _nodes(node.arguments, besides)
        elif hasattr(node, "content"):  # brackets
            yield from _nodes(node.content, besides)


def _block(content: Any) -> list[Node]:
    """Return the declarations and rules of a block, none for an at-rule without one."""
    if content is None:
        return []
    return tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)


def main(names: list[str]) -> int:
    """Print each fault with its file; return 1 if there is any."""
    paths = [Path(name) for name in names] or style_sheets()
    found = [f"{path}: {fault}" for path in paths for fault in faults(path.read_text())]
    print("\n".join(found) or f"{len(paths)} style sheets are CSS.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
