"""The session of a mailbox user: a random cookie, of which the database keeps a digest."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from mailboxes.models import Mailbox
from mailhost.scope import every_tenant
from selfservice.models import MailboxSession
from tenants.suspension import notice_to_mailbox_user

LENGTH = timedelta(hours=12)
# The cookie goes to this site alone: the panel never sees it.
PATH = "/mailbox/"
COOKIE = "__Secure-mailbox" if settings.HTTPS else "mailbox"


def begin(mailbox: Mailbox, *, address: str, user_agent: str, now: datetime) -> str:
    """Write a session and return what its cookie holds."""
    token = secrets.token_urlsafe(32)
    MailboxSession.objects.create(
        mailbox=mailbox,
        digest=digest(token),
        mark=mark(mailbox),
        address=address,
        user_agent=user_agent[:200],
        expires_at=now + LENGTH,
    )
    return token


def find(request: HttpRequest, now: datetime) -> MailboxSession | None:
    """Return the running session of a request, with its mailbox, domain and tenant; one query by a unique column."""
    token = request.COOKIES.get(COOKIE, "")
    if not token:
        return None
    with every_tenant("a mailbox user's session is found before its tenant is known"):
        found = (
            MailboxSession.objects.select_related("mailbox__domain__tenant__brand")
            .filter(digest=digest(token), ended_at=None, expires_at__gt=now)
            .first()
        )
    if found is None or not is_open(found.mailbox) or not constant_time_compare(found.mark, mark(found.mailbox)):
        return None
    return found


def is_open(mailbox: Mailbox) -> bool:
    """Whether its user may sign in: the mailbox works, and no tenant from here up is suspended from signing in."""
    domain = mailbox.domain
    works = mailbox.is_enabled and mailbox.deleted_at is None
    proven = domain.is_active and domain.deleted_at is None and domain.verified_at is not None
    return works and proven and domain.tenant.may_sign_in and domain.tenant.deleted_at is None


def why_closed(mailbox: Mailbox) -> str:
    """Say to a mailbox's user why it may not sign in, or nothing when it may, or is gone with its domain or tenant."""
    domain = mailbox.domain
    if domain.deleted_at is not None or domain.tenant.deleted_at is not None or domain.verified_at is None:
        return ""
    if not domain.tenant.may_sign_in:
        return notice_to_mailbox_user(domain.tenant)
    if not domain.is_active:
        return _("The domain of this mailbox is switched off. Ask whoever runs it.")
    if not mailbox.is_enabled:
        return _("This mailbox is suspended. Ask whoever runs your domain.")
    return ""


def mark(mailbox: Mailbox) -> str:
    return salted_hmac("selfservice.sessions", mailbox.password_hash, algorithm="sha256").hexdigest()


def digest(token: str) -> str:
    """Return what is stored of a cookie: it is random, so nothing is gained by a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def give(answer: HttpResponse, token: str) -> HttpResponse:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LENGTH.total_seconds()),
        path=PATH,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )
    return answer


def take(answer: HttpResponse) -> HttpResponse:
    answer.delete_cookie(COOKIE, path=PATH, samesite="Strict")
    return answer
