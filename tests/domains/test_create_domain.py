import pytest

from domains.models import Domain
from domains.operations import create_domain
from mailhost.errors import NotPermitted, Refused
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Role
from tenants.operations import suspend_tenant
from tests.world import a_mailbox, actor_of, verified_domain


def test_a_claim_carries_no_mail_and_shows_its_records(world):
    domain = create_domain(world.as_acme, name="Straße.Example.")

    assert (domain.domain_name, domain.tenant_id) == ("xn--strae-oqa.example", world.acme.pk)
    assert (domain.has_proof, domain.is_verified, domain.is_active) == (False, False, True)
    assert len(domain.challenge) == 40
    assert Job.objects.get().arguments == {"domain_id": domain.pk}
    assert Job.objects.get().task == "dns.tasks.refresh_records"


def test_eight_spellings_are_one_domain(world):
    create_domain(world.as_acme, name="bücher.example")

    for name in (
        "bücher.example.",
        "BÜCHER.example",
        "Bücher.Example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.EXAMPLE.",
    ):
        with pytest.raises(Refused) as refused:
            create_domain(world.as_acme, name=name)
        assert (refused.value.code, refused.value.field) == ("taken", "name")
    with every_tenant("the test counts"):
        assert Domain.objects.count() == 1


def test_stranger_cannot_tell_the_domain_exists(world):
    verified_domain(world.as_acme, "acme.example")

    claim = create_domain(world.as_bolt, name="acme.example")
    free = create_domain(world.as_bolt, name="free.example")

    told = [(row.is_verified, row.is_active, row.has_proof, row.alias_of_id) for row in (claim, free)]
    assert told[0] == told[1]
    with every_tenant("the test compares tokens"):
        assert Domain.objects.filter(domain_name="acme.example").values("challenge").distinct().count() == 2


def test_a_claim_moves_nobodys_mail(world):
    verified_domain(world.as_acme, "acme.example")
    create_domain(world.as_bolt, name="acme.example")

    with pytest.raises(Refused) as refused:
        a_mailbox(world.as_bolt, "anna@acme.example")

    assert refused.value.code == "domain_not_verified"


@pytest.mark.parametrize("name", ["co.uk", "localhost", "1.2.3.4", "acme", "a|b.example", ""])
def test_what_is_no_domain_is_refused_under_the_field(world, name):
    with pytest.raises(Refused) as refused:
        create_domain(world.as_acme, name=name)

    assert (refused.value.code, refused.value.field) == ("invalid_domain", "name")


@pytest.mark.parametrize("name", ["mx", "more", "setup", "keys", "panel"])
@pytest.mark.parametrize("below", ["", "below."])
def test_the_installations_own_names_are_nobodys_domains(world, settings, name, below):
    settings.MAILHOST_HOSTNAME, settings.MAILHOST_OWN_NAMES = "mx.ours.example", ["more.ours.example"]
    settings.MAILHOST_SETUP_HOST, settings.MAILHOST_DKIM_ZONE = "setup.ours.example", "keys.ours.example"
    settings.MAILHOST_URL = "https://panel.ours.example:8443"

    with pytest.raises(Refused, match="name of the mail service itself"):
        create_domain(world.as_acme, name=f"{below}{name}.ours.example")


def test_a_domain_of_a_suspended_tenant_begins_suspended(world):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    domain = verified_domain(world.as_acme, "acme.example")

    assert (domain.is_active, domain.is_verified) == (False, False)


def test_a_reader_may_not(world):
    with pytest.raises(NotPermitted):
        create_domain(actor_of(world.acme, Role.READ_ONLY), name="acme.example")


def test_an_alias_domain_follows_a_verified_domain_of_the_same_tenant(world):
    main = verified_domain(world.as_acme, "acme.example")

    domain = create_domain(world.as_acme, name="acme-shop.example", alias_of=main)

    assert domain.alias_of == main


def test_an_alias_domain_of_anything_else_is_refused(world):
    main = verified_domain(world.as_acme, "acme.example")
    alias = create_domain(world.as_acme, name="alias.example", alias_of=main)
    unproven = create_domain(world.as_acme, name="unproven.example")

    for actor, target, code in (
        (world.as_acme, alias, "invalid_main_domain"),
        (world.as_acme, unproven, "invalid_main_domain"),
        (world.as_rita, main, "invalid_main_domain"),
        (world.as_bolt, main, "not_found"),
    ):
        with pytest.raises(Refused) as refused:
            create_domain(actor, name="more.example", alias_of=target)
        assert refused.value.code == code
    with tenant_scope(world.acme.path):
        assert Domain.objects.count() == 3
