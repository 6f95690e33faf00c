"""Two who change one endpoint at the same moment: real connections, real locks."""

import threading
import time

import pytest
from django.db import connection, transaction

from tests.world import fresh, make_world
from webhooks.operations import create_endpoint, rotate_secret, update_endpoint
from webhooks.signing import decrypt

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_SECONDS = 4


def wait_until_it_waits(thread: threading.Thread) -> None:
    """Return once somebody waits for a lock of ours; sooner or later, if nobody does."""
    until = time.monotonic() + LONGEST_SECONDS
    with connection.cursor() as cursor:
        while thread.is_alive() and time.monotonic() < until:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.processlist"
                " WHERE db = DATABASE() AND id != CONNECTION_ID() AND info LIKE '%webhooks_endpoint%'"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)


def test_a_secret_that_was_shown_is_not_undone_by_a_change_at_the_same_moment():
    world = make_world()
    endpoint, _ = create_endpoint(world.as_acme, url="https://hooks.acme.example/in")

    def describe() -> None:
        try:
            update_endpoint(world.as_acme, endpoint=endpoint, description="Billing")
        finally:
            connection.close()

    change = threading.Thread(target=describe)
    with transaction.atomic():
        _, secret = rotate_secret(world.as_acme, endpoint=endpoint)
        change.start()
        wait_until_it_waits(change)
    change.join()

    row = fresh(endpoint)
    assert (decrypt(row.signing_secret), row.description) == (secret, "Billing")
