"""The page of an endpoint after something was sent to it: it follows by itself until the answer is there."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from mailhost.scope import every_tenant
from tenants.models import Role
from tests.routes.cast import a_member
from tests.webside import plain_static, signed_in  # noqa: F401  a fixture
from webhooks.models import Delivery, Endpoint, State
from webhooks.operations import create_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]
FOLLOWS = 'hx-trigger="load delay'


@pytest.fixture
def endpoint(world) -> Endpoint:
    return create_endpoint(world.as_acme, url="https://hooks.acme.example/in")[0]


@pytest.fixture
def owner(world) -> Client:
    return signed_in(a_member(world.acme, Role.OWNER).user)


def ended(state: str) -> None:
    with every_tenant("a worker writes what came of it"):
        Delivery.objects.update(state=state, finished_at=timezone.now())


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.DELIVERED, "The newest message was delivered."),
        (State.FAILED, "The newest message was not delivered."),
    ],
)
def test_a_test_event_is_followed_until_its_answer_is_told(owner, endpoint, state, told):
    sent = owner.post(f"/webhooks/{endpoint.uid}/test/")
    waiting = owner.get(sent["Location"]).content.decode()
    ended(state)
    answered = owner.get(sent["Location"]).content.decode()

    assert FOLLOWS in waiting
    assert "Look again" in waiting
    assert told not in waiting
    assert FOLLOWS not in answered
    assert f'data-announce="{told}"' in answered


def test_what_is_sent_again_is_followed_too(owner, endpoint):
    owner.post(f"/webhooks/{endpoint.uid}/test/")
    ended(State.FAILED)
    with every_tenant("a test names a row"):
        delivery = Delivery.objects.get()

    sent = owner.post(f"/webhook-deliveries/{delivery.uid}/redeliver/")

    assert FOLLOWS in owner.get(sent["Location"]).content.decode()


@pytest.mark.parametrize("sent", ["", "soon", "-1", "9" * 30, "²"])
def test_a_page_that_nobody_sent_from_follows_nothing(owner, endpoint, sent):
    owner.post(f"/webhooks/{endpoint.uid}/test/")
    long_ago = int((timezone.now() - timedelta(seconds=31)).timestamp())

    assert FOLLOWS not in owner.get(f"/webhooks/{endpoint.uid}/", {"sent": sent}).content.decode()
    assert FOLLOWS not in owner.get(f"/webhooks/{endpoint.uid}/", {"sent": long_ago}).content.decode()
