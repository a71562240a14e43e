"""What the browser takes of the style sheets, and the board's protection against burn-in."""

import pytest

from frontend.tests.stylesheets import declarations, style_sheets

pytestmark = pytest.mark.asyncio(loop_scope="session")

MINUTE_MS = 60_000
UNSUPPORTED = "(given) => given.filter(([, name, value]) => !CSS.supports(name, value))"
# The page's clock stands still, and that of its animations does not: a test sets each by hand.
PLACES = """(instants) => {
  const main = document.querySelector("main");
  const [orbit] = main.getAnimations();
  orbit.pause();
  const at = (ms) => { orbit.currentTime = ms; return main.getBoundingClientRect(); };
  const rest = at(0);
  return instants.map((ms) => [at(ms).x - rest.x, at(ms).y - rest.y]);
}"""


@pytest.mark.parametrize("sheet", style_sheets(), ids=lambda path: path.name)
async def test_declarations__of_every_sheet__are_known_to_the_browser(screen, sheet) -> None:
    written = list(declarations(sheet.read_text()))
    assert written
    assert await screen.page.evaluate(UNSUPPORTED, written) == []


async def test_board__every_ten_minutes__is_a_few_pixels_elsewhere(screen) -> None:
    """No pixel of a panel shows the same edge all day, and the move is too small to be seen."""
    await screen.come_alive()
    minutes = [0, 9.9, 10, 19.9, 20, 30, 39.9, 40, 50]
    places = await screen.page.evaluate(PLACES, [minute * MINUTE_MS for minute in minutes])
    home, first, second, third = [0, 0], [3, 2], [-2, 3], [2, -3]
    assert places == [home, home, first, first, second, third, third, home, first]
