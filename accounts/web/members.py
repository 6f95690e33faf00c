"""Pages about the people of an account: members, invitations, which account one works in."""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms import InviteForm, RoleForm, SecondFactorForm
from accounts.freshness import needs_fresh_sign_in
from accounts.invitation_operations import invite_member, resend_invitation, restore_invitation, revoke_invitation
from accounts.middleware import CHOSEN
from accounts.models import Invitation
from accounts.operations import remove_member, set_member_role, set_second_factor
from accounts.second_factor import users_with_second_factor
from accounts.web.security import own_session
from mailhost.web.forms import TypedForm, ask_name, refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell
from tenants.models import Member, Role, Tenant
from tenants.permissions import given_with


def listed_members() -> QuerySet[Member]:
    """Return the members in scope with their person and their tenant, in the order of lists."""
    return Member.objects.select_related("tenant", "user").order_by("-pk")


def open_invitations() -> QuerySet[Invitation]:
    return Invitation.objects.filter(open_email__isnull=False).select_related("tenant").order_by("-pk")


def roles_to_give(request: HttpRequest, kind: str) -> list[str]:
    return [role for role in Role.values if given_with(kind, role) <= request.actor.permissions]


@needs("members.list")
def members(request: HttpRequest) -> HttpResponse:
    """The people of this account and of those below it, and who is invited."""
    words = request.GET.get("q", "").strip()
    rows = listed_members()
    if words:
        rows = rows.filter(Q(user__email__contains=words.lower()) | Q(user__name__icontains=words))
    page = page_of(rows, ("-pk",), request.GET.get("cursor", ""))
    guarded = users_with_second_factor([member.user for member in page])
    for member in page:
        member.has_second_factor = member.user_id in guarded
        member.can_be_changed = given_with(member.tenant.kind, member.role) <= request.actor.permissions
    invitations = list(open_invitations()[:50])
    now = timezone.now()
    for invitation in invitations:
        invitation.is_over = invitation.has_expired(now)
    own = Tenant.objects.get(pk=request.actor.tenant_id)
    context = {
        "page": page,
        "words": words,
        "invitations": invitations,
        "shows_owner": any(row.tenant_id != request.actor.tenant_id for row in (*page, *invitations)),
        "policy": SecondFactorForm(initial={"second_factor": own.second_factor}),
    }
    return render(request, "accounts/members.html", context)


@needs("members.invite")
@needs_fresh_sign_in()
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        may_give=roles_to_give(request, request.actor.tenant_kind),
    )
    if form.is_valid():
        with refusals(form):
            invitation = invite_member(request.actor, **form.cleaned_data)
            messages.success(request, _("%(email)s was invited.") % {"email": invitation.email})
            return redirect("members")
    return render_form(request, "accounts/invite.html", form)


@require_POST
def resend(request: HttpRequest, uid: str) -> HttpResponse:
    invitation = get_object_or_404(open_invitations(), uid=uid)
    with refusals_told(request):
        resend_invitation(request.actor, invitation=invitation)
        messages.success(request, _("The invitation of %(email)s was sent again.") % {"email": invitation.email})
    return redirect("members")


@require_POST
def revoke(request: HttpRequest, uid: str) -> HttpResponse:
    invitation = get_object_or_404(open_invitations(), uid=uid)
    with refusals_told(request):
        revoke_invitation(request.actor, invitation=invitation)
        text = _("The invitation of %(email)s was revoked. Its link opens nothing any more.")
        tell(request, text % {"email": invitation.email}, undo=reverse("invitation-restore", args=[invitation.uid]))
    return redirect("members")


@require_POST
@needs("members.invite")
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.exclude(revoked_at=None).select_related("tenant"), uid=uid)
    with refusals_told(request):
        restore_invitation(request.actor, invitation=invitation)
        messages.success(request, _("The invitation of %(email)s is open again.") % {"email": invitation.email})
    return redirect("members")


@needs("members.set_role")
def member(request: HttpRequest, uid: str) -> HttpResponse:
    """One member: the role, and how to remove them."""
    return _member(request, get_object_or_404(listed_members(), uid=uid))


@needs_fresh_sign_in()
def _member(request: HttpRequest, row: Member) -> HttpResponse:
    form = RoleForm(
        request.POST if request.method == "POST" else None,
        initial={"role": row.role},
        may_give=roles_to_give(request, row.tenant.kind),
    )
    if form.is_valid():
        with refusals(form):
            set_member_role(request.actor, member=row, **form.cleaned_data)
            messages.success(request, _("%(email)s has another role now.") % {"email": row.user.email})
            return redirect("members")
    return render_form(request, "accounts/member.html", form, member=row)


@needs("members.remove")
def remove(request: HttpRequest, uid: str) -> HttpResponse:
    row = get_object_or_404(listed_members(), uid=uid)
    return _remove(request, row)


@needs_fresh_sign_in()
def _remove(request: HttpRequest, row: Member) -> HttpResponse:
    named = {"email": row.user.email, "name": row.tenant.name}
    form = TypedForm(request.POST if request.method == "POST" else None, name=row.user.email)
    if form.is_valid():
        with refusals(form):
            remove_member(request.actor, member=row)
            messages.success(request, _("%(email)s is no longer a member of %(name)s.") % named)
            return redirect("members")
    return ask_name(
        request,
        form,
        title=_("Remove member"),
        text=_("%(email)s loses %(name)s at once. Only a new invitation brings them back.") % named,
        act=_("Remove member"),
        back=reverse("member", args=[row.uid]),
    )


@require_POST
@needs("tenants.set_second_factor")
@needs_fresh_sign_in(back="members")
def policy(request: HttpRequest) -> HttpResponse:
    form = SecondFactorForm(request.POST)
    with refusals_told(request):
        if form.is_valid():
            set_second_factor(request.actor, **form.cleaned_data)
            messages.success(request, _("It is asked for from now on."))
    return redirect("members")


@require_POST
@own_session
def switch(request: HttpRequest, uid: str) -> HttpResponse:
    """Work in another account that this person is a member of."""
    chosen = next((one for one in request.memberships if one.tenant.uid == uid), None)
    if chosen is None:
        raise Http404
    request.session[CHOSEN] = chosen.tenant.uid
    messages.success(request, _("You work in %(name)s now.") % {"name": chosen.tenant.name})
    return redirect("home")
