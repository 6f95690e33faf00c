"""Pages about mailboxes."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from mailboxes.addresses import display_address
from mailboxes.batches import MAX_ITEMS
from mailboxes.connection import connections
from mailboxes.forms import ListForm, MailboxForm, MailboxSettingsForm, PasswordForm
from mailboxes.listing import mailboxes_at
from mailboxes.models import Mailbox
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
from mailboxes.references import app_passwords_of
from mailboxes.web.bulk import BULK_ACTIONS, to_undo
from mailboxes.web.choices import chosen_domain, domain_choices, listed_keys
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import go_back, needs
from mailhost.web.paging import page_of
from mailhost.web.sizes import USUAL_MB
from tenants.limits import totals


def shown(mailbox: Mailbox) -> str:
    return display_address(mailbox.email)


@needs("mailboxes.list")
def index(request: HttpRequest) -> HttpResponse:
    form = ListForm(request.GET)
    domain = chosen_domain(request)
    page = page_of(listed_keys(form, domain), form.order, request.GET.get("cursor", ""))
    asked = form.asked()
    context = {
        "page": replace(page, rows=mailboxes_at(page)),
        "form": form,
        "asked": asked,
        "is_narrowed": bool({"q", "status", "use"} & asked.keys()),
        "domain": domain,
        "count": None if domain else totals([request.actor.tenant_path], ("mailboxes",))[0]["mailboxes"],
        "may_act": any(request.actor.may(action) for action in BULK_ACTIONS),
        "may_undo": to_undo(request),
        "sizes": USUAL_MB,
        "most": MAX_ITEMS,
    }
    return render(request, "mailboxes/list.html", context)


@needs("mailboxes.create")
def add(request: HttpRequest) -> HttpResponse:
    chosen = chosen_domain(request)
    initial = {"domain": chosen.domain_name} if chosen else None
    form = MailboxForm(request.POST if request.method == "POST" else None, domains=domain_choices(), initial=initial)
    if form.is_valid():
        with refusals(form, {"address": "local_part"}):
            mailbox = create_mailbox(
                request.actor,
                address=form.address,
                password=form.cleaned_data["password"],
                storage_quota_mb=form.cleaned_data["storage_quota_mb"],
                display_name=form.cleaned_data["display_name"],
            )
            messages.success(request, f"{shown(mailbox)} was created. Connect a mail program with the settings below.")
            return redirect("mailbox", mailbox.uid)
    return render_form(request, "mailboxes/add.html", form)


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
        "connections": connections(),
        "app_passwords": list(app_passwords_of(mailbox)),
        "aliases": list(mailbox.alias_rows.written().order_by("alias_email", "pk")[:100]),
    }


@require_POST
def update(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    form = MailboxSettingsForm(request.POST)
    if form.is_valid():
        with refusals(form):
            update_mailbox(request.actor, mailbox=mailbox, **form.cleaned_data)
            messages.success(request, f"The settings of {shown(mailbox)} were saved.")
            return redirect("mailbox", mailbox.uid)
    return render_form(request, "mailboxes/detail.html", **detail(mailbox, form))


@require_POST
def password(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.listed(), uid=uid)
    form = PasswordForm(request.POST)
    if form.is_valid():
        with refusals(form):
            change_password(request.actor, mailbox=mailbox, password=form.cleaned_data["password"])
            messages.success(
                request, f"The password of {shown(mailbox)} was changed. Mail programs ask for the new one."
            )
            return redirect("mailbox", mailbox.uid)
    return render(request, "mailboxes/detail.html", detail(mailbox, password=form), status=422)


@require_POST
def suspend(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        suspend_mailbox(request.actor, mailbox=mailbox)
        messages.success(
            request, f"{shown(mailbox)} was suspended: it takes no mail and nobody signs in. Its mail is kept."
        )
    return go_back(request, "mailbox", mailbox.uid)


@require_POST
def resume(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        resume_mailbox(request.actor, mailbox=mailbox)
        messages.success(request, f"{shown(mailbox)} works again.")
    return go_back(request, "mailbox", mailbox.uid)


@require_POST
def delete(request: HttpRequest, uid: str) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        delete_mailbox(request.actor, mailbox=mailbox)
        messages.success(request, f"{shown(mailbox)} was deleted. It can be restored from the bin.")
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
        messages.success(request, f"{shown(mailbox)} was restored with its mail.")
        return redirect("mailbox", mailbox.uid)
    return redirect("mailbox-bin")
