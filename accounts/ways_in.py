"""The record of what people change of their own ways in, which django-allauth changes for them."""

from django.http import HttpRequest

from accounts.actors import actor_of_anybody
from accounts.models import User
from accounts.operations import note_way_in


def note(request: HttpRequest, user: User, change: str) -> None:
    """Record it with the tenant that the person works in, and of who works in none at present, with one of theirs or
    the operator's: a reset password of a suspended customer's owner is in the record like any other."""
    actor = request.actor or actor_of_anybody(user, address=request.META.get("REMOTE_ADDR", ""))
    note_way_in(actor, user=user, change=change)
