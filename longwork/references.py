"""How a path points at long work (`op_…`)."""

from django.db.models import QuerySet

from longwork.models import LongWork
from mailhost.actor import Actor
from mailhost.api.ids import find

PREFIX = "op"


def listed_works(actor: Actor) -> QuerySet[LongWork]:
    """Return what the actor may read, without what the works are told."""
    return LongWork.objects.seen_by(actor).select_related("tenant").defer("sealed_arguments").order_by("pk")


def find_work(actor: Actor, reference: str) -> LongWork:
    """Return a work that the actor may read. Raises LongWork.DoesNotExist."""
    return find(listed_works(actor), reference, prefix=PREFIX)
