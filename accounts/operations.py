"""Every change of people, their memberships, and API keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.key_rules import (
    MOST_DOMAINS,
    check_domain_scopes,
    check_expiry,
    check_scopes,
    normalise_networks,
    refuse_wider,
)
from accounts.keys import mint
from accounts.models import ApiKey, User
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant, tenant_scope
from tenants.limits import release, reserve
from tenants.locks import lock_branch, share_tenant
from tenants.models import Member, Role, SecondFactor, Tenant
from tenants.operations import check_name
from tenants.permissions import given_with

# By name, because domains stand above this app.
FIND_DOMAIN = "domains.references.find_domain"
# So long a key that was revoked by mistake can be had back.
UNDONE_WITHIN = timedelta(minutes=5)


@operation("members.add", secrets=("password",))
def create_user(actor: Actor, *, tenant: Tenant, email: str, role: str, password: str, name: str = "") -> Member:
    """Create a person who signs in with this address and password, as a member of a tenant.

    Raises Refused: not_found, invalid_email, weak_password, invalid_role, taken, limit_reached.
    """
    user = new_person(email, password, name)
    tenant = share_tenant(actor, tenant)
    check_role(actor, tenant, role)
    member = Member.objects.create(tenant=tenant, user=saved(user), role=role)
    reserve(tenant.path, members=1)
    return member


@operation("members.add")
def add_member(actor: Actor, *, tenant: Tenant, user: User, role: str) -> Member:
    """Make a person a member of one more tenant. Raises Refused: not_found, invalid_role, taken, limit_reached."""
    tenant = share_tenant(actor, tenant)
    check_role(actor, tenant, role)
    try:
        with transaction.atomic():
            member = Member.objects.create(tenant=tenant, user=user, role=role)
    except IntegrityError as error:
        raise Refused(
            "taken",
            "user",
            _("%(email)s is a member of %(name)s already.") % {"email": user.email, "name": tenant.name},
        ) from error
    reserve(tenant.path, members=1)
    return member


@operation("members.set_role")
def set_member_role(actor: Actor, *, member: Member, role: str) -> Member:
    """Give a member another role. Raises Refused: not_found, invalid_role, stronger_member, last_owner, unchanged."""
    tenant, row = _locked_member(actor, member)
    check_role(actor, tenant, role)
    if row.role == role:
        raise Refused("unchanged", "role", _("%(email)s has this role already.") % {"email": row.user.email})
    _keep_an_owner(tenant, row)
    row.role = role
    row.save(update_fields=["role"])
    return row


@operation("members.remove")
def remove_member(actor: Actor, *, member: Member) -> None:
    """End a membership; the person and other memberships stay.

    Raises Refused: not_found, stronger_member, last_owner.
    """
    tenant, row = _locked_member(actor, member)
    _keep_an_owner(tenant, row)
    row.delete()
    release(tenant.path, members=1)


@operation("people.change_way_in")
def note_way_in(actor: Actor, *, user: User, change: str) -> User:
    """Record what a person has changed of their own ways in; django-allauth has made the change itself."""
    return user


@operation("tenants.set_second_factor")
def set_second_factor(actor: Actor, *, second_factor: str) -> Tenant:
    """Say of whom the actor's tenant asks a second factor. Raises Refused: invalid_choice, unchanged."""
    tenant = lock_branch(Tenant(pk=actor.tenant_id))
    if second_factor not in SecondFactor.values:
        raise Refused("invalid_choice", "second_factor", _("Choose one of the three."))
    if tenant.second_factor == second_factor:
        raise Refused("unchanged", "second_factor", _("It is so already."))
    tenant.second_factor = second_factor
    tenant.save(update_fields=["second_factor", "updated_at"])
    return tenant


@operation("keys.create")
def create_api_key(
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    tenant: Tenant | None = None,
    bound_to: Tenant | None = None,
    domains: Sequence[str] = (),
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
    is_test: bool = False,
) -> tuple[ApiKey, str]:
    """Return a new API key of a tenant (without one: the actor's own) and its text, shown once and stored nowhere.

    It reaches the tenant's subtree, or what is below `bound_to`, or of that the `domains` (by name or id) alone, from
    the `networks` alone, until it expires, and as long as the tenant is below who made it. A test key changes nothing.
    No key may do more than who makes it.
    Raises Refused: not_found, invalid_name, invalid_scope, unknown_tenant, unknown_domain, invalid_network,
    invalid_expiry, invalid_mode.
    """
    name = check_name(name)
    if len(name) > 80:
        raise Refused("invalid_name", "name", _("The name of a key has at most 80 characters."))
    tenant = share_tenant(actor, tenant or Tenant(pk=actor.tenant_id))
    bound_to = share_tenant(actor, bound_to) if bound_to is not None else None
    scopes = check_scopes(actor, tenant, scopes)
    networks = normalise_networks(networks)
    check_expiry(expires_at, timezone.now())
    made_by = actor.home_tenant_id or actor.tenant_id
    if actor.key_id is not None:
        with every_tenant("a key is judged by its own row, which may belong to a tenant above its reach"):
            maker = ApiKey.objects.get(pk=actor.key_id)
        refuse_wider(maker, networks, expires_at, is_test=is_test)
        made_by = maker.made_by_id or made_by
    root = _root_of_key(tenant, bound_to)
    if domains:
        check_domain_scopes(scopes)
    minted = mint(is_test=is_test)
    key = ApiKey.objects.create(
        tenant=tenant,
        bound_to=bound_to,
        made_by_id=made_by if made_by != tenant.pk else None,
        name=name,
        scopes=scopes,
        domains=_domains_of_key(root, domains),
        networks=networks,
        expires_at=expires_at,
        is_test=is_test,
        prefix=minted.prefix,
        digest=minted.digest,
    )
    return key, minted.text


@operation("keys.revoke")
def revoke_api_key(actor: Actor, *, key: ApiKey) -> ApiKey:
    """Make a key worthless from now on. Raises Refused: not_found, unchanged."""
    row = ApiKey.objects.filter(pk=key.pk).first()
    if row is None:
        raise Refused("not_found", "", _("This key does not exist."))
    if not ApiKey.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now()):
        raise Refused("unchanged", "", _("The key %(name)s is revoked already.") % {"name": row.name})
    row.refresh_from_db()
    return row


@operation("keys.restore")
def restore_api_key(actor: Actor, *, key: ApiKey) -> ApiKey:
    """Let a key that was revoked just now open again what it did: a slip is undone, and nothing older. It takes whoever
    could make such a key.

    Raises Refused: not_found, unchanged, invalid_scope.
    """
    row = ApiKey.objects.select_related("tenant").filter(pk=key.pk).first()
    if row is None:
        raise Refused("not_found", "", _("This key does not exist."))
    check_scopes(actor, row.tenant, row.scopes)
    just_now = timezone.now() - UNDONE_WITHIN
    if not ApiKey.objects.filter(pk=row.pk, revoked_at__gt=just_now).update(revoked_at=None):
        raise Refused("unchanged", "", _("There is nothing left to undo."))
    row.refresh_from_db()
    return row


def new_person(email: str, password: str, name: str = "") -> User:
    """Return a person who signs in with this address and password, not yet `saved`: to be asked for before anything is
    locked, because hashing takes time.

    Raises Refused: invalid_email, weak_password, invalid_name.
    """
    user = User(email=normalise_login(email), name=check_name(name) if name else "")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", "password", " ".join(error.messages)) from error
    user.set_password(password)
    return user


def saved(user: User) -> User:
    """Write a new person. Raises Refused("taken")."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("taken", "email", _("Somebody signs in as %(email)s already.") % {"email": user.email}) from error
    return user


def normalise_login(email: str) -> str:
    """Return the stored form of a sign-in address. Raises Refused("invalid_email"). No mail is routed by it."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invalid_email", "email", _("Enter an e-mail address, for example rita@acme.example.")) from error
    if not email.isascii() or len(email) > 254:
        raise Refused("invalid_email", "email", _("Sign-in addresses have at most 254 characters, all of them ASCII."))
    return email


def _root_of_key(tenant: Tenant, bound_to: Tenant | None) -> Tenant:
    if bound_to is not None and not bound_to.path.startswith(tenant.path):
        raise Refused(
            "unknown_tenant",
            "bound_to",
            _("%(name)s is not below %(name_2)s.") % {"name": bound_to.name, "name_2": tenant.name},
        )
    return bound_to or tenant


def _domains_of_key(root: Tenant, references: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a key keeps of its domains. Raises Refused("unknown_domain")."""
    if len(references) > MOST_DOMAINS:
        raise Refused(
            "unknown_domain",
            "domains",
            _("A key has at most %(most_domains)s domains.") % {"most_domains": MOST_DOMAINS},
        )
    found = {}
    for reference in references:
        with tenant_scope(root.path):
            try:
                domain = import_string(FIND_DOMAIN)(reference.strip())
            except ObjectDoesNotExist:
                raise Refused(
                    "unknown_domain", "domains", _("There is no domain %(reference)s here.") % {"reference": reference}
                ) from None
        found[domain.pk] = {"id": domain.pk, "uid": domain.uid, "name": domain.domain_name}
    return list(found.values())


def _locked_member(actor: Actor, member: Member) -> tuple[Tenant, Member]:
    """Return the tenant, locked, and the member, fresh. Raises Refused: not_found, stronger_member."""
    tenant = lock_branch(member.tenant)
    row = Member.objects.select_related("user").filter(pk=member.pk).first()
    if row is None:
        raise Refused("not_found", "", _("This member does not exist."))
    if not given_with(tenant.kind, row.role) <= actor.permissions:
        raise Refused(
            "stronger_member",
            "",
            _("%(email)s may do more than you, so only others like that one can.") % {"email": row.user.email},
        )
    return tenant, row


def _keep_an_owner(tenant: Tenant, leaving: Member) -> None:
    owners = Member.objects.filter(tenant=tenant, role=Role.OWNER)
    if leaving.role == Role.OWNER and not owners.exclude(pk=leaving.pk).exists():
        raise Refused(
            "last_owner",
            "",
            _("%(name)s would have no owner. Make somebody else an owner first.") % {"name": tenant.name},
        )


def check_role(actor: Actor, tenant: Tenant, role: str) -> None:
    """Raise Refused("invalid_role") for an unknown role, or one that may do what the actor may not."""
    if role not in Role.values:
        raise Refused("invalid_role", "role", _("There is no role %(role)s.") % {"role": role})
    if not given_with(tenant.kind, role) <= actor.permissions:
        raise Refused(
            "invalid_role", "role", _("You cannot give away more than your own role allows: %(role)s.") % {"role": role}
        )
