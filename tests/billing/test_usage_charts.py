"""How use has grown, on the page about usage."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from billing.models import BillingEvent
from mailhost.scope import every_tenant
from mailhost.web.charts import line_chart
from tests.mailboxes.test_mailbox_list_page import browser_of
from tests.webside import plain_static  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


def bill(tenant, days_ago: int, value: int, metric: str = "mailboxes") -> None:
    day = timezone.now().date() - timedelta(days=days_ago)
    BillingEvent.objects.create(tenant=tenant, day=day, metric=metric, value=value, created_at=datetime.now(UTC))


def test_the_days_of_all_below_are_drawn_and_written(world):
    with every_tenant("a test bills"):
        for ago, acme, bolt in ((3, 10, 1), (2, 20, 2), (1, 30, 3), (40, 999, 999)):
            bill(world.acme, ago, acme)
            bill(world.bolt, ago, bolt)

    own = browser_of(world.acme).get("/usage/").content.decode()
    above = browser_of(world.rita).get("/usage/").content.decode()

    assert "30 now, 30 at most" in own
    assert "33 now, 33 at most" in above
    assert own.count("<polyline") == above.count("<polyline") == 1
    assert "999" not in own + above


def test_a_line_needs_two_days(world):
    with every_tenant("a test bills"):
        bill(world.acme, 1, 5)

    assert "<polyline" not in browser_of(world.acme).get("/usage/").content.decode()


def test_the_line_goes_from_edge_to_edge():
    chart = line_chart("Mailboxes", [(date(2026, 5, 1), 0), (date(2026, 5, 2), 5), (date(2026, 5, 3), 10)])

    assert chart.line == "4.0,68.0 160.0,36.0 316.0,4.0"
    assert (chart.newest, chart.highest) == (10, 10)
