"""This site's own copies of pictures are fetched on request, and bounded in size."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.waiting import WAIT_SECONDS

pytest.importorskip("PIL")

from app import create_app
from config import PagesConfig
from pictures.errors import PictureError
from pictures.fetching import Fetcher
from pictures.own import OwnPictures, WorkerStarter, is_worker_running
from pictures.rules import LARGE, SMALL, PicturesOfHosts
from pictures.store import PictureStore, key_of
from pictures.worker import Worker, main
from tests.pictures.test_resizing import picture
from tests.site import ArticleSite, Clock
from wiring.site import Newswire

Show = Callable[..., FlaskClient]
URL = "https://pictures.example/a.png"


@dataclass(frozen=True, slots=True)
class Answers(Fetcher):
    """A fetcher that answers without any host."""

    answer: Callable[[str], bytes] = lambda _url: picture(size=(640, 400))

    def fetch(self, url: str) -> bytes:
        """Return the answer that the test has set."""
        return self.answer(url)


class Place:
    """A store of pictures with everything that it needs."""

    def __init__(self, state: Path, clock: Clock, *, max_bytes: int = 10_000_000) -> None:
        self.store = PictureStore(state, clock, max_bytes=max_bytes)
        self.started = 0
        self.own = OwnPictures(self.store, "/news", self._start, clock)

    def _start(self) -> None:
        self.started += 1

    def work(self, answer: Callable[[str], bytes] = lambda _url: picture(size=(640, 400))) -> int:
        """Fetch the pictures that are due."""
        return Worker(self.store, Answers(answer=answer)).work()

    def name(self, url: str = URL, width: int = SMALL) -> str:
        """Return the name under which a page shows a picture."""
        shown = self.own.shown(url, width)
        assert shown
        return shown.address.removeprefix("/news/pictures/")


@pytest.fixture
def place(tmp_path: Path, clock: Clock) -> Place:
    """A place with an empty store."""
    return Place(tmp_path, clock)


def test_a_picture_is_fetched_when_it_is_first_asked_for(place: Place) -> None:
    """Rendering a page, perhaps for a robot, does not fetch its pictures."""
    name = place.name()
    assert place.work() == 0
    found = place.own.find(name)
    assert found and found.data is None and not found.has_failed
    assert place.started == 1
    assert place.work() == 1
    found = place.own.find(name)
    assert found and found.data and found.data[8:12] == b"WEBP"
    assert place.work() == 0
    assert place.started == 1


def test_a_page_says_how_large_the_copy_is_once_it_is_there(place: Place) -> None:
    """The width is the shown one, or a smaller picture's own."""
    place.own.find(place.name())
    place.work()
    again = OwnPictures(place.store, "/news", lambda: None, Clock())
    small, large = again.shown(URL, SMALL), again.shown(URL, LARGE)
    assert small and (small.width, small.height) == (320, 200)
    assert large and (large.width, large.height) == (640, 400)
    assert large.address == f"/news/pictures/{key_of(URL)}-1200.webp"


@pytest.mark.parametrize(
    "name", ["", "x", f"{key_of(URL)}-320.webp", f"{key_of(URL)}-321.webp", "../outbox.sqlite", "a" * 5000]
)
def test_nothing_is_fetched_that_no_page_shows(place: Place, name: str) -> None:
    """No visitor can make this site send a request to a host of their choice."""
    assert place.own.find(name) is None
    assert place.work() == place.started == 0


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:image/png;base64,AA", "", "/a.png", "ftp://x/a"]
)
def test_what_is_no_address_of_the_web_is_not_shown(place: Place, url: str) -> None:
    """Such an address is not stored either."""
    assert place.own.shown(url, SMALL) is None


def test_a_failure_is_remembered_and_tried_again_ever_later(place: Place, clock: Clock) -> None:
    """A failed fetch is repeated after one, two and four hours, up to a week, without a picture meanwhile."""

    def fail(_url: str) -> bytes:
        raise PictureError("its host answers 404")

    name = place.name()
    place.own.find(name)
    for hours in (1, 2, 4, 8, 16, 32, 64, 128):
        assert place.work(fail) == 1
        found = place.own.find(name)
        assert found and found.has_failed
        assert OwnPictures(place.store, "", lambda: None, clock).shown(URL, SMALL) is None
        clock.advance(hours=hours, seconds=-1)
        assert place.work(fail) == 0
        clock.advance(seconds=2)
    for _ in range(5):
        clock.advance(days=7, seconds=1)
        assert place.work(fail) == 1
    clock.advance(days=7, seconds=1)
    assert place.work() == 1
    found = place.own.find(name)
    assert found and found.data


def test_a_picture_that_ends_the_process_is_a_failure_too(place: Place) -> None:
    """A picture that ends the process counts as failed, so that the next process does not begin with it."""

    def end(_url: str) -> bytes:
        raise KeyboardInterrupt

    name = place.name()
    place.own.find(name)
    with pytest.raises(KeyboardInterrupt):
        place.work(end)
    assert place.work() == 0
    found = place.own.find(name)
    assert found and found.has_failed


def test_the_copies_stay_within_their_bound(tmp_path: Path, clock: Clock) -> None:
    """The least recently used copies are removed, and fetched again on request."""
    data = os.urandom(3 * 100 * 100)

    def noise(_url: str) -> bytes:
        from io import BytesIO

        from PIL import Image

        written = BytesIO()
        Image.frombytes("RGB", (100, 100), data).save(written, "PNG")
        return written.getvalue()

    place = Place(tmp_path, clock, max_bytes=40_000)
    names = [place.name(f"https://pictures.example/{number}.png") for number in range(6)]
    for name in names:
        place.own.find(name)
        place.work(noise)
        clock.advance(minutes=1)
    found = [place.own.find(name) for name in names]
    assert [bool(each and each.data) for each in found][-1]
    assert found[0] is None
    assert sum(bool(each and each.data) for each in found) < 6


def test_only_so_many_addresses_are_remembered(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least recently used addresses are forgotten, with their copies."""
    monkeypatch.setattr("pictures.store.MAX_KNOWN", 3)
    names = [place.name(f"https://pictures.example/{number}.png") for number in range(5)]
    assert sum(place.own.find(name) is not None for name in names) == 3


def test_a_few_are_fetched_at_once(place: Place) -> None:
    """The number of simultaneous fetches bounds the requests to a host, and the memory."""
    for number in range(6):
        place.own.find(place.name(f"https://pictures.example/{number}.png"))
    assert [place.work(), place.work(), place.work()] == [4, 2, 0]


def test_the_process_is_held_to_its_limits() -> None:
    """The limits are checked in a process of its own, because they cannot be raised again."""
    lines = (
        "import resource; from pictures import worker; worker._restrict(); worker._limit_time()",
        "print(resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_CPU)[0] <= 25)",
        "bytes(1_000_000_000)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert done.stdout.split() == ["1000000000", "True"]
    assert "MemoryError" in done.stderr


def test_only_one_process_fetches_for_a_state_folder(tmp_path: Path) -> None:
    """A second process ends at once, and other processes can see the first."""
    import fcntl

    from pictures.own import lock_file

    with lock_file(tmp_path).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_worker_running(tmp_path)
        assert main(tmp_path) == 0
    assert not is_worker_running(tmp_path)


def test_the_process_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is started once, and its environment has only what a program needs to run."""
    commands: list[tuple[list[str], dict[str, str]]] = []

    class Process:
        def __init__(self, command: list[str], *, env: dict[str, str], **_: object) -> None:
            commands.append((command, env))

        def poll(self) -> None:
            return None

    monkeypatch.setenv("ADMIN_TOKEN", "secret")
    monkeypatch.setattr("pictures.own.subprocess.Popen", Process)
    start = WorkerStarter(tmp_path)
    start()
    start()
    ((command, environment),) = commands
    assert command[1:3] == ["-m", "pictures.worker"]
    assert "PATH" in environment
    assert "ADMIN_TOKEN" not in environment


@pytest.fixture
def show(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    """Serve an article with a picture on another host, with these `pages` settings, without fetching any."""
    monkeypatch.setattr("pictures.own.WorkerStarter.__call__", lambda _self: None)
    site = ArticleSite(tmp_path, clock)
    site.write(
        "a.md",
        "Text.\n\n![A cat](https://pictures.example/cat.png)\n\n![](https://other.example/dog.png)\n",
        topics=["AI"],
        images=[{"url": URL, "title": "A lead"}],
    )
    served: list[Newswire] = []

    def serve(**pages: object) -> FlaskClient:
        config = site.config().model_copy(update={"pages": PagesConfig.model_validate(pages)})
        app = create_app(config, clock=clock, environ={})
        served.append(app.extensions["newswire"])
        served[0].indexer.refresh()
        return app.test_client()

    yield serve
    for each in served:
        each.catalog.close()


def test_without_the_setting_no_picture_of_another_host_is_shown(show: Show) -> None:
    """A text link replaces the picture, and the policy allows only this site."""
    client = show()
    page = client.get("/articles/a")
    assert "<img" not in page.text
    assert ">Picture: A cat</a>" in page.text
    assert ">Picture on other.example</a>" in page.text
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]
    assert "loads nothing from other sites" in page.text


def test_pictures_of_listed_hosts_are_loaded_from_there(show: Show) -> None:
    """They are loaded by https only, and the policy names these hosts on error pages too."""
    client = show(images=["pictures.example"])
    page = client.get("/articles/a")
    assert "loads nothing from other sites" not in page.text
    assert re.findall(r'<img src="([^"]*)" alt="([^"]*)"', page.text) == [
        ("https://pictures.example/a.png", "A lead"),
        ("https://pictures.example/cat.png", "A cat"),
    ]
    assert URL in client.get("/").text
    for path in ("/", "/articles/a", "/nothing"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "img-src 'self' https://pictures.example;" in policy


@pytest.mark.parametrize(
    "url",
    ["http://pictures.example/a", "https://pictures.example:8443/a", "https://u@pictures.example/a",
     "https://xpictures.example/a",
     "https://pictures.example.evil.test/a", "https://[x/a", "//pictures.example/a"],
)  # fmt: skip
def test_what_the_policy_would_stop_is_not_shown(url: str) -> None:
    """Pictures with another scheme, another port or a similar host name are not shown."""
    assert PicturesOfHosts(("pictures.example", "*.wide.example")).shown(url, SMALL) is None


def test_a_star_means_the_hosts_below() -> None:
    """A star matches hosts below the name, but not the name itself, as in the policy."""
    hosts = PicturesOfHosts(("*.wide.example",))
    assert hosts.shown("https://a.b.wide.example/x", SMALL)
    assert hosts.shown("https://wide.example/x", SMALL) is None


def test_own_copies_are_served_by_this_site(show: Show, tmp_path: Path, clock: Clock) -> None:
    """A request gives a transparent pixel that is not cached, then the picture; unknown pictures give 404."""
    client = show(images="own")
    found = re.search(r'<img src="(/pictures/[0-9a-f]{32}-320\.webp)"', client.get("/").text)
    assert found
    waiting = client.get(found[1])
    assert (waiting.status_code, waiting.mimetype) == (202, "image/gif")
    assert waiting.headers["Cache-Control"] == "no-store"
    store = PictureStore(tmp_path / "state", clock)
    assert Worker(store, Answers()).work() == 1
    there = client.get(found[1])
    assert (there.status_code, there.mimetype) == (200, "image/webp")
    assert there.headers["Cache-Control"] == "public, max-age=604800"
    assert client.get(found[1].replace("320", "1200")).status_code == 200
    assert client.get(f"/pictures/{'0' * 32}-320.webp").status_code == 404


def test_a_failed_copy_is_not_found(show: Show, tmp_path: Path, clock: Clock) -> None:
    """For an hour the answer is 404, with a transparent pixel where a page still shows the picture."""
    client = show(images="own")
    address = f"/pictures/{key_of(URL)}-320.webp"
    client.get("/")
    client.get(address)
    Worker(PictureStore(tmp_path / "state", clock), Answers(answer=lambda _url: b"<svg/>")).work()
    failed = client.get(address)
    assert (failed.status_code, failed.mimetype) == (404, "image/gif")
    assert failed.headers["Cache-Control"] == "public, max-age=3600"
