"""The operator's page about the mail host's own records."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from dns.dane import why_not
from dns.host_operations import ask_for_look
from dns.models import HostState
from dns.purposes import HOST_GROUPS, groups
from dns.web.records import is_being_checked
from health.host_keys import next_key
from mailhost.said import from_kept
from mailhost.web.forms import refusals_told
from mailhost.web.pages import needs


@needs("health.show")
@never_cache
def host_records(request: HttpRequest) -> HttpResponse:
    """What the mail host itself should show in DNS, and what was found of it."""
    name = settings.MAILHOST_HOSTNAME
    state = HostState.objects.filter(name=name).first() or HostState(name=name)
    records = list(state.records.order_by("pk")) if state.pk else []
    shown = groups("", records, table=HOST_GROUPS)
    last = max((row.last_checked_at for row in records if row.last_checked_at), default=None)
    context = {
        "host": state,
        "groups": shown,
        "right": sum(group.right for group in shown),
        "total": len(records),
        "problems": [from_kept(kept).translated for kept in state.problems],
        "no_tlsa": why_not(name, state.is_signed, state.keys).translated if state.pk else "",
        "next_key_trouble": next_key_trouble(),
        "last_checked_at": last,
        "is_being_checked": is_being_checked(request.GET.get("checking", ""), last, timezone.now()),
    }
    return render(request, "health/host.html", context)


@require_POST
def look(request: HttpRequest) -> HttpResponse:
    with refusals_told(request):
        started = int(timezone.now().timestamp())
        ask_for_look(request.actor)
        return redirect(f"{reverse('host-records')}?checking={started}")
    return redirect("host-records")


def next_key_trouble() -> str:
    try:
        next_key()
    except (OSError, ValueError):
        return _("The file that MAILHOST_TLS_NEXT_KEY names holds no certificate or public key that can be read.")
    return ""
