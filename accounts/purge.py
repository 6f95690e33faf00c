"""The end of a tenant's people: who is a member of nothing any more has no account."""

from collections.abc import Sequence

from accounts.models import User
from mailhost.scope import every_tenant
from tenants.models import Member


def remove_people(user_ids: Sequence[int]) -> None:
    """Delete those of these people who are members nowhere."""
    with every_tenant("a person may be a member of any tenant"):
        staying = set(Member.objects.filter(user__in=user_ids).values_list("user_id", flat=True))
    User.objects.filter(pk__in=set(user_ids) - staying).delete()
