"""What tenants are billed for, over REST."""

from datetime import date

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.closing import METRICS
from billing.models import BillingEvent
from mailhost.api.endpoint import Endpoint
from mailhost.api.errors import InvalidParameter
from mailhost.api.lists import Filter, Listing, in_ascii
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId
from tenants.api.filters import OF_TENANT
from tenants.references import PREFIX


def on_day(rows: QuerySet, text: str) -> QuerySet:
    try:
        return rows.filter(day=date.fromisoformat(text))
    except ValueError:
        raise InvalidParameter("day", "invalid", "Write a day as 2026-05-31.") from None


def after_number(rows: QuerySet, text: str) -> QuerySet:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidParameter("after_number", "invalid", "Write a number.")
    return rows.filter(pk__gt=int(text))


LISTING = Listing(
    orders={"number": ("pk",)},
    filters=(
        OF_TENANT,
        Filter("after_number", "Only those after this number: where the last reading ended.", after_number),
        Filter("day", "Only those of this day.", on_day),
        Filter("metric", "Only those of this metric.", lambda rows, text: rows.filter(metric=text), METRICS),
    ),
    search=in_ascii("metric"),
    searched="the metric",
    words_of=str.lower,
)


class BillingEventAnswer(Answer):
    """How much of `metric` a tenant itself used on a day (UTC), without those below it. `number` grows with each
    record, and records are never changed: go on with `after_number`, and none is missed or read twice."""

    object = ObjectName("billing_event")
    number = serializers.IntegerField(source="pk")
    tenant_id = PublicId(PREFIX, source="tenant")
    day = serializers.DateField()
    metric = serializers.ChoiceField(choices=METRICS)
    value = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class BillingEvents(Endpoint):
    """The records of a tenant and of every tenant below it, oldest first."""

    actions = {"GET": "usage.list"}
    listing = LISTING

    @describe("list_billing_events", "List billing events", answer=BillingEventAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(_listed, BillingEventAnswer)


def _listed() -> QuerySet[BillingEvent]:
    return BillingEvent.objects.select_related("tenant")
