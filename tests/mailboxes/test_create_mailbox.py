import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from domains.operations import create_domain
from mailboxes.addresses import unqueued_address
from mailboxes.batch_operations import NewMailbox, create_mailboxes
from mailboxes.models import Alias, Mailbox, QuotaUsage
from mailboxes.operations import create_mailbox, delete_mailbox, restore_mailbox
from mailboxes.passwords import verify
from mailboxes.questions import ask
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.world import PASSWORD, PASSWORD_HASH, a_mailbox, actor_of, an_alias, fresh, routes, senders


def test_a_mailbox_receives_sends_and_signs_in(world, acme):
    mailbox = create_mailbox(
        world.as_acme,
        address="Anna@ACME.example",
        password=PASSWORD,
        storage_quota_mb=500,
        display_name="Anna Berg",
    )

    assert (mailbox.email, mailbox.storage_quota, mailbox.display_name) == ("anna@acme.example", 500, "Anna Berg")
    assert verify(PASSWORD, mailbox.password_hash)
    assert all((mailbox.is_active, mailbox.may_receive, mailbox.may_smtp, mailbox.may_imap, mailbox.may_sieve))
    assert routes("anna@acme.example") == senders("anna@acme.example") == ["anna@acme.example"]


def test_an_imported_hash_is_kept_as_it_is(world, acme):
    mailbox = create_mailbox(
        world.as_acme, address="anna@acme.example", password_hash=PASSWORD_HASH, storage_quota_mb=100
    )

    assert mailbox.password_hash == PASSWORD_HASH
    assert verify("correct horse battery staple", PASSWORD_HASH)


def test_neither_password_nor_hash_is_in_any_record(world, acme):
    create_mailbox(world.as_acme, address="anna@acme.example", password=PASSWORD, storage_quota_mb=100)
    create_mailbox(world.as_acme, address="bert@acme.example", password_hash=PASSWORD_HASH, storage_quota_mb=100)

    with every_tenant("the test reads the records"):
        records = " ".join(f"{row.details} {row.object}" for row in Event.objects.all())
    assert PASSWORD not in records
    assert PASSWORD_HASH not in records


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"address": "anna"}, "invalid_address", "address"),
        ({"address": "anna+x@acme.example"}, "invalid_address", "address"),
        ({"address": "*@acme.example"}, "invalid_address", "address"),
        ({"address": "anna@other.example"}, "unknown_domain", "address"),
        ({"address": "anna@sub.acme.example"}, "unknown_domain", "address"),
        ({"password": "short"}, "weak_password", "password"),
        ({"password": ""}, "password_required", "password"),
        ({"password": None, "password_hash": "{PLAIN}x"}, "invalid_hash", "password_hash"),
        ({"password_hash": PASSWORD_HASH}, "several_passwords", "password"),
        ({"storage_quota_mb": 0}, "invalid_quota", "storage_quota_mb"),
        ({"storage_quota_mb": -1}, "invalid_quota", "storage_quota_mb"),
        ({"storage_quota_mb": 2**32}, "invalid_quota", "storage_quota_mb"),
        ({"display_name": "a\r\nBcc: x"}, "invalid_display_name", "display_name"),
        ({"display_name": "x" * 121}, "invalid_display_name", "display_name"),
    ],
)
def test_what_is_wrong_is_named(world, acme, changes, code, field):
    arguments = {"address": "anna@acme.example", "password": PASSWORD, "storage_quota_mb": 100} | changes

    with pytest.raises(Refused) as refused:
        create_mailbox(world.as_acme, **arguments)

    assert (refused.value.code, refused.value.field) == (code, field)
    with every_tenant("the test counts"):
        assert not Mailbox.objects.exists()
        assert not Alias.objects.exists()


def test_an_unproven_domain_gets_none_and_the_message_says_so(world):
    create_domain(world.as_acme, name="acme.example")

    with pytest.raises(Refused, match=r"acme\.example is not verified yet") as refused:
        a_mailbox(world.as_acme, "anna@acme.example")

    assert refused.value.code == "domain_not_verified"


def test_an_address_is_given_once(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")

    with pytest.raises(Refused, match=r"There is a mailbox anna@acme\.example already") as refused:
        a_mailbox(world.as_acme, "ANNA@acme.example")

    assert (refused.value.code, refused.value.field) == ("taken", "address")


def test_an_aliass_address_is_taken(world, acme):
    an_alias(world.as_acme, "sales@acme.example", "x@ext.example")

    with pytest.raises(Refused) as refused:
        a_mailbox(world.as_acme, "sales@acme.example")

    assert refused.value.code == "taken"
    assert "is an alias already. Delete the alias or choose another name." in refused.value.message


def test_the_mailbox_answers_before_the_catch_all(world, acme):
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")

    a_mailbox(world.as_acme, "anna@acme.example")

    assert routes("anna@acme.example") == ["anna@acme.example"]
    assert routes("@acme.example") == ["boss@ext.example"]


def test_aliases_that_waited_for_it_lead_to_it(world, acme, bolt):
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "anna+shop@acme.example")
    an_alias(world.as_bolt, "friend@bolt.example", "anna@acme.example")
    before = routes("sales@acme.example") + routes("friend@bolt.example")

    a_mailbox(world.as_acme, "anna@acme.example")

    assert before == []
    assert routes("sales@acme.example") == ["anna+shop@acme.example", "anna@acme.example"]
    assert routes("friend@bolt.example") == ["anna@acme.example"]
    assert senders("sales@acme.example") == ["anna@acme.example"]
    assert senders("friend@bolt.example") == []


def test_a_new_mailbox_has_nothing_of_the_former_one(world, acme):
    former = a_mailbox(world.as_acme, "anna@acme.example")
    delete_mailbox(world.as_acme, mailbox=former)
    QuotaUsage.objects.create(username="anna@acme.example", bytes=10**9, messages=7)

    anna = a_mailbox(world.as_acme, "anna@acme.example")

    assert anna.uid != former.uid
    assert not QuotaUsage.objects.filter(username="anna@acme.example").exists()
    assert fresh(former).deleted_at is not None


def test_who_has_an_address_after_somebody_else_gets_mail_from_the_queue_under_another(world, acme):
    first = a_mailbox(world.as_acme, "anna@acme.example")
    delete_mailbox(world.as_acme, mailbox=first)
    item = NewMailbox("anna@acme.example", 1, password_hash=PASSWORD_HASH)
    second = create_mailboxes(world.as_acme, items=[item], is_atomic=True)[0][0]
    of_second = queued("anna@acme.example")
    delete_mailbox(world.as_acme, mailbox=second)
    third = a_mailbox(world.as_acme, "anna@acme.example")
    of_third = queued("anna@acme.example")
    delete_mailbox(world.as_acme, mailbox=third)
    restore_mailbox(world.as_acme, mailbox=first)

    assert of_second == f"anna=mailbox-{second.uid}@acme.example"
    assert of_third == f"anna=mailbox-{third.uid}@acme.example"
    assert queued("anna@acme.example") == "anna@acme.example"
    assert unqueued_address(f"anna=mailbox-{third.uid}+shop@acme.example") == "anna+shop@acme.example"


def queued(address: str) -> str:
    """Return what Postfix is answered for a mailbox's address."""
    [(answer,)] = ask("aliases", address=address)
    return answer


def test_support_and_strangers_create_none(world, acme):
    with pytest.raises(NotPermitted):
        a_mailbox(actor_of(world.acme, Role.SUPPORT), "anna@acme.example")
    with pytest.raises(Refused) as refused:
        a_mailbox(world.as_bolt, "anna@acme.example")
    assert refused.value.code == "unknown_domain"


def test_a_reseller_creates_one_for_its_customer(world, acme):
    create_domain(world.as_bolt, name="acme.example")

    assert a_mailbox(world.as_rita, "anna@acme.example").domain == acme


@pytest.mark.parametrize("email", ["a b@acme.example", "a|b@acme.example", "a\nb@acme.example", "a,b@acme.example"])
def test_the_database_itself_refuses_what_a_daemon_could_misread(world, acme, email):
    with pytest.raises(Exception, match="CONSTRAINT"), transaction.atomic():
        Mailbox(domain=acme, email=email, storage_quota=1).save(force_insert=True)


def test_the_database_itself_refuses_twins(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        Mailbox(domain=acme, email=anna.email, storage_quota=1).save(force_insert=True)
    with pytest.raises(Exception, match="CONSTRAINT"), transaction.atomic():
        Mailbox(domain=acme, email="x@acme.example", storage_quota=0).save(force_insert=True)
