"""The browser supports our style sheets; the board is protected against burn-in."""

import pytest

from frontend.tests.stylesheets import declarations, style_sheets

pytestmark = pytest.mark.asyncio(loop_scope="session")

MINUTE_MS = 60_000
UNSUPPORTED = "(given) => given.filter(([, name, value]) => !CSS.supports(name, value))"
# The page's clock stands still, but the clock of animations does not: the test sets their time.
PLACES = """(instants) => {
  const main = document.querySelector("main");
  const [orbit] = main.getAnimations();
  orbit.pause();
  const at = (ms) => { orbit.currentTime = ms; return main.getBoundingClientRect(); };
  const rest = at(0);
  return instants.map((ms) => [at(ms).x - rest.x, at(ms).y - rest.y]);
}"""


@pytest.mark.parametrize("sheet", style_sheets(), ids=lambda path: path.name)
async def test_declarations__of_every_sheet__are_supported_by_the_browser(screen, sheet) -> None:
    written = list(declarations(sheet.read_text()))
    assert written
    assert await screen.page.evaluate(UNSUPPORTED, written) == []


async def test_board__every_ten_minutes__moves_by_a_few_pixels(screen) -> None:
    """No pixel of a panel shows the same edge all day; the move is too small to notice."""
    await screen.become_live()
    minutes = [0, 9.9, 10, 19.9, 20, 30, 39.9, 40, 50]
    places = await screen.page.evaluate(PLACES, [minute * MINUTE_MS for minute in minutes])
    home, first, second, third = [0, 0], [3, 2], [-2, 3], [2, -3]
    assert places == [home, home, first, first, second, third, third, home, first]
