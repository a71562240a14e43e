"""`python -m frontend.tests.stylesheets [FILE…]`: find invalid CSS in our style sheets.

Browsers drop an invalid declaration without a message. The parser, tinycss2, finds bad syntax. It
accepts any letters after a number as a unit, so the units are compared with the list of CSS Values
and Units Level 4. A browser checks the values of properties: browser/test_styles.py.
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
VIEWPORT |= {f"{size}v{bound}" for size in ("", "s", "l", "d") for bound in ("min", "max")}
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
)  # in lower case: units are case-insensitive

Node = tinycss2.ast.Node


def style_sheets() -> list[Path]:
    """Return our own style sheets. The style sheets of libraries have checksums instead."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.css")]
    return sorted(path for path in found if "vendor" not in path.parts)


def faults(css: str) -> list[str]:
    """Return a message with the line for each invalid part of the CSS."""
    return [
        f"line {node.source_line}: {_error_of(node)}"
        for node in _nodes(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))
        if _error_of(node)
    ]


def declarations(css: str) -> Iterator[tuple[int, str, str]]:
    """Return line, property and value of each declaration in a rule, but not in `@font-face`."""
    for node in _nodes(tinycss2.parse_stylesheet(css), excluded=("font-face",)):
        if isinstance(node, tinycss2.ast.Declaration):
            yield node.source_line, node.name, tinycss2.serialize(node.value).strip()


def _error_of(node: Node) -> str:
    if isinstance(node, tinycss2.ast.ParseError):
        return node.message
    if isinstance(node, tinycss2.ast.DimensionToken) and node.lower_unit not in UNITS:
        return f"{node.representation}{node.unit}: CSS has no unit '{node.unit}'"
    return ""


def _nodes(nodes: Iterable[Node], excluded: tuple[str, ...] = ()) -> Iterator[Node]:
    """Return all nodes, nested ones too, but no selectors: their `2n` has no unit."""
    for node in nodes:
        yield node
        if isinstance(node, tinycss2.ast.AtRule):
            if node.lower_at_keyword not in excluded:
                yield from _nodes(node.prelude, excluded)
                yield from _nodes(_block(node.content), excluded)
        elif isinstance(node, tinycss2.ast.QualifiedRule):
            yield from _nodes(_block(node.content), excluded)
        elif isinstance(node, tinycss2.ast.Declaration):
            yield from _nodes(node.value, excluded)
        elif isinstance(node, tinycss2.ast.FunctionBlock):
            yield from _nodes(node.arguments, excluded)
        elif hasattr(node, "content"):  # brackets
            yield from _nodes(node.content, excluded)


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
