"""The operator's pages in a real browser: login, threshold, preview, and the replay of a failed delivery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from bot.outbox.states import State
from tests.browser.conftest import LiveSite, Visitor
from tests.fakechat import FakeChat, reset_after_body
from tests.pages.operator import TOKEN, Desk
from tests.pages.test_security import BODY, HOSTILE
from tests.site import ArticleSite, Clock

pytestmark = pytest.mark.browser

VIEWS = (
    "/admin",
    "/admin/deliveries",
    "/admin/threshold?channel=team",
    "/admin/preview",
    "/admin/preview?article=hostile",
    "/admin/files",
    "/admin/readers",
    "/admin/settings",
)


@pytest.fixture(scope="module")
def desk(live: LiveSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bot whose post of a new article has no known answer, beside a hostile article and a bad file."""
    clock = Clock()
    site = ArticleSite(tmp_path_factory.mktemp("desk"), clock)
    for number in range(12):
        at = f"2026-05-{number + 10:02}T09:00:00Z"
        site.write(f"{number}.md", title=f"Number {number}", quality=number * 8, publishedDateTime=at)
    site.write("hostile.md", BODY, title=HOSTILE, excerpt=HOSTILE, topics=[HOSTILE], quality=90)
    site.raw("bad.md", "---\n---\n")
    with FakeChat() as chat:
        desk = Desk(site, chat, clock, url=live.url)
        desk.check()
        chat.fail("team", reset_after_body())
        site.write("new.md", title="Brand new", quality=95, publishedDateTime=clock.now.isoformat())
        desk.check()
        live.app = desk.app
        yield desk
        desk.close()


@pytest.fixture
def operator(desk: Desk, visitor: Visitor) -> Visitor:
    """A visitor who has logged in with the token."""
    page = visitor.go("/admin")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    return visitor


def test_log_in_and_out(operator: Visitor) -> None:
    """The cookie is hidden from scripts, and logging out closes the pages again."""
    page = operator.page
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Log out").click()
    operator.go("/admin/deliveries")
    expect(page.get_by_role("heading", level=1)).to_have_text("Operator login")


def test_overview_on_a_wide_screen(operator: Visitor) -> None:
    """What needs attention comes first, and channels stand beside each other."""
    page = operator.page
    expect(page.locator(".needs a").first).to_be_in_viewport()
    first, second = (page.locator(".channel").nth(number).bounding_box() for number in (0, 1))
    assert first and second and first["y"] == second["y"] and first["x"] < second["x"]


def test_slider(operator: Visitor) -> None:
    """Moving the slider shows at once what that threshold would have posted."""
    page = operator.go("/admin/threshold?channel=team")
    status = page.locator("p[role=status]")
    expect(status).to_have_text("7 in 12 weeks, 0.6 per week")
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(page.locator("output")).to_have_text("60")
    expect(status).to_have_text("6 in 12 weeks, 0.5 per week")
    expect(page.locator("#results")).to_contain_text("Number 7")


def test_preview(operator: Visitor) -> None:
    """The preview finds an article, and draws it as each of the two services would show it."""
    page = operator.go("/admin/preview")
    page.get_by_label("Article").fill("brand")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Brand new").click()
    expect(page.locator(".slack .title")).to_have_text("Brand new")
    expect(page.locator(".discord .title")).to_have_text("Brand new")
    expect(page.get_by_role("region", name="What is sent to Slack")).to_contain_text('"blocks"')


def test_replay(operator: Visitor, desk: Desk) -> None:
    """A delivery whose answer was lost is reached from the overview, and a replay posts it to the chat."""
    page = operator.page
    page.get_by_role("link", name="1 held", exact=True).first.click()
    page.get_by_role("link", name="Brand new").click()
    expect(page.locator("main")).to_contain_text("the connection broke")
    before = len(desk.chat.requests)
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status")).to_have_text("It will be posted in the bot's next run.")
    desk.clock.advance(minutes=1)
    desk.check()
    assert len(desk.chat.requests) == before + 1
    page.reload()
    expect(page.locator("main")).to_contain_text(f"{State.SENT} · Channel team")


def test_many_at_once(operator: Visitor) -> None:
    """One checkbox selects all deliveries of the list, and the page reports the result for all of them."""
    page = operator.go("/admin/deliveries?state=baselined")
    page.get_by_label("Choose all on this page").check()
    boxes = page.locator("input[name=delivery]")
    count = boxes.count()
    assert count > 1
    expect(page.locator("input[name=delivery]:checked")).to_have_count(count)
    page.get_by_role("button", name="Skip chosen").click()
    expect(page.get_by_role("status")).to_contain_text(f"{count} of {count}: nothing was changed")


def test_phone_and_quiet(operator: Visitor) -> None:
    """At 360 pixels no page is wider than the screen, and hostile articles stay inert here too."""
    operator.page.set_viewport_size({"width": 360, "height": 740})
    for path in (*VIEWS, "/admin/deliveries/1"):
        page = operator.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        assert page.evaluate("document.scripts.length") == 1, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(operator: Visitor, scheme: Any) -> None:
    """axe-core finds nothing serious or critical on any of the operator's pages."""
    operator.page.emulate_media(color_scheme=scheme)
    for path in (*VIEWS, "/admin/deliveries/2", "/admin/login"):
        assert operator.violations(path) == [], path


def test_valid(operator: Visitor) -> None:
    """html-validate finds no error on any of the operator's pages."""
    assert operator.invalid((*VIEWS, "/admin/deliveries/2", "/admin/login")) == []
