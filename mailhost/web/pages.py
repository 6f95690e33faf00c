"""What all page views share."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

# By name, because accounts/ stands above this file.
FRESH = "accounts.freshness.needs_fresh_sign_in"


def needs(action: str) -> Callable:
    """Show the page only to who may do `action` (`tenants.permissions`), else the 403 page."""

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def shown(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if request.actor is None or not request.actor.may(action):
                raise PermissionDenied(_("Your role does not allow this. Ask an owner of the account."))
            return view(request, *args, **kwargs)

        return shown

    return decorate


def dangerous(back: str) -> Callable:
    """Ask again who it is before the act, unless that was of late; then come back to the page `back`, which takes the
    same arguments. Stands below `needs`."""

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def shown(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            guarded = import_string(FRESH)(back=reverse(back, args=args, kwargs=kwargs))(view)
            return guarded(request, *args, **kwargs)

        return shown

    return decorate


def go_back(request: HttpRequest, otherwise: str, *args) -> HttpResponse:
    """Return to the page that the form names in `next`, if it is one of ours, else to the page `otherwise`."""
    target = request.POST.get("next", "")
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return redirect(target)
    return redirect(otherwise, *args)
