"""Who must have a second factor: the installation asks it of roles, a tenant of its members."""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.conf import settings

from accounts.models import User
from mailhost.scope import every_tenant
from tenants.models import Member, Role, SecondFactor

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
LEADERS = frozenset({Role.OWNER, Role.ADMIN})


def is_asked_of(member: Member) -> bool:
    """Whether this member, whose tenant stands beside it, must have a second factor there."""
    if member.role in settings.MAILHOST_SECOND_FACTOR_ROLES:
        return True
    asked = member.tenant.second_factor
    return asked == SecondFactor.EVERYBODY or (asked == SecondFactor.LEADERS and member.role in LEADERS)


def is_lacked_by(member: Member) -> bool:
    """Whether this member must have a second factor and has none. Asks the database where one must be had alone."""
    return is_asked_of(member) and not has_second_factor(member.user)


def has_second_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def users_with_second_factor(users: Iterable[User]) -> set[int]:
    rows = Authenticator.objects.filter(user__in=users, type__in=FACTORS)
    return set(rows.values_list("user_id", flat=True))


def must_keep(authenticator: Authenticator) -> bool:
    """Whether a factor is the last one of a person who must have one."""
    others = Authenticator.objects.filter(user=authenticator.user_id, type__in=FACTORS).exclude(pk=authenticator.pk)
    if others.exists():
        return False
    with every_tenant("any of a person's tenants may ask for a second factor"):
        memberships = Member.objects.select_related("tenant").filter(user=authenticator.user_id)
        return any(is_asked_of(member) for member in memberships)
