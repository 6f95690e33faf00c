"""`Idempotency-Key`: a POST that is sent again is answered again, not done again.

The row is claimed before the change and completed after it, all in one transaction. So a crash leaves neither the
change nor the row, and of two at once one waits for nothing: it gets 409. An answer that changed nothing (any error)
is not kept, and the same key may be used once the request is mended.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.errors import Conflict, Reused
from mailhost.api.etags import ETAG, etag_of
from mailhost.api.models import MAX_NAME, IdempotencyKey
from mailhost.api.rendering import rendered
from mailhost.operation import retried

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
SHAPE = re.compile(rf"[\x21-\x7e]{{1,{MAX_NAME}}}")
# MariaDB's and MySQL's answers to a locked row that nobody wants to wait for.
LOCKED = {1205, 3572}
FORGOTTEN_AT_ONCE = 1000


def name_of(request: Request) -> str | None:
    """Return the key that the request names, None without one. Raises ParseError for a malformed key."""
    name = request.headers.get(HEADER)
    if name is not None and not SHAPE.fullmatch(name):
        raise ParseError(f"{HEADER} is 1 to {MAX_NAME} visible ASCII characters.")
    return name


def once(request: Request, name: str, act: Callable[[], Response]) -> Response:
    """Return what `act` answers, or what it answered before under the key of this name.

    Raises Conflict while the same key is in flight, Reused for another request.
    """

    def attempt() -> Response:
        with transaction.atomic():
            row = _claim(request.auth.pk, name, _fingerprint(request))
            if row.status is not None:
                return _replayed(request, row)
            response = act()
            _keep(request, row, response)
        return response

    return retried(attempt)


def forget(now=None) -> int:
    """Delete the rows that are older than they are kept; return how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=(now or timezone.now()) - KEPT)
    count = 0
    while pks := list(old.order_by("created_at").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        IdempotencyKey.objects.filter(pk__in=pks).delete()
        count += len(pks)
    return count


def _claim(api_key_id: int, name: str, fingerprint: str) -> IdempotencyKey:
    now = timezone.now()
    rows = IdempotencyKey.objects.filter(api_key_id=api_key_id, name=name)
    try:
        row = rows.select_for_update(nowait=True).first()
        if row is not None and row.created_at < now - KEPT:
            row.delete()
            row = None
        if row is None:
            with transaction.atomic():
                return IdempotencyKey.objects.create(
                    api_key_id=api_key_id, name=name, fingerprint=fingerprint, created_at=now
                )
    except OperationalError as error:
        if error.args[0] not in LOCKED:
            raise
        raise Conflict from error
    except IntegrityError:
        # Another one came in between and is done: what it answered is there now.
        return _claim(api_key_id, name, fingerprint)
    if row.fingerprint != fingerprint:
        raise Reused
    return row


def _keep(request: Request, row: IdempotencyKey, response: Response) -> None:
    body = b"" if response.data is None else rendered(response.data)
    row.status = response.status_code
    kept = {"Location": response.headers.get("Location"), ETAG: etag_of(response)}
    row.headers = {name: value for name, value in kept.items() if value}
    row.answer = _cipher(request).encrypt(body).decode()
    row.save(update_fields=["status", "headers", "answer"])


def _replayed(request: Request, row: IdempotencyKey) -> Response:
    try:
        body = _cipher(request).decrypt(row.answer.encode())
    except InvalidToken:
        # The key's text was replaced meanwhile, and with it what opens the answer.
        raise Reused from None
    data = json.loads(body) if body else None
    return Response(data, status=row.status, headers={**row.headers, REPLAYED: "true"})


def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n{request.content_type}\n".encode())
    digest.update(request._request.body)
    return digest.hexdigest()


def _cipher(request: Request) -> Fernet:
    """An answer may show a secret once. What opens it is the caller's own, and nothing of it is kept here."""
    secret = request.headers.get("Authorization", "").encode()
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret, b"mailhost idempotency", "sha256")))
