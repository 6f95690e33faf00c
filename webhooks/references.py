"""How a path points at an endpoint (`whk_…`) and at a delivery (`dlv_…`)."""

from django.db.models import QuerySet

from mailhost.api.ids import find
from webhooks.models import Delivery, Endpoint

PREFIX = "whk"
DELIVERY_PREFIX = "dlv"


def listed_endpoints() -> QuerySet[Endpoint]:
    """Return the endpoints in scope, each with its tenant."""
    return Endpoint.objects.select_related("tenant").order_by("pk")


def find_endpoint(reference: str) -> Endpoint:
    """Return an endpoint in scope. Raises Endpoint.DoesNotExist."""
    return find(listed_endpoints, reference, prefix=PREFIX)


def deliveries_of(endpoint: Endpoint | int) -> QuerySet[Delivery]:
    return Delivery.objects.listed().filter(endpoint=endpoint)


def find_delivery(endpoint: Endpoint, reference: str) -> Delivery:
    """Return a delivery to this endpoint. Raises Delivery.DoesNotExist."""
    return find(deliveries_of(endpoint), reference, prefix=DELIVERY_PREFIX)
