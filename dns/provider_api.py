"""How the API of a provider of DNS is spoken to: by our guarded client, within one bound, the token in a header."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from dns.guarded_http import Blocked, Response, exchange
from dns.lookup import printable
from dns.zone_writing import Bound, NotPublished

MOST_BYTES = 2_000_000
HTTP_UNAUTHORIZED, HTTP_FORBIDDEN, HTTP_NOT_FOUND, HTTP_TOO_MANY = 401, 403, 404, 429


class NotThere(NotPublished):
    """The API knows nothing under this path."""


@dataclass(frozen=True)
class Api:
    """One act's way to an API. `title` is what people call it; `said` finds its own words in an answer that refuses."""

    title: str
    url: str
    token: str = field(repr=False)
    bound: Bound
    said: Callable[[dict[str, Any]], str]

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask once; return the answer, empty where there is none. Raises NotPublished, in words and without the token.

        `path`, with its query, follows the API's address. An answer that names a further page names it whole.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        path = path.removeprefix(self.url)
        if not path.startswith("/"):
            # An answer leads elsewhere: the token goes to the API's own address alone.
            raise NotPublished(_("%(provider)s answered what cannot be read.") % {"provider": self.title})
        address = urlsplit(self.url + path)
        seconds = self.bound.left()
        try:
            response = exchange(method, address, body=sent, headers=headers, seconds=seconds, most_bytes=MOST_BYTES)
        except (Blocked, OSError, HTTPException):
            self.bound.left()
            raise NotPublished(_("%(provider)s could not be reached.") % {"provider": self.title}) from None
        answer = _read(response)
        if not 200 <= response.status < 300 or answer is None or not answer.get("success", True):
            fault = NotThere if response.status == HTTP_NOT_FOUND else NotPublished
            raise fault(self._meaning(response.status, answer or {}))
        return answer

    def _meaning(self, status: int, answer: dict[str, Any]) -> str:
        told = {"provider": self.title, "status": status}
        if status in (HTTP_UNAUTHORIZED, HTTP_FORBIDDEN):
            return _("%(provider)s does not accept this token, or it may not edit the zone's DNS.") % told
        if status == HTTP_TOO_MANY:
            return _("%(provider)s asks us to wait. Try again in a few minutes.") % told
        said = printable(self.said(answer))[:200]
        if not said or self.token in said:
            return _("%(provider)s answered %(status)s.") % told
        return _("%(provider)s answered %(status)s: %(said)s") % (told | {"said": said})


def _read(response: Response) -> dict[str, Any] | None:
    """Return the object in an answer's body, {} where it has none, None for what is no such object."""
    if not response.body:
        return {}
    try:
        answer = json.loads(response.body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
