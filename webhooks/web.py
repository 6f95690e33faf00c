"""Pages about webhook endpoints."""

from datetime import datetime
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from mailhost.web.forms import TypedForm, ask_name, refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell
from webhooks.forms import EndpointForm
from webhooks.models import Delivery, Endpoint, State
from webhooks.operations import create_endpoint, delete_endpoint, redeliver, rotate_secret, send_test, update_endpoint
from webhooks.references import deliveries_of, listed_endpoints

# What takes longer than this to be delivered is read after a reload.
WATCH_SECONDS = 30


@needs("webhooks.list")
def index(request: HttpRequest) -> HttpResponse:
    page = page_of(listed_endpoints(), ("pk",), request.GET.get("cursor", ""))
    return render(request, "webhooks/list.html", {"page": page})


@needs("webhooks.create")
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """The signing secret is shown in the answer itself, once."""
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form):
            endpoint, secret = create_endpoint(request.actor, **form.cleaned_data)
            return render(request, "webhooks/secret.html", {"endpoint": endpoint, "secret": secret}, status=201)
    return render_form(request, "webhooks/add.html", form)


@needs("webhooks.list")
def show(request: HttpRequest, uid: str) -> HttpResponse:
    endpoint = get_object_or_404(listed_endpoints(), uid=uid)
    page = page_of(deliveries_of(endpoint), ("-pk",), request.GET.get("cursor", ""))
    waits = any(delivery.state == State.PENDING for delivery in page)
    is_followed = waits and was_sent_just_now(request.GET.get("sent", ""), timezone.now())
    return render(request, "webhooks/detail.html", {"endpoint": endpoint, "page": page, "is_followed": is_followed})


def was_sent_just_now(sent: str, now: datetime) -> bool:
    """Say whether something was sent so lately (`sent`, seconds since the epoch) that its page waits for the answer."""
    return sent.isascii() and sent.isdigit() and len(sent) <= 11 and 0 <= now.timestamp() - int(sent) < WATCH_SECONDS


def to_deliveries(endpoint: Endpoint) -> HttpResponse:
    """Lead to the page that follows what was sent just now."""
    return redirect(f"{reverse('webhook', args=[endpoint.uid])}?sent={int(timezone.now().timestamp())}")


@require_POST
@never_cache
def rotate(request: HttpRequest, uid: str) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, uid=uid)
    with refusals_told(request):
        endpoint, secret = rotate_secret(request.actor, endpoint=endpoint)
        return render(request, "webhooks/secret.html", {"endpoint": endpoint, "secret": secret})
    return redirect("webhook", endpoint.uid)


@require_POST
def set_enabled(request: HttpRequest, uid: str, enabled: bool) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, uid=uid)
    with refusals_told(request):
        update_endpoint(request.actor, endpoint=endpoint, enabled=enabled)
        text = _("The endpoint was switched on.") if enabled else _("The endpoint was switched off.")
        tell(request, text, undo="" if enabled else reverse("webhook-enable", args=[endpoint.uid]))
    return redirect("webhook", endpoint.uid)


@require_POST
def test(request: HttpRequest, uid: str) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, uid=uid)
    with refusals_told(request):
        send_test(request.actor, endpoint=endpoint)
        messages.success(request, _("A test event is on its way. How it went stands below in a moment."))
        return to_deliveries(endpoint)
    return redirect("webhook", endpoint.uid)


@require_POST
def replay(request: HttpRequest, uid: str) -> HttpResponse:
    delivery = get_object_or_404(Delivery.objects.listed(), uid=uid)
    with refusals_told(request):
        redeliver(request.actor, delivery=delivery)
        messages.success(request, _("The message is on its way again."))
        return to_deliveries(delivery.endpoint)
    return redirect("webhook", delivery.endpoint.uid)


@needs("webhooks.delete")
def delete(request: HttpRequest, uid: str) -> HttpResponse:
    """Its secret and its deliveries are gone for good; the host stands for the whole URL."""
    endpoint = get_object_or_404(Endpoint, uid=uid)
    form = TypedForm(request.POST if request.method == "POST" else None, name=urlsplit(endpoint.url).hostname or "")
    if form.is_valid():
        with refusals(form):
            delete_endpoint(request.actor, endpoint=endpoint)
            messages.success(request, _("%(url)s is told nothing more.") % {"url": endpoint.url})
            return redirect("webhooks")
    text = _("%(url)s is told nothing more. Its signing secret and its deliveries are gone for good.")
    return ask_name(
        request,
        form,
        title=_("Delete endpoint"),
        text=text % {"url": endpoint.url},
        act=_("Delete endpoint"),
        back=reverse("webhook", args=[endpoint.uid]),
    )
