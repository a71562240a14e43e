"""The booking form in a browser, on real processes: cases 22, 24 and 109 as people see them."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from channels.db import database_sync_to_async
from django.conf import settings
from django.test import Client
from playwright.async_api import Browser, Page, expect

from booking.commands.book_room import BookRooms, book_room
from booking.commands.cancel_booking import cancel_booking
from booking.domain.holds import HOLD_LASTS_AT_MOST
from booking.models import Booking
from identity.queries import actor_of
from identity.tests.factories import person
from meeting_rooms.kernel.actor import SYSTEM_ACTOR
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import PATIENCE_S, Stack
from rooms.models import Room
from rooms.tests.factories import floor, room

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATIENCE_MS = 60_000


@pytest_asyncio.fixture(loop_scope="session")
async def browser(browser: Browser) -> AsyncIterator[Browser]:
    """Close the contexts that a test has opened: open forms keep their holds."""
    yield browser
    for context in browser.contexts:
        await context.close()


@database_sync_to_async
def places() -> tuple[Room, Room]:
    level = floor()
    return room("Dogger", on=level), room("Humber", on=level)


class Forms:
    """The booking form of one slot, in a tab for each person. The slot is noon tomorrow."""

    def __init__(self, browser: Browser, stack: Stack, where: Room) -> None:
        self.browser, self.stack, self.where = browser, stack, where
        self.errors: list[str] = []
        tomorrow = SYSTEM_CLOCK.now() + timedelta(days=1)
        self.slot = {"day": f"{tomorrow:%Y-%m-%d}", "starts": "12:00", "minutes": "30"}

    async def of(self, name: str) -> Page:
        """Open the form as this person, with the slot chosen by the link."""
        context = await self.browser.new_context(viewport={"width": 390, "height": 844})
        key = await database_sync_to_async(_sign_in)(name)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": self.stack.url}
        await context.add_cookies([cookie])
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        query = "&".join(f"{name}={value}" for name, value in self.slot.items())
        house = await database_sync_to_async(lambda: self.where.floor.building.slug)()
        await page.goto(f"{self.stack.url}/book/{house}?room={self.where.uuid}&{query}")
        return page


def _sign_in(name: str) -> str:
    client = Client()
    client.force_login(person(name))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


async def wait_until_held(page: Page) -> None:
    """Wait until the page shows the slot as held for its own user."""
    message = page.locator("[data-when=held]")
    await expect(message).to_contain_text("Held for you for 1:", timeout=PATIENCE_MS)


async def shows(page: Page, words: str, timeout_ms: int = PATIENCE_MS) -> None:
    await expect(page.locator("#book-form")).to_contain_text(words, timeout=timeout_ms)


async def test_case_022__one_person_holds_and_the_other_reads_the_expiry(shared_stack, browser):
    """Two people have the form of one slot open"""
    dogger, _ = await places()
    forms = Forms(browser, shared_stack, dogger)
    ben = await forms.of("Ben")
    await wait_until_held(ben)
    await ben.keyboard.press("Escape")
    await shows(ben, "You released the slot.")
    ann = await forms.of("Ann")
    await wait_until_held(ann)
    await expect(
        ann.get_by_role("button", name="Hold longer")
    ).to_be_hidden()  # the hold is still long
    await shows(ben, "Held until")
    await shows(ben, "Ann is booking it.")
    await ben.get_by_role("button", name="Book", exact=True).click()
    await shows(ben, "Another person is booking Dogger for this time.", PATIENCE_MS)
    await ann.locator("#id_title").fill("Retro")
    await ann.get_by_role("button", name="Book", exact=True).click()
    await shows(ann, "Booked: Dogger", PATIENCE_MS)
    await expect(ann.locator("[data-when=held]")).to_be_hidden()
    assert await Booking.objects.filter(state="confirmed", title="Retro").aexists()
    assert forms.errors == []


async def test_case_024__the_tab_is_closed_and_the_other_form_is_free_again(shared_stack, browser):
    """The holder closes the tab; another form shows the free slot"""
    dogger, _ = await places()
    forms = Forms(browser, shared_stack, dogger)
    ann = await forms.of("Ann")
    await wait_until_held(ann)
    ben = await forms.of("Ben")
    await shows(ben, "Held until", PATIENCE_MS)
    await ann.close()
    await wait_until_held(ben)  # the slot became free, and Ben's form holds it
    assert forms.errors == []


async def test_case_109__taken_meanwhile_the_form_reports_it_and_keeps_the_entries(
    shared_stack, browser
):
    """Another person takes the slot of an open form"""
    dogger, humber = await places()
    forms = Forms(browser, shared_stack, dogger)
    ben = await forms.of("Ben")
    await wait_until_held(ben)
    await ben.locator("#id_title").fill("Planning of the week")
    await ben.locator("#id_private").check()
    await ben.keyboard.press("Escape")
    await shows(ben, "You released the slot.")
    held = await Booking.objects.aget()
    slot = Interval(held.during.lower, held.during.upper)
    booked = await database_sync_to_async(_book)(dogger, slot)
    await shows(ben, "Dogger is booked at this time. Your entries are kept.")
    await ben.locator(f'[data-choice][data-room="{humber.uuid}"]').click()
    await wait_until_held(ben)
    assert await ben.locator("#id_title").input_value() == "Planning of the week"
    assert await ben.locator("#id_private").is_checked()
    assert await ben.locator("#id_room").input_value() == str(humber.uuid)
    await database_sync_to_async(cancel_booking)(actor=SYSTEM_ACTOR, booking_id=booked)
    assert forms.errors == []


def _book(where: Room, slot: Interval):
    wanted = BookRooms.one(where.uuid, slot, "Stand-up")
    return book_room(actor=actor_of(person("Cas")), wanted=wanted).id


async def test_form__no_choice_yet__holds_nothing(shared_stack, browser):
    dogger, _ = await places()
    forms = Forms(browser, shared_stack, dogger)
    page = await forms.of("Ann")
    await wait_until_held(page)
    await page.goto(page.url.partition("?")[0])
    await expect(page.locator("[data-when=held]")).to_be_hidden()
    await page.locator("#id_title").press_sequentially("Re")
    await wait_until_held(page)
    held = Booking.objects.filter(state="held")
    assert await held.acount() == 1
    assert forms.errors == []


async def test_case_023__the_end_of_the_hold_is_reported_and_the_holder_may_hold_again(
    shared_stack, browser
):
    """The hold of an open form expires"""
    dogger, _ = await places()
    forms = Forms(browser, shared_stack, dogger)
    old = await forms.of("Ann")
    await wait_until_held(old)
    await old.close()
    async with asyncio.timeout(PATIENCE_S):
        while not await Booking.objects.filter(state="lapsed").aexists():
            await asyncio.sleep(0.05)
    before = await Booking.objects.aget()
    nearly_over = SYSTEM_CLOCK.now() - HOLD_LASTS_AT_MOST + timedelta(seconds=8)
    await Booking.objects.filter(pk=before.pk).aupdate(
        state="held", takes_slot=True, created_at=nearly_over,
        lapses_at=nearly_over + HOLD_LASTS_AT_MOST,
    )  # fmt: skip
    ann = await old.context.new_page()
    await ann.goto(old.url)
    await shows(ann, "Held for you for 0:0", PATIENCE_MS)
    await shows(ann, "Your hold ended. The slot is still free.", PATIENCE_MS)
    await ann.get_by_role("button", name="Hold again").click()
    await wait_until_held(ann)


async def test_hold__holder_types__is_renewed(shared_stack, browser):
    dogger, _ = await places()
    forms = Forms(browser, shared_stack, dogger)
    page = await forms.of("Ann")
    await page.clock.install()
    await page.reload()
    await wait_until_held(page)
    before = await Booking.objects.aget(state="held")
    for _ in range(3):
        await page.clock.fast_forward(7_500)
        # the hold was renewed
        await expect(page.locator("[data-left]")).to_have_text(re.compile("1:[45]."))
    await page.locator("#id_title").press_sequentially("Re")
    renewed = Booking.objects.filter(pk=before.pk, lapses_at__gt=before.lapses_at)
    async with asyncio.timeout(PATIENCE_S):
        while not await renewed.aexists():
            await asyncio.sleep(0.05)
    assert forms.errors == []
