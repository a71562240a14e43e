"""The header of pages shows the product's full name at every width and cuts nothing off."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.async_api import Browser

from meeting_rooms.kernel.product import PRODUCT_NAME

pytestmark = pytest.mark.asyncio(loop_scope="session")
STYLES = Path(__file__).resolve().parents[2] / "static" / "frontend"
ADMIN = SimpleNamespace(
    is_authenticated=True, is_admin=True, display_name="Bartholomew Featherstonehaugh"
)
MEASURE = """() => {
  const mark = document.querySelector(".mark a"), box = mark.getBoundingClientRect();
  const line = parseFloat(getComputedStyle(mark).lineHeight);
  return {
    name: mark.textContent.trim(), lines: Math.round(box.height / line), end: box.right,
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    hidden: [...document.querySelectorAll(".top a, .top button")].filter((e) => {
      const at = e.getBoundingClientRect();
      return at.left < 0 || at.right > window.innerWidth || e.scrollWidth > e.clientWidth;
    }).length,
  };
}"""


@pytest.mark.parametrize("width", [320, 375, 412, 700, 1280])
@pytest.mark.parametrize("user", [ADMIN, AnonymousUser()], ids=["admin", "visitor"])
async def test_header__each_width__shows_the_name_on_one_line_and_everything_else(
    browser: Browser, width, user
):
    request = RequestFactory().get("/")
    request.user = user
    page = await browser.new_page(viewport={"width": width, "height": 600})
    await page.set_content(render_to_string("frontend/home.html", {"page": "home"}, request))
    for name in ("tokens.css", "base.css", "pages.css"):
        await page.add_style_tag(path=STYLES / name)
    found = await page.evaluate(MEASURE)
    await page.close()
    assert (found["name"], found["lines"]) == (PRODUCT_NAME, 1)
    assert (found["overflow"], found["hidden"]) == (0, 0)
