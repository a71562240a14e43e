"""The layout of floors on a board."""

import pytest

from frontend.domain.layout import Floor, Layout, lay_out


def building(*rooms_per_floor: int) -> list[Floor]:
    """Return one floor for each number of rooms."""
    return [floor(index, count) for index, count in enumerate(rooms_per_floor)]


def floor(index: int, count: int) -> Floor:
    """Return one floor with `count` rooms."""
    rows = tuple(f"<li>{index}.{room}</li>" for room in range(count))
    return Floor(slug=str(index), name=f"Floor {index}", hint="", arrow="", rows=rows)


def shape(layout: Layout) -> list[list[int]]:
    """Return the number of rooms per floor, per column."""
    return [[len(floor.rows) for floor in column] for column in layout.columns]


@pytest.mark.parametrize(
    ("rooms", "expected"),
    [
        ((5, 5), [[5], [5]]),
        ((1, 4, 3), [[1, 4], [3]]),
        ((8,), [[4], [4]]),
        ((7,), [[4], [3]]),
        ((3,), [[3]]),
        ((2, 4, 3, 3), [[2, 4], [3, 3]]),
        ((2, 8), [[2, 3], [5]]),
        ((), []),
        ((0, 2), [[2]]),
    ],
)
def test_layout__floors__fill_two_columns_in_order(rooms, expected) -> None:
    assert shape(lay_out(building(*rooms))) == expected


def test_layout__ten_rooms__keeps_the_high_rows() -> None:
    layout = lay_out(building(5, 5))
    assert (layout.wide_row_px, layout.tall_row_px) == (132, 108)
    assert not any((layout.wide_scrolls, layout.tall_scrolls, layout.is_tall_compact))


def test_layout__twelve_rooms_on_four_floors__fits_without_scrolling() -> None:
    layout = lay_out(building(2, 4, 3, 3))
    assert layout.is_tall_compact
    assert not any((layout.wide_scrolls, layout.tall_scrolls))


def test_layout__more_rooms_than_fit__scrolls_with_full_rows() -> None:
    layout = lay_out(building(6, 8, 6))
    assert layout.wide_scrolls
    assert layout.tall_scrolls
    assert not layout.is_tall_compact
    assert (layout.wide_row_px, layout.tall_row_px) == (108, 108)


def test_layout__split_floor__marks_the_rest_as_continued() -> None:
    columns = lay_out(building(8)).columns
    assert [floor.is_continued for column in columns for floor in column] == [False, True]
