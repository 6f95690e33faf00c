"""The host name of a brand is held to its proof for as long as it is used."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from audit.models import Event
from mailhost import background
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from stack.publish import Published, publish, withdraw
from tenants import host_operations, tasks
from tenants.brand_operations import set_brand
from tenants.brands import panel_url, pointing
from tenants.host_operations import follow_host, grace, hosts_due, set_brand_host, verify_brand_host
from tenants.models import Brand
from tenants.operations import create_tenant
from tests.routes.cast import a_member
from tests.webside import plain_static, signed_in  # noqa: F401 - fixtures
from tests.world import fresh

pytestmark = pytest.mark.usefixtures("plain_static")
COLOURS = {"light": "#1f5fbf", "dark": "#8db8ff"}


class Host:
    """A host name in the stack's DNS, which shows what is put there."""

    def __init__(self, dns: dict) -> None:
        self.dns, self.name = dns, f"panel-{secrets.token_hex(4)}.example"

    @property
    def proof_name(self) -> str:
        return f"_mailhost-challenge.{self.name}."

    def shows_proof_of(self, brand: Brand) -> None:
        publish(self.dns, [Published(self.proof_name, "TXT", pointing(brand).proof_value)])

    def shows_no_proof(self) -> None:
        withdraw(self.dns, self.proof_name, "TXT")

    def leads_to(self, address: str) -> None:
        publish(self.dns, [Published(f"{self.name}.", "A", address)])

    def opens(self) -> bool:
        return Client().get("/sign-in/", headers={"host": self.name}).status_code == 200


@pytest.fixture
def host(stack) -> Iterator[Host]:
    host = Host(stack.info["dns"])
    host.leads_to("127.0.0.1")
    yield host
    host.shows_no_proof()
    withdraw(host.dns, f"{host.name}.", "A")


def named(actor, host: Host) -> Brand:
    """Give the actor's tenant a brand with this host name, not proven yet."""
    set_brand(actor, name=f"{actor.label} Mail", **COLOURS)
    return set_brand_host(actor, host_name=host.name)


@pytest.fixture
def brand(world, host) -> Brand:
    """Rita's brand, whose host name is proven and in use."""
    a_member(world.rita, "owner")
    a_member(world.rita, "support")
    host.shows_proof_of(named(world.as_rita, host))
    return verify_brand_host(world.as_rita)


def look(brand: Brand, now: datetime) -> Brand:
    with every_tenant("the test is the clock"):
        follow_host(Brand.objects.select_related("tenant").get(pk=brand.pk), now=now)
    return fresh(brand)


def mailed() -> list[str]:
    """Send what waits, and return each mail as "to: subject"."""
    mail.outbox.clear()
    for job in Job.objects.filter(task="mailhost.tasks.send_mail", finished_at=None).order_by("pk"):
        background.run(job.pk)
    return [f"{message.to[0]}: {message.subject.partition(': ')[2]}" for message in mail.outbox]


def acts() -> list[tuple[str, str]]:
    with every_tenant("a test reads the record"):
        rows = Event.objects.filter(action__startswith="brands.", actor=host_operations.LABEL).order_by("pk")
        return [(event.action, event.tenant.name) for event in rows.select_related("tenant")]


def test_a_proof_that_stands_changes_nothing_and_is_looked_at_once_a_day(brand):
    now = timezone.now()
    assert hosts_due(now) == []

    tomorrow = now + timedelta(days=1, minutes=1)
    assert hosts_due(tomorrow) == [brand]
    look(brand, tomorrow)

    assert hosts_due(tomorrow + timedelta(hours=23)) == []
    assert (fresh(brand).host_lapsed_at, mailed(), acts()) == (None, [], [])


def test_the_first_lapse_is_told_and_the_name_is_used_until_the_grace_ends(world, brand, host, settings):
    now = timezone.now()
    host.shows_no_proof()

    lapsed = look(brand, now)

    assert lapsed.host_lapsed_at == now
    # Who does not answer for the account is not told; a second look tells nobody again.
    assert mailed() == ["owner@rita.example: the records in DNS are gone"]
    look(brand, now + timedelta(days=1))
    assert mailed() == []
    assert host.opens()
    # A link with a secret in it must not lead where a stranger may be by now.
    assert panel_url(fresh(brand)) == settings.MAILHOST_URL
    page = signed_in(a_member(world.rita, "owner").user).get("/branding/").content.decode()
    assert "No longer in DNS" in page

    gone = look(brand, now + grace())

    assert gone.live_host is None
    assert not host.opens()
    assert mailed() == ["owner@rita.example: people no longer sign in there"]
    assert acts() == [("brands.lapse_host", "Rita"), ("brands.withdraw_host", "Rita")]


def test_a_name_that_leads_elsewhere_lapses_and_what_comes_back_is_used_again(brand, host):
    now = timezone.now()
    host.leads_to("192.0.2.7")

    assert look(brand, now).host_lapsed_at is not None
    host.leads_to("127.0.0.1")
    assert look(brand, now + timedelta(hours=1)).host_lapsed_at is None

    assert mailed() == [
        "owner@rita.example: the records in DNS are gone",
        "owner@rita.example: the records in DNS are back",
    ]
    assert urlsplit(panel_url(fresh(brand))).hostname == host.name


def test_silence_of_dns_is_no_lapse_and_lets_the_others_have_their_turn(brand, settings):
    # A port at which nobody answers.
    settings.MAILHOST_NAMESERVERS = ["127.0.0.1@9"]
    now = timezone.now() + timedelta(days=2)

    silent = look(brand, now)

    assert silent.host_lapsed_at is None
    assert hosts_due(now) == []
    assert hosts_due(now + timedelta(days=1)) == [brand]


def test_the_clock_looks_at_all_that_are_due(brand, host):
    with every_tenant("the test turns back the clock"):
        Brand.objects.update(host_checked_at=timezone.now() - timedelta(days=2))
    host.shows_no_proof()

    tasks.check_brand_hosts()

    assert fresh(brand).host_lapsed_at is not None


def sela(world, host: Host):
    tenant = create_tenant(world.as_operator, parent=world.operator, kind="reseller", name="Sela")
    a_member(tenant, "owner")
    actor = world.actor(tenant)
    return actor, named(actor, host)


def test_nobody_takes_a_name_whose_user_has_proof(world, brand, host):
    actor, hers = sela(world, host)
    # Both have proof: the name has both records.
    publish(
        host.dns,
        [Published(host.proof_name, "TXT", pointing(one).proof_value) for one in (fresh(brand), hers)],
    )

    with pytest.raises(Refused) as refused:
        verify_brand_host(actor)

    assert refused.value.code == "taken"
    assert (fresh(brand).live_host, fresh(hers).live_host) == (host.name, None)


@pytest.mark.parametrize("is_noted", [True, False], ids=["lapse noted", "lapse not noted yet"])
def test_a_fresh_proof_takes_over_a_name_whose_user_has_none(world, brand, host, is_noted):
    actor, hers = sela(world, host)
    host.shows_proof_of(hers)
    if is_noted:
        look(brand, timezone.now())
        mailed()

    verify_brand_host(actor)

    assert (fresh(brand).live_host, fresh(hers).live_host) == (None, host.name)
    assert mailed() == ["owner@rita.example: people no longer sign in there"]
    assert acts()[-1] == ("brands.withdraw_host", "Rita")
    assert "Sela" not in mail.outbox[0].body


def test_without_proof_nobody_takes_a_lapsed_name(world, brand, host):
    actor, _ = sela(world, host)
    host.shows_no_proof()
    look(brand, timezone.now())

    with pytest.raises(Refused) as refused:
        verify_brand_host(actor)

    assert refused.value.code == "no_proof"
    assert fresh(brand).live_host == host.name


def test_the_button_brings_a_lapsed_name_back(world, brand, host):
    host.shows_no_proof()
    look(brand, timezone.now())
    host.shows_proof_of(brand)

    assert verify_brand_host(world.as_rita).host_lapsed_at is None
