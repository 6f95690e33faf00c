"""The site of mailbox users: another session than the panel's, which opens nothing there."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from mailboxes.connection import connections
from mailboxes.forms import AppPasswordForm
from mailboxes.models import Mailbox
from mailboxes.web.app_passwords import ask_to_revoke, told_revoked
from mailhost.scope import tenant_scope
from mailhost.web.forms import TypedForm, refusals, render_form
from selfservice import operations, sessions
from selfservice.forms import PasswordForm, SignInForm
from selfservice.models import MailboxSession

TOO_MANY_REQUESTS = 429
MOST_SIGN_INS = 20


def with_mailbox(view: Callable) -> Callable:
    """Show the page to a mailbox user, as `request.mailbox_session`; others are led to the site's own sign-in."""

    @login_not_required
    @never_cache
    @wraps(view)
    def shown(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        request.mailbox_session = sessions.find(request, timezone.now())
        if request.mailbox_session is None:
            return sessions.take(redirect("mailbox-sign-in"))
        # Inside, the mailbox decides under whose name it is; outside, the host name did (tenants.hosts).
        request.brand = request.mailbox_session.mailbox.domain.tenant.brand
        return view(request, *args, **kwargs)

    return shown


def source(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR", "")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    # An address without a password comes from the panel's sign-in page, which has asked for it already.
    is_tried = request.method == "POST" and "password" in request.POST
    form = SignInForm(request.POST if is_tried else None, initial={"email": request.POST.get("email", "")})
    if form.is_valid():
        with refusals(form):
            token = operations.sign_in(
                **form.cleaned_data,
                address=source(request),
                user_agent=request.headers.get("User-Agent", ""),
                now=timezone.now(),
            )
            return sessions.give(redirect("mailbox-home"), token)
    answer = render_form(request, "selfservice/sign_in.html", form)
    if form.has_error(NON_FIELD_ERRORS, "too_many"):
        answer.status_code = TOO_MANY_REQUESTS
    return answer


@require_POST
@with_mailbox
def sign_out(request: HttpRequest) -> HttpResponse:
    session = request.mailbox_session
    operations.end_session(session, uid=session.uid, address=source(request), now=timezone.now())
    return sessions.take(redirect("mailbox-sign-in"))


@with_mailbox
def home(request: HttpRequest) -> HttpResponse:
    """How full the mailbox is, and who was signed in to it."""
    session = request.mailbox_session
    with tenant_scope(session.mailbox.domain.tenant.path):
        mailbox = Mailbox.objects.listed().get(pk=session.mailbox_id)
        rows = MailboxSession.objects.filter(mailbox=mailbox).order_by("-created_at", "-pk")
        sign_ins = list(rows[:MOST_SIGN_INS])
    now = timezone.now()
    for row in sign_ins:
        row.runs = row.ended_at is None and row.expires_at > now
        row.is_this = row.pk == session.pk
    changed = "changed" in request.GET
    context = {"mailbox": mailbox, "sign_ins": sign_ins, "session": session, "changed": changed}
    return render(request, "selfservice/home.html", context)


@with_mailbox
@sensitive_post_parameters("present", "password")
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form):
            operations.change_own_password(
                request.mailbox_session, **form.cleaned_data, address=source(request), now=timezone.now()
            )
            return redirect("/mailbox/?changed=1")
    return render_form(request, "selfservice/password.html", form, session=request.mailbox_session)


@require_POST
@with_mailbox
def end_session(request: HttpRequest, uid: str) -> HttpResponse:
    if not operations.end_session(request.mailbox_session, uid=uid, address=source(request), now=timezone.now()):
        raise Http404
    messages.success(request, _("That session was ended."))
    return redirect("mailbox-home")


@require_safe
@with_mailbox
def app_passwords(request: HttpRequest) -> HttpResponse:
    session = request.mailbox_session
    context = {"session": session, "app_passwords": operations.own_app_passwords(session)}
    return render(request, "selfservice/app_passwords.html", context)


@with_mailbox
def add_app_password(request: HttpRequest) -> HttpResponse:
    """The new password is shown in the answer itself, so that its text is stored nowhere."""
    session = request.mailbox_session
    form = AppPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form, {"protocols": "imap", "expires_at": "expires_on"}):
            row, text = operations.create_own_app_password(session, address=source(request), **form.arguments())
            shown = {"session": session, "mailbox": session.mailbox, "row": row, "text": text}
            context = shown | {"connections": connections()}
            return render(request, "selfservice/app_password_created.html", context, status=201)
    return render_form(request, "selfservice/app_password_add.html", form, session=session)


@with_mailbox
def revoke_app_password(request: HttpRequest, uid: str) -> HttpResponse:
    session = request.mailbox_session
    row = operations.own_app_password(session, uid)
    if row is None:
        raise Http404
    form = TypedForm(request.POST if request.method == "POST" else None, name=row.name)
    if form.is_valid():
        with refusals(form):
            operations.revoke_own_app_password(session, app_password=row, address=source(request))
            messages.success(request, told_revoked(row))
            return redirect("mailbox-own-app-passwords")
    back = reverse("mailbox-own-app-passwords")
    return ask_to_revoke(request, form, row, back=back, base="selfservice/base.html", session=session)
