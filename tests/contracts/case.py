"""What the contract suite needs of each service: an example of its address, its limits, its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser, BytesParser
from typing import Any
from urllib.parse import parse_qsl

from bot.services import Destination, Outcome, Request, Response, Service
from bot.services.secret import Secret
from tests.fakechat.registry import FakeService

TOKEN = "s3cr3t-T0ken_x"

Answers = list[tuple[Response, Outcome]]


def answered(status: int, body: object = b"", **headers: str) -> Response:
    """Return an answer; a body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=raw, headers={k.replace("_", "-"): v for k, v in headers.items()})


def payload_of(request: Request) -> dict[str, Any]:
    """Return the JSON object, the fields of the form, or the parts of the mail that are sent."""
    content = request.content()
    if request.envelope is not None:
        return _mail_of(content)
    if "form" in request.headers.get("Content-Type", ""):
        return dict(parse_qsl(content.decode(), keep_blank_values=True, strict_parsing=True))
    found = json.loads(content)
    assert isinstance(found, dict)
    return found


def _mail_of(content: bytes) -> dict[str, Any]:
    mail: Any = BytesParser(policy=policy.default).parsebytes(content)
    bodies = {name: mail.get_body((name,)) for name in ("plain", "html")}
    shown = {name: body.get_content() for name, body in bodies.items() if body}
    head = BytesHeaderParser().parsebytes(content)
    written = {name: str(head[name]).replace("\r\n", "") for name in ("From", "Subject")}
    decoded = {name.lower(): str(make_header(decode_header(value))) for name, value in written.items()}
    return {**decoded, **shown, "raw": content.decode()}


def strings(value: object) -> Iterator[str]:
    """Yield every text in a payload."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from strings(inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One service of the contract suite.

    `live` finds a mention in a text; `time` is in a message of 2026-03-04 12:00 UTC. `texts` yields the texts
    of a payload in which the service looks for mentions. `answers` are those with a meaning of their own
    here; those with the same meaning for every service are tested unless `is_alike` is False. A service that
    is not `is_http` does not post to the fake server. `degrades` says that after a refusal the service gets a
    plainer message. `fake` is the service's own end, where the fake server does not imitate it anyway.
    `secrets` returns a channel's secrets by their purpose, for a service at an address; `shapeless` names
    those without a recognisable form. `options` are its other settings, of which `address_in` is the address,
    where that is no secret.
    """

    service: Service
    address: str
    violations: Callable[[dict[str, Any]], Iterable[Any]]
    live: re.Pattern[str]
    time: str
    texts: Callable[[dict[str, Any]], Iterator[str]] = strings
    answers: Answers = field(default_factory=list)
    is_alike: bool = True
    is_http: bool = True
    degrades: bool = True
    fake: FakeService | None = None
    secrets: Callable[[str], dict[str, str]] = lambda address: {"webhook": address}
    options: Mapping[str, object] = field(default_factory=dict)
    address_in: str | None = None
    shapeless: frozenset[str] = frozenset()

    @property
    def hook(self) -> Destination:
        """The address of an ordinary channel."""
        return self.at(self.address)

    def at(self, address: str) -> Destination:
        """Return the destination of a channel whose service is at `address`."""
        secrets = {name: Secret(value) for name, value in self.secrets(address).items()}
        model = self.service.OPTIONS.model_validate(
            {**{f"{name}_env": "X" for name in secrets}, **self._options(address)}
        )
        own = {name: value for name, value in model if value is not None}
        options = {name: value for name, value in own.items() if name.removesuffix("_env") not in secrets}
        return self.service.destination(secrets, options)

    def _options(self, address: str) -> dict[str, object]:
        own = {self.address_in: address} if self.address_in else {}
        return {**self.options, **own}

    def settings(self, name: str) -> dict[str, object]:
        """Return a channel's settings in config.yaml, with its secrets in the variables of `environ`."""
        variables = {f"{secret}_env": variable(name, secret) for secret in self.secrets("")}
        return {"name": name, "kind": self.service.KIND, **variables, **self._options(self.address)}

    def environ(self, name: str, address: str) -> dict[str, str]:
        """Return the variables that a channel's settings name, for a service at `address`."""
        return {variable(name, secret): value for secret, value in self.secrets(address).items()}


def variable(channel: str, secret: str) -> str:
    """Return the name of the variable that holds a channel's secret."""
    return f"{channel}_{secret}".replace("-", "_").upper()
