"""Pages about mailboxes."""

from dataclasses import replace

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from mailboxes.addresses import display_address
from mailboxes.availability import verdict_on
from mailboxes.batches import MAX_ITEMS
from mailboxes.connection import connections
from mailboxes.forms import ListForm, MailboxForm, MailboxSettingsForm, PasswordForm
from mailboxes.listing import BY_ADDRESS, beginning_first, mailboxes_at
from mailboxes.models import Alias, Mailbox, SignIn
from mailboxes.operations import (
    SWITCHES,
    change_password,
    create_mailbox,
    delete_mailbox,
    restore_mailbox,
    resume_mailbox,
    suspend_mailbox,
    update_mailbox,
)
from mailboxes.passwords import random_password
from mailboxes.references import app_passwords_of
from mailboxes.web.bulk import BULK_ACTIONS
from mailboxes.web.choices import chosen_domain, domain_choices, listed_keys
from mailhost.keyset import Stages
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import go_back, needs
from mailhost.web.paging import page_of
from mailhost.web.sizes import USUAL_MB
from mailhost.web.telling import tell
from tenants.limits import totals

# Of one mailbox; more than this is a list, and lists have pages of their own.
MOST_ALIASES = 100


def shown(mailbox: Mailbox) -> str:
    return display_address(mailbox.email)


@needs("mailboxes.list")
def index(request: HttpRequest) -> HttpResponse:
    form = ListForm(request.GET)
    domain = chosen_domain(request)
    asked = form.asked()
    keys = listed_keys(form, domain)
    if "q" in asked and form.order == BY_ADDRESS:
        keys = _found(keys, asked["q"].lower())
    page = page_of(keys, form.order, request.GET.get("cursor", ""))
    context = {
        "page": replace(page, rows=mailboxes_at(page)),
        "form": form,
        "asked": asked,
        "is_narrowed": bool({"q", "status", "use"} & asked.keys()),
        "domain": domain,
        "count": None if domain else totals([request.actor.tenant_path], ("mailboxes",))[0]["mailboxes"],
        "may_act": any(request.actor.may(action) for action in BULK_ACTIONS),
        "sizes": USUAL_MB,
        "most": MAX_ITEMS,
    }
    return render(request, "mailboxes/list.html", context)


def _found(keys: QuerySet, words: str) -> QuerySet | Stages:
    """Whoever writes a whole address out does not look for longer ones that end in it."""
    found = beginning_first(keys, words)
    return found.first if found.first.filter(email=words).exists() else found


@needs("mailboxes.create")
@never_cache
@sensitive_post_parameters("password")
def add(request: HttpRequest) -> HttpResponse:
    """A password that is made here is shown in the answer itself, so that its text is stored nowhere."""
    chosen = chosen_domain(request)
    initial: dict = {"domain": chosen.domain_name} if chosen else {}
    if chosen and chosen.default_quota_mb:
        initial["storage_quota_mb"] = chosen.default_quota_mb
    form = MailboxForm(request.POST if request.method == "POST" else None, domains=domain_choices(), initial=initial)
    if form.is_valid():
        data = form.cleaned_data
        made = random_password() if data["way"] == form.GENERATED else ""
        with refusals(form, {"address": "local_part"}):
            mailbox = create_mailbox(
                request.actor,
                address=form.address,
                storage_quota_mb=data["storage_quota_mb"],
                display_name=data["display_name"],
                **_way_in(form, made),
            )
            invited = data["invite_to"] if data["way"] == form.INVITED else ""
            context = {"mailbox": mailbox, "password": made, "invited": invited, "connections": connections()}
            return render(request, "mailboxes/created.html", context, status=201)
    return render_form(request, "mailboxes/add.html", form, sizes=USUAL_MB)


def _way_in(form: MailboxForm, made: str) -> dict[str, str]:
    if form.cleaned_data["way"] == form.INVITED:
        return {"invite_to": form.cleaned_data["invite_to"]}
    return {"password": made or form.cleaned_data["password"]}


@require_safe
@needs("mailboxes.create")
def check(request: HttpRequest) -> HttpResponse:
    """Say whether an address is free, while it is typed."""
    local, name = (request.GET.get(part, "").strip() for part in ("local_part", "domain"))
    verdict = verdict_on(f"{local}@{name}") if local and name else None
    return render(request, "mailboxes/_availability.html", {"verdict": verdict})


@needs("mailboxes.list")
def show(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    return render(request, "mailboxes/detail.html", detail(mailbox))


def detail(mailbox: Mailbox, form: MailboxSettingsForm | None = None, password: PasswordForm | None = None) -> dict:
    columns = (*SWITCHES, "display_name")
    initial = {name: getattr(mailbox, name) for name in columns} | {"storage_quota_mb": mailbox.storage_quota}
    return {
        "mailbox": mailbox,
        "form": form or MailboxSettingsForm(initial=initial),
        "password_form": password or PasswordForm(),
        "sizes": USUAL_MB,
    }


@require_safe
@needs("mailboxes.list")
def mailbox_aliases(request: HttpRequest, uid: str) -> HttpResponse:
    """The addresses that lead to a mailbox, and where it forwards to."""
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    rows = Alias.objects.listed()
    context = {
        "mailbox": mailbox,
        "leading": list(rows.filter(target_mailbox=mailbox).exclude(alias_email=mailbox.email)[:MOST_ALIASES]),
        "forwards": list(rows.filter(alias_email=mailbox.email, domain=mailbox.domain_id)[:MOST_ALIASES]),
    }
    return render(request, "mailboxes/mailbox_aliases.html", context)


@require_safe
@needs("app_passwords.list")
def mailbox_app_passwords(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    context = {"mailbox": mailbox, "app_passwords": list(app_passwords_of(mailbox))}
    return render(request, "mailboxes/mailbox_app_passwords.html", context)


@require_safe
@needs("mailboxes.list")
def sign_ins(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    rows = SignIn.objects.filter(mailbox=mailbox).order_by("-at", "pk")
    return render(request, "mailboxes/sign_ins.html", {"mailbox": mailbox, "sign_ins": list(rows)})


@require_POST
@needs("mailboxes.update")
def update(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    form = MailboxSettingsForm(request.POST)
    if form.is_valid():
        with refusals(form):
            update_mailbox(request.actor, mailbox=mailbox, **form.cleaned_data)
            messages.success(request, _("The settings of %(address)s were saved.") % {"address": shown(mailbox)})
            return redirect("mailbox", mailbox.uid)
    return render_form(request, "mailboxes/detail.html", **detail(mailbox, form))


@require_POST
@needs("mailboxes.change_password")
def password(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    form = PasswordForm(request.POST)
    if form.is_valid():
        with refusals(form):
            change_password(request.actor, mailbox=mailbox, password=form.cleaned_data["password"])
            messages.success(
                request,
                _("The password of %(address)s was changed. Mail programs ask for the new one.")
                % {"address": shown(mailbox)},
            )
            return redirect("mailbox", mailbox.uid)
    return render(request, "mailboxes/detail.html", detail(mailbox, password=form), status=422)


@require_POST
def suspend(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        suspend_mailbox(request.actor, mailbox=mailbox)
        text = _("%(address)s was suspended: it takes no mail and nobody signs in. Its mail is kept.")
        undo = reverse("mailbox-resume", args=[mailbox.uid]) if request.actor.may(resume_mailbox.action) else ""
        tell(request, text % {"address": shown(mailbox)}, undo=undo)
    return go_back(request, "mailbox", mailbox.uid)


@require_POST
def resume(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        resume_mailbox(request.actor, mailbox=mailbox)
        messages.success(request, _("%(address)s works again.") % {"address": shown(mailbox)})
    return go_back(request, "mailbox", mailbox.uid)


@require_POST
def delete(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        delete_mailbox(request.actor, mailbox=mailbox)
        text = _("%(address)s was deleted. It can be restored from the bin.")
        undo = reverse("mailbox-restore", args=[mailbox.uid]) if request.actor.may(restore_mailbox.action) else ""
        tell(request, text % {"address": shown(mailbox)}, undo=undo)
        return redirect("mailbox-bin")
    return redirect("mailbox", mailbox.uid)


@needs("mailboxes.list")
def bin_index(request: HttpRequest) -> HttpResponse:
    rows = Mailbox.objects.binned()
    page = page_of(rows, ("-pk",), request.GET.get("cursor", ""))
    return render(request, "mailboxes/bin.html", {"page": page})


@require_POST
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.deleted(), uid=uid)
    with refusals_told(request):
        restore_mailbox(request.actor, mailbox=mailbox)
        messages.success(request, _("%(address)s was restored with its mail.") % {"address": shown(mailbox)})
        return redirect("mailbox", mailbox.uid)
    return redirect("mailbox-bin")
