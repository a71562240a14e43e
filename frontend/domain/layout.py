"""The layout of a building's floors on a board. Pure arithmetic, in px of the 1080p design.

The type never shrinks. If the rooms do not fit, the rows become lower, then the foot of a portrait
board becomes compact, then the page scrolls.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Heights of lobby.css, measured in the browser. _LEAST_ROW_PX is the least height for two lines.
_WIDE_PX = 762
_TALL_PX = 1308
_TALL_COMPACT_PX = 1462
_HEAD_PX = 58
_ROW_GAP_PX = 10
_FLOOR_GAP_PX = 26
_STEP_PX = 4  # lobby-fit.css has one rule per step, because the CSP forbids style attributes
_LEAST_ROW_PX = 88
_MOST_ROW_PX = 156
_SCROLLED_ROW_PX = 108
_ONE_COLUMN_ROWS = 4


@dataclass(frozen=True, slots=True)
class Floor:
    """One floor with its rows, or the rest of a floor that continues in the second column."""

    slug: str
    name: str
    hint: str
    arrow: str
    rows: tuple[str, ...]  # HTML
    is_continued: bool = False


Column = tuple[Floor, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a landscape board (stacked in portrait) and the row heights of both."""

    columns: tuple[Column, ...]
    wide_row_px: int
    tall_row_px: int
    is_tall_compact: bool
    wide_scrolls: bool
    tall_scrolls: bool


def lay_out(floors: Sequence[Floor]) -> Layout:
    """Return the layout with the tallest rows; reading order is kept."""
    used = tuple(floor for floor in floors if floor.rows)
    columns = _columns(used)
    wide = min((_row_px(_WIDE_PX, column) for column in columns), default=_MOST_ROW_PX)
    tall = _row_px(_TALL_PX, used)
    compact = tall < _LEAST_ROW_PX + 2 * _STEP_PX
    if compact:
        tall = _row_px(_TALL_COMPACT_PX, used)
    return Layout(
        columns=columns,
        wide_row_px=_step(wide),
        tall_row_px=_step(tall),
        is_tall_compact=compact and tall >= _LEAST_ROW_PX,
        wide_scrolls=wide < _LEAST_ROW_PX,
        tall_scrolls=tall < _LEAST_ROW_PX,
    )


def _columns(floors: Column) -> tuple[Column, ...]:
    if len(floors) == 1 and len(floors[0].rows) <= _ONE_COLUMN_ROWS:
        return (floors,)
    return max(_splits(floors), key=_split_rank, default=())


def _splits(floors: Column) -> list[tuple[Column, ...]]:
    between = [(floors[:cut], floors[cut:]) for cut in range(1, len(floors))]
    within = [
        (
            (*floors[:index], _part(floor, 0, cut)),
            (_part(floor, cut, len(floor.rows)), *floors[index + 1 :]),
        )
        for index, floor in enumerate(floors)
        for cut in range(1, len(floor.rows))
    ]
    return [*between, *within]


def _split_rank(columns: tuple[Column, ...]) -> tuple[int, bool, int, int]:
    """Return the rank of a split: rows up to 100 px, unsplit floors, higher rows, fuller left."""
    left, right = columns
    row = min(_row_px(_WIDE_PX, left), _row_px(_WIDE_PX, right))
    is_unsplit = not right[0].is_continued
    return min(row, 100), is_unsplit, row, sum(len(floor.rows) for floor in left)


def _part(floor: Floor, start: int, stop: int) -> Floor:
    return Floor(
        slug=floor.slug,
        name=floor.name,
        hint=floor.hint,
        arrow=floor.arrow,
        rows=floor.rows[start:stop],
        is_continued=start > 0,
    )


def _row_px(available_px: int, floors: Column) -> int:
    count = sum(len(floor.rows) for floor in floors)
    if not count:
        return _MOST_ROW_PX
    heads = len(floors)
    gaps = (count - heads) * _ROW_GAP_PX + (heads - 1) * _FLOOR_GAP_PX
    return (available_px - heads * _HEAD_PX - gaps) // count


def _step(row_px: int) -> int:
    if row_px < _LEAST_ROW_PX:
        return _SCROLLED_ROW_PX
    return min(row_px, _MOST_ROW_PX) // _STEP_PX * _STEP_PX
