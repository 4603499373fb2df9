"""A site below a path of its host, behind a real nginx that removes the path or keeps it."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from lxml import etree

from tests.articles.gitserver import Origin
from tests.pages.parsed import parse
from tests.ports import free_port
from tests.site import front_matter, put
from tests.soak.cluster import hosted, wait_for
from tests.waiting import WAIT_SECONDS

NGINX = shutil.which("nginx", path="/usr/sbin:/sbin:/usr/bin")
TOKEN, SECRET = "t" * 32, "s" * 32

CONFIG = """\
daemon off;
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_buffer_size 256k;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    server {{
        listen 127.0.0.1:{leaves};
        location /news/ {{ proxy_pass http://127.0.0.1:{web}; }}
        location = /news {{ proxy_pass http://127.0.0.1:{web}; }}
    }}
    server {{
        listen 127.0.0.1:{removes};
        location /news/ {{ proxy_pass http://127.0.0.1:{web}/; }}
    }}
}}
"""


@dataclass(frozen=True)
class Behind:
    """The site behind one of the proxies. `url` is its address there, `site_url` the configured one."""

    url: str
    site_url: str

    def get(self, path: str, **headers: str) -> requests.Response:
        """Request a path below the site."""
        return requests.get(self.url + path, headers=headers, timeout=WAIT_SECONDS, allow_redirects=False)

    def answers(self) -> bool:
        """Return whether the proxy listens, and the site answers behind it."""
        try:
            return self.get("/healthz").ok
        except requests.ConnectionError:
            return False

    def here(self, address: str) -> str | None:
        """Return the address of this site's URL behind this proxy, or None for another site's URL."""
        absolute = urljoin(f"{self.site_url}/", address)
        host = urlsplit(absolute)._replace(path="", query="", fragment="").geturl()
        if not self.site_url.startswith(host):
            return None
        assert absolute == self.site_url or absolute.startswith(f"{self.site_url}/"), f"{address} leads out"
        return self.url + absolute.removeprefix(self.site_url).partition("#")[0]


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Behind, Behind]]:
    """The Procfile's web process behind nginx, where one server keeps the path and the other removes it."""
    if NGINX is None:
        pytest.skip("there is no nginx")
    home = tmp_path_factory.mktemp("subpath")
    origin = Origin(home / "origin")
    for name in "abc":
        put(origin.folder / f"{name}.md", front_matter("[b](b.md)", title=f"A {name}", topics=["Go", "日本"]))
    origin.commit()
    articles = f"{{git: '{origin.url}', every: 1 hour}}"
    (home / "config.yaml").write_text(f"articles: {articles}\nfeeds: {{digest: day}}\n", encoding="utf-8")
    ports = {name: free_port() for name in ("web", "leaves", "removes")}
    site_url = f"http://127.0.0.1:{ports['leaves']}/news"
    (home / "nginx").mkdir()
    (home / "nginx.conf").write_text(CONFIG.format(home=home / "nginx", **ports))
    settings = {
        "NEWSWIRE_CONFIG": str(home / "config.yaml"), "SITE_URL": site_url, "TRUSTED_PROXIES": "1",
        "ADMIN_TOKEN": TOKEN, "GIT_HOOK_SECRET": SECRET, "WEB_CONCURRENCY": "1", "PORT": str(ports["web"]),
    }  # fmt: skip
    nginx = subprocess.Popen([NGINX, "-p", str(home / "nginx"), "-c", str(home / "nginx.conf")])
    try:
        with hosted(home, **settings) as host:
            web = host.web("web", PORT=str(ports["web"]))
            web.wait_until_ready()
            both = (Behind(site_url, site_url), Behind(f"http://127.0.0.1:{ports['removes']}/news", site_url))
            wait_for(lambda: all(each.answers() for each in both), "nginx is ready")
            yield both
    finally:
        nginx.terminate()
        nginx.wait(WAIT_SECONDS)


@pytest.fixture(params=[0, 1], ids=["left in paths", "removed"])
def behind(proxies: tuple[Behind, Behind], request: pytest.FixtureRequest) -> Behind:
    """The site behind each of the two."""
    found: Behind = proxies[request.param]
    return found


def addresses(answer: requests.Response) -> set[str]:
    """Return every address that a document links to or loads."""
    kind = answer.headers["Content-Type"]
    if "html" in kind:
        return {str(each) for each in parse(answer.text).xpath("//@href | //@src | //@action")}
    if "xml" in kind or "opml" in kind:
        found: Any = etree.fromstring(answer.content).xpath(
            "//@href | //@xmlUrl | //@htmlUrl | //*[local-name()='loc' or local-name()='link']/text()"
        )
        return {str(each).strip() for each in found} - {""}
    return set()


def test_every_address_leads_to_a_page_of_the_site(behind: Behind) -> None:
    """Every page, feed, list, style, script, form and icon linked from the home page on exists."""
    known = {f"{behind.url}/", f"{behind.url}/sitemap.xml", f"{behind.url}/robots.txt"}
    waiting = sorted(known)
    while waiting:
        url = waiting.pop()
        answer = requests.get(url, timeout=WAIT_SECONDS, allow_redirects=False)
        assert answer.status_code == 200, url
        for each in addresses(answer):
            here = behind.here(each) if not each.startswith(("feed:", "mailto:")) else None
            if here and here not in known and len(known) < 150:
                known.add(here)
                waiting.append(here)
    paths = {url.removeprefix(behind.url) for url in known}
    assert {"/feeds/all.rss", "/feeds.opml", "/topics/go", "/articles/a", "/manifest.webmanifest"} <= paths
    assert any(path.startswith("/static/style.") for path in paths)


def test_redirects_stay_below_the_path(behind: Behind) -> None:
    """The home page answers without its slash, and other spellings redirect to the canonical address."""
    assert requests.get(behind.url, timeout=WAIT_SECONDS).ok
    for path, target in (("/feed", "/feeds/all.rss"), ("/topics/Go", "/topics/go"), ("/topics/", "/topics")):
        answer = behind.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (301, behind.site_url + target)
    assert behind.get("/nowhere").status_code == 404


def test_conditional_requests(behind: Behind) -> None:
    """Conditional requests are answered from the cache below the path too."""
    for path in ("/feeds/go.atom", "/", "/topics/go"):
        for _ in range(3):
            tag = behind.get(path).headers["ETag"]
        assert behind.get(path, If_None_Match=tag).status_code in (200, 304)
        assert (
            requests.get(behind.url + path, headers={"If-None-Match": tag}, timeout=WAIT_SECONDS).status_code
            == 304
        )


def test_the_operator_logs_in(behind: Behind) -> None:
    """Forms and cookies use the path that the browser sees."""
    browser = requests.Session()
    login = browser.get(f"{behind.url}/admin", timeout=WAIT_SECONDS)
    assert login.url == f"{behind.url}/admin/login"
    [form] = parse(login.text).xpath("//form[@method='post']")
    done = browser.post(
        urljoin(login.url, str(form.get("action"))), data={"token": TOKEN}, timeout=WAIT_SECONDS
    )
    assert done.url == f"{behind.url}/admin"
    files = browser.get(f"{behind.url}/admin/files", timeout=WAIT_SECONDS)
    assert files.ok and "Log out" in files.text
    assert {cookie.path for cookie in browser.cookies} == {"/news/admin"}


def test_the_hook_takes_a_push(behind: Behind) -> None:
    """Below the path the hook has its body limit of 1 MB, and checks the signature of the body."""
    body = b'{"ref": "refs/heads/main", "padding": "' + b"x" * 100_000 + b'"}'
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = requests.post(
        f"{behind.url}/hooks/git",
        data=body,
        headers={"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"},
        timeout=WAIT_SECONDS,
    )
    assert answer.status_code < 300
