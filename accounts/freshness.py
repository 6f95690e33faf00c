"""Dangerous acts ask again who it is, unless the last answer is fresh."""

import time
from collections.abc import Callable
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode


def is_fresh(request: HttpRequest) -> bool:
    """Whether this session's person has shown a password, a code or a passkey of late."""
    latest = max((record["at"] for record in get_authentication_records(request, request.user)), default=0)
    return time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def needs_fresh_sign_in(back: str = "") -> Callable:
    """Ask who it is before the page is shown, then come back to it; a button's act comes back to the page `back`,
    where it is pressed again. Stands below `needs`: who may not do it at all is told so first."""

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def asked(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if is_fresh(request):
                return view(request, *args, **kwargs)
            target = resolve_url(back) if back else request.get_full_path()
            return ask(request, target)

        return asked

    return decorate


def ask(request: HttpRequest, target: str) -> HttpResponse:
    """Send to the first way in which this person can show who it is; from there to `target`."""
    first = get_adapter().get_reauthentication_methods(request.user)[0]
    return redirect(f"{first['url']}?{urlencode({'next': target})}")
