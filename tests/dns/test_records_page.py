"""The page of a domain's records while a check is under way."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dns.models import DnsRecord
from domains.models import Domain
from longwork.models import LongWork
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.webside import plain_static  # noqa: F401  a fixture
from tests.world import make_world, verified_domain

WATCHES = 'hx-trigger="load delay'


@pytest.fixture
def domain(db, plain_static) -> Domain:  # noqa: F811  the fixture of that name
    world = make_world()
    user = User.objects.create(email="anna@acme.example")
    with every_tenant("the tests' cast"):
        Member.objects.create(tenant=world.acme, user=user, role=Role.OWNER)
        domain = verified_domain(world.as_acme, "acme.example")
        DnsRecord.objects.create(
            domain=domain, purpose="mx", record_type="MX", name="acme.example", value="mail.mailhost.example",
            necessity="required", priority=10,
        )  # fmt: skip
    return domain


@pytest.fixture
def anna(domain) -> Client:
    client = Client()
    client.force_login(User.objects.get(email="anna@acme.example"))
    return client


def answered(at: datetime) -> None:
    with every_tenant("a worker writes what it found"):
        DnsRecord.objects.update(last_checked_at=at, status="ok")


def test_check_now_queues_a_check_and_watches_for_its_answer(anna, domain):
    answer = anna.post(f"/domains/{domain.uid}/check/", follow=True)

    with every_tenant("a test looks at its rows"):
        assert LongWork.objects.get().work == "dns.works.check"
    assert "DNS is being asked" in answer.content.decode()
    assert WATCHES in answer.content.decode()


def test_the_page_stops_watching_once_there_is_an_answer(anna, domain):
    started = timezone.now()
    answered(started + timedelta(seconds=1))

    text = anna.get(f"/domains/{domain.uid}/?checking={int(started.timestamp())}").content.decode()

    assert WATCHES not in text
    assert "Last checked just now" in text


def test_the_page_stops_watching_after_half_a_minute(anna, domain):
    started = timezone.now() - timedelta(seconds=31)

    assert WATCHES not in anna.get(f"/domains/{domain.uid}/?checking={int(started.timestamp())}").content.decode()


@pytest.mark.parametrize("started", ["", "soon", "-1", "9" * 30, "²"])
def test_a_time_that_is_none_watches_nothing(anna, domain, started):
    answer = anna.get(f"/domains/{domain.uid}/", {"checking": started})

    assert answer.status_code == 200
    assert WATCHES not in answer.content.decode()


def test_what_was_published_is_followed_until_the_signing_key_is_there_and_right(anna, domain):
    address = f"/domains/{domain.uid}/?published={int(timezone.now().timestamp())}"
    answered(timezone.now())
    before_the_key = anna.get(address).content.decode()
    with every_tenant("a worker makes the key, the name server takes it, the look finds it"):
        DnsRecord.objects.create(
            domain=domain, purpose="dkim", record_type="TXT", name="s1._domainkey.acme.example", value="v=DKIM1",
            necessity="required", status="ok",
        )  # fmt: skip

    with_the_key = anna.get(address).content.decode()

    assert WATCHES in before_the_key
    assert WATCHES not in with_the_key
    assert "The answers are there: 2 of 2 records are right." in with_the_key
    next_step = f'href="/mailboxes/add/?domain={domain.uid}"'
    assert (next_step in before_the_key, next_step in with_the_key) == (False, True)
    assert next_step not in anna.get(f"/domains/{domain.uid}/").content.decode()


def test_a_new_domains_page_waits_for_its_first_records(anna, domain):
    with every_tenant("no worker has written them"):
        DnsRecord.objects.all().delete()
        new = anna.get(f"/domains/{domain.uid}/").content.decode()
        Domain.objects.update(created_at=timezone.now() - timedelta(hours=1))

    assert WATCHES in new
    assert "They appear here by themselves in a few seconds." in new
    assert WATCHES not in anna.get(f"/domains/{domain.uid}/").content.decode()
