"""Inviting somebody: who may, whom, and what the mail leads to."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.actors import actor_of_key, invited_actor
from accounts.invitation_operations import accept_invitation, invite_member, resend_invitation, revoke_invitation
from accounts.invitations import find_invitation, link
from accounts.key_rules import scopes_for
from accounts.models import Invitation, User
from accounts.operations import add_member, create_api_key, create_user
from accounts.tasks import send_invitation
from mailhost.actor import Actor
from mailhost.errors import NotPermitted, Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.models import Allowance, Role, Tenant
from tests.world import PASSWORD, actor_of

NEW = "nora@elsewhere.example"


def invited(world, role: str = Role.SUPPORT, email: str = NEW) -> Invitation:
    return invite_member(world.as_acme, email=email, role=role)


def accept(invitation: Invitation, **arguments):
    return accept_invitation(invited_actor(invitation), invitation=invitation, **arguments)


def refused(act, **arguments) -> str:
    with pytest.raises(Refused) as caught:
        act(**arguments)
    return caught.value.code


def test_an_invitation_waits_and_its_mail_is_on_its_way(world):
    invitation = invited(world, email=" Nora@Elsewhere.example ")

    assert (invitation.email, invitation.role, invitation.invited_by) == (NEW, "support", world.as_acme.label)
    assert Job.objects.filter(
        task="accounts.tasks.send_invitation", arguments={"invitation_id": invitation.pk, "language": "en"}
    ).exists()


def test_the_mail_names_who_invites_to_what_and_its_link_opens(world, settings):
    settings.MAILHOST_URL = "https://panel.example"
    invitation = invited(world)

    send_invitation(invitation.pk)

    (message,) = mail.outbox
    assert (message.to, message.subject) == ([NEW], "Invitation to Acme")
    assert f"{world.as_acme.label} invites you to Acme as Support" in message.body
    assert link(invitation) in message.body
    assert link(invitation).startswith("https://panel.example/invitations/")


def test_no_table_holds_what_opens_an_invitation(world):
    invitation = invited(world)
    secret = link(invitation).rstrip("/").rpartition("/")[2]

    with every_tenant("the test reads rows"):
        stored = [*Invitation.objects.values_list(), *Job.objects.values_list("arguments")]
    assert secret not in str(stored)


def test_a_changed_link_leads_nowhere(world):
    invitation = invited(world)
    secret = link(invitation).rstrip("/").rpartition("/")[2]

    assert find_invitation(invitation.uid, secret) == invitation
    assert find_invitation(invitation.uid, secret[:-1] + ("0" if secret[-1] != "0" else "1")) is None
    assert find_invitation("0" * 20, secret) is None


def test_a_new_person_becomes_a_member_with_a_password(world):
    member = accept(invited(world), name="Nora Neu", password=PASSWORD)

    assert (member.tenant, member.role, member.user.name) == (world.acme, "support", "Nora Neu")
    assert member.user.check_password(PASSWORD)


def test_an_invitation_opens_once(world):
    invitation = invited(world)
    accept(invitation, password=PASSWORD)

    assert refused(accept, invitation=invitation, password=PASSWORD) == "closed"


def test_a_revoked_invitation_opens_nothing(world):
    invitation = invited(world)
    revoke_invitation(world.as_acme, invitation=invitation)

    assert refused(accept, invitation=invitation, password=PASSWORD) == "closed"
    send_invitation(invitation.pk)
    assert mail.outbox == []


def test_an_invitation_ends_after_a_week_and_another_may_follow(world):
    invitation = invited(world)
    with every_tenant("the test turns the clock"):
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert refused(accept, invitation=invitation, password=PASSWORD) == "expired"
    assert invited(world).pk != invitation.pk


def test_sending_again_gives_it_another_week(world):
    invitation = invited(world)
    with every_tenant("the test turns the clock"):
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    resend_invitation(world.as_acme, invitation=invitation)

    assert accept(invitation, password=PASSWORD).user.email == NEW


def test_an_address_is_invited_once_at_a_time(world):
    invited(world)

    assert refused(invited, world=world) == "taken"
    assert invite_member(world.as_bolt, email=NEW, role=Role.SUPPORT).tenant == world.bolt


def test_a_member_is_not_invited_again(world):
    create_user(world.as_acme, tenant=world.acme, email=NEW, role=Role.ADMIN, password=PASSWORD)

    assert refused(invited, world=world) == "taken"


def test_one_who_has_an_account_says_yes_as_oneself(world):
    nora = create_user(world.as_bolt, tenant=world.bolt, email=NEW, role=Role.OWNER, password=PASSWORD).user

    member = accept(invited(world), user=nora)

    assert (member.user, member.tenant) == (nora, world.acme)
    assert nora.memberships.model._base_manager.filter(user=nora).count() == 2


def test_an_invitation_is_for_its_address_alone(world):
    other = create_user(world.as_bolt, tenant=world.bolt, email="bo@bolt.example", role=Role.OWNER, password=PASSWORD)

    assert refused(accept, invitation=invited(world), user=other.user) == "other_person"


def test_a_weak_password_is_refused_and_the_invitation_stays_open(world):
    invitation = invited(world)

    assert refused(accept, invitation=invitation, password="short") == "weak_password"
    assert not User.objects.filter(email=NEW).exists()
    assert accept(invitation, password=PASSWORD).user.email == NEW


@pytest.mark.parametrize("role", [Role.MAIL_MANAGER, Role.SUPPORT, Role.BILLING, Role.READ_ONLY])
def test_only_owners_and_admins_invite(world, role):
    with pytest.raises(NotPermitted):
        invite_member(actor_of(world.acme, role), email=NEW, role=Role.READ_ONLY)


def test_nobody_gives_away_more_than_they_have(world):
    admin = actor_of(world.acme, Role.ADMIN)

    assert refused(invite_member, actor=admin, email=NEW, role=Role.OWNER) == "invalid_role"
    assert invite_member(admin, email=NEW, role=Role.ADMIN).role == "admin"


def test_a_strangers_tenant_cannot_be_invited_to(world):
    assert refused(invite_member, actor=world.as_bolt, email=NEW, role=Role.SUPPORT, tenant=world.acme) == "not_found"
    assert invite_member(world.as_rita, email=NEW, role=Role.SUPPORT, tenant=world.acme).tenant == world.acme


@pytest.mark.parametrize("email", ["", "nobody", "a b@c.example", "x@y", "näme@elsewhere.example"])
def test_what_is_no_address_is_refused(world, email):
    assert refused(invited, world=world, email=email) == "invalid_email"


def test_a_new_member_counts_against_the_limit_of_members(world):
    with every_tenant("the test sets a limit"):
        Allowance.objects.filter(tenant=world.acme).update(members=1)
    invitation = invited(world)
    create_user(world.as_acme, tenant=world.acme, email="anna@acme.example", role=Role.OWNER, password=PASSWORD)

    assert refused(accept, invitation=invitation, password=PASSWORD) == "limit_reached"
    assert not User.objects.filter(email=NEW).exists()


def test_a_person_works_in_two_tenants_with_a_role_in_each(world):
    nora = accept(invited(world, Role.ADMIN), password=PASSWORD).user
    add_member(world.as_bolt, tenant=world.bolt, user=nora, role=Role.READ_ONLY)

    with every_tenant("the test reads rows"):
        places = {
            tenant.name: tenant.members.get(user=nora).role for tenant in Tenant.objects.filter(members__user=nora)
        }
    assert places == {"Acme": "admin", "Bolt": "read_only"}


def test_a_key_invites_to_every_role_but_its_makers_own(world):
    scopes = list(scopes_for(world.acme.kind))
    key, _ = create_api_key(world.as_acme, name="Provisioning", scopes=scopes)
    actor = actor_of_key(key)

    can = {role for role in Role.values if may_invite(actor, role)}

    # An owner adds members at once and rules over second factors, which no program does.
    assert can == set(Role.values) - {Role.OWNER}
    # What belongs to everybody stays out of a key's reach.
    assert not actor.may("people.change_way_in")


def test_a_key_with_less_invites_to_less(world):
    scopes = ["members:write", "tenants:read", "usage:read", "audit:read"]
    key, _ = create_api_key(world.as_acme, name="Provisioning", scopes=scopes)

    assert {role for role in Role.values if may_invite(actor_of_key(key), role)} == {Role.BILLING}


def may_invite(actor: Actor, role: str) -> bool:
    try:
        invite_member(actor, email=f"{role}@elsewhere.example", role=role)
    except Refused as refused:
        return refused.code != "invalid_role"
    return True
