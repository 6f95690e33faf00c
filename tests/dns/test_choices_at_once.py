"""Changes of two domains of one tenant hold the tenant shared, and none of them waits for the other."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from dns.models import DmarcPolicy, Logo, MtaSts
from dns.policy_operations import set_logo, set_mta_sts_mode
from mailhost.scope import tenant_scope
from reports.operations import set_dmarc_policy
from tenants.locks import share_tenants
from tests.together import PATIENCE_SECONDS
from tests.world import make_world, verified_domain

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_domain_chooses_waits_for_nobody_who_holds_the_tenant_shared(settings):
    settings.MAILHOST_SETUP_HOST = "setup.example.net"
    world = make_world()
    actor, domain = world.as_acme, verified_domain(world.as_acme, "acme.example")
    with tenant_scope(world.acme.path):
        DmarcPolicy.objects.create(domain=domain, policy="reject", since=timezone.now())
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            share_tenants([world.acme.pk])
            held.set()
            done.wait(PATIENCE_SECONDS)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(PATIENCE_SECONDS)
    try:
        for number in "12":
            set_logo(actor, domain=domain, logo_url=f"https://acme.example/{number}.svg")
        set_dmarc_policy(actor, domain=domain, policy="none")
        set_mta_sts_mode(actor, domain=domain, mode="testing")
    finally:
        done.set()
        other.join(PATIENCE_SECONDS)

    with tenant_scope(world.acme.path):
        assert Logo.objects.get(domain=domain).logo_url == "https://acme.example/2.svg"
        assert DmarcPolicy.objects.get(domain=domain).policy == "none"
        assert MtaSts.objects.get(domain=domain).mode == "testing"
