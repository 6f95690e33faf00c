"""The operator's pages about how the installation is, and two answers for load balancers and monitors."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from health.findings import PROBLEM, worst
from health.job_operations import discard_job, is_gone_when_discarded, recall_job, retry_job
from health.parts import parts
from mailhost.models import Job
from mailhost.web.forms import TypedForm, ask_name, refusals, refusals_told
from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell

PLAIN = "text/plain; charset=utf-8"
UNAVAILABLE = 503
FAILING, FINISHED, DISCARDED = "failing", "finished", "discarded"
STATES = {
    FAILING: {"finished_at": None, "attempts__gt": 0},
    FINISHED: {"finished_at__isnull": False, "discarded_by": ""},
    DISCARDED: {"discarded_by__gt": ""},
}
# What in a client's complaint may be a secret: what stands before the host of a URL, our own keys, long random words.
SECRETS = re.compile(r"(?<=://)[^/@\s]+(?=@)|\bmh_(?:live|test)_\w+|\b[A-Za-z0-9+/_-]{40,}={0,2}")
MASK = "(…)"


@login_not_required
@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type=PLAIN)


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """This process can serve pages: its database answers. 503 takes it out of a load balancer until it does."""
    try:
        connection.ensure_connection()
        is_ready = connection.is_usable()
    except DatabaseError:
        is_ready = False
    if is_ready:
        return HttpResponse("ready\n", content_type=PLAIN)
    return HttpResponse("the database is away\n", content_type=PLAIN, status=UNAVAILABLE)


@needs("health.show")
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """Every part of the installation as it is now, and what to do about what is red."""
    now = timezone.now()
    seen = parts(now)
    context = {
        "parts": seen,
        "now": now,
        "state": worst([part.finding.state for part in seen]),
        "red": [part for part in seen if part.finding.state == PROBLEM],
    }
    return render(request, "health/health.html", context)


@needs("jobs.list")
def jobs(request: HttpRequest) -> HttpResponse:
    """Background work: what waits, what failed and why, what was done."""
    words, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    state = state if state in STATES else ""
    rows = Job.objects.filter(**STATES.get(state, {"finished_at": None}))
    if words:
        rows = rows.filter(task__contains=words)
    page = page_of(rows.defer("arguments"), ("-pk",), request.GET.get("cursor", ""))
    for job in page:
        job.shown_error = SECRETS.sub(MASK, job.error)
        job.is_asked_for = is_gone_when_discarded(job)
        job.name = job.task.replace(".tasks.", ": ").replace("_", " ")
    return render(request, "health/jobs.html", {"page": page, "words": words, "state": state})


@require_POST
@needs("jobs.retry")
def retry(request: HttpRequest, number: int) -> HttpResponse:
    return _done(request, number, retry_job, _("The job runs now."))


@needs("jobs.discard")
def discard(request: HttpRequest, number: int) -> HttpResponse:
    """What can be had back is discarded at once and offers to undo it; for what cannot, its number is typed."""
    job = get_object_or_404(Job.objects.only("task"), pk=number)
    said = _("The job was discarded and never runs.")
    if not is_gone_when_discarded(job):
        return _done(request, number, discard_job, said, undo=reverse("job-recall", args=[number]))
    form = TypedForm(request.POST if request.method == "POST" else None, name=str(number))
    if form.is_valid():
        with refusals(form):
            discard_job(request.actor, number=number)
            messages.success(request, said)
            return redirect("jobs")
    return ask_name(
        request,
        form,
        title=_("Discard the job"),
        text=_("The long work that waits for job %(number)s ends with it, and what it was told is forgotten for good.")
        % {"number": number},
        act=_("Discard"),
        back=reverse("jobs"),
    )


@require_POST
@needs("jobs.recall")
def recall(request: HttpRequest, number: int) -> HttpResponse:
    return _done(request, number, recall_job, _("The job is not discarded any more, and runs now."))


@require_POST
def _done(request: HttpRequest, number: int, act, said: str, undo: str = "") -> HttpResponse:
    job = get_object_or_404(Job.objects.only("pk"), pk=number)
    with refusals_told(request):
        act(request.actor, number=job.pk)
        tell(request, said, undo=undo)
    return redirect("jobs")
