"""The operator's page about the signers, and their metrics."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from dns.metrics import metrics_text
from dns.signers import signer_states
from mailhost.web.pages import needs

LOOPBACK = {"127.0.0.1", "::1"}


@needs("signers.list")
def signers(request: HttpRequest) -> HttpResponse:
    return render(request, "dns/signers.html", {"signers": signer_states(timezone.now())})


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The signers' metrics, for a collector on this machine that asks without a proxy, and for the operator."""
    is_local = request.META["REMOTE_ADDR"] in LOOPBACK and "HTTP_X_FORWARDED_FOR" not in request.META
    if not is_local and not (request.actor and request.actor.may("signers.list")):
        raise PermissionDenied("Metrics are for the operator.")
    return HttpResponse(metrics_text(signer_states(timezone.now())), content_type=CONTENT_TYPE_LATEST)
