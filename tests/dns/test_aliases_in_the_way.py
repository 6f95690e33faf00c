"""A name is an alias or bears records, never both (RFC 1034, 3.6.2): what publishing says of it, and what it does."""

import secrets

import pytest

from accounts.actors import system_actor
from dns import tasks
from dns.changes import Change
from dns.key_operations import delegate_keys
from dns.lookup import look_up
from dns.nsupdate import NameServer
from dns.publishing_operations import preview, publish_records, undo_publication
from dns.zone_writing import NotPublished
from mailhost.scope import tenant_scope
from stack.publish import Published, publish
from tests.world import connect_to_server

KEY_ZONE = "dkim.mailhost.example"


@pytest.fixture
def actor(acme):
    return system_actor(acme, "a test")


@pytest.fixture
def domain(acme, actor, verified, bind, settings):
    settings.MAILHOST_SETUP_HOST = "setup.mailhost.example"
    settings.MAILHOST_MTA_STS_MODE = ""
    domain = verified(acme, f"acme-{secrets.token_hex(4)}.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    connect_to_server(actor, domain, bind)
    return domain


def at(bind, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts at a name, and where its alias leads."""
    standing = writer(bind).read({(name, "TXT")})
    return standing[name, "TXT"], standing[name, "CNAME"]


def notes(actor, domain) -> dict[tuple[str, str], str]:
    """What the preview leaves as it is, and why."""
    with tenant_scope(actor.tenant_path):
        changes = preview(actor, domain)
    return {(change.name, change.record_type): change.note for change in changes if change.note}


@pytest.mark.parametrize(("kind", "value"), [("A", "192.0.2.1"), ("TXT", "hello"), ("MX", "5 mail.elsewhere.invalid.")])
def test_an_alias_where_something_stands_is_told_and_the_rest_is_published(actor, domain, bind, kind, value):
    name = f"autoconfig.{domain.domain_name}"
    publish(bind, [Published(name, kind, value)])

    before = notes(actor, domain)
    publish_records(actor, domain=domain)

    [note] = before.values()
    assert list(before) == [(name, "CNAME")]
    assert note == (
        f"{kind} stands at {name}; an alias (CNAME) can have nothing beside it. Take that out, then publish again."
    )
    assert (look_up(name, "CNAME").values, look_up(name, kind).values != ()) == ((), True)
    assert look_up(f"autodiscover.{domain.domain_name}", "CNAME").values == ("setup.mailhost.example",)
    assert list(notes(actor, domain)) == [(name, "CNAME")]


def test_a_record_where_an_alias_stands_is_told_with_how_to_mend_it(actor, domain, bind):
    name = f"_dmarc.{domain.domain_name}"
    publish(bind, [Published(name, "CNAME", "policy.elsewhere.example.")])

    before = notes(actor, domain)
    publish_records(actor, domain=domain)

    assert list(before) == [(name, "TXT")]
    assert "Take the alias out, or replace it by the records of its target" in before[name, "TXT"]
    assert look_up(domain.domain_name, "MX").values == ("10 mail.mailhost.example",)


def test_once_it_is_taken_out_the_alias_is_published(actor, domain, bind):
    name = f"autoconfig.{domain.domain_name}"
    publish(bind, [Published(name, "A", "192.0.2.1")])
    server = writer(bind)
    server.apply([Change(name, "A", 60, removed=("192.0.2.1",))])

    publish_records(actor, domain=domain)

    assert look_up(name, "CNAME").values == ("setup.mailhost.example",)


def test_a_text_of_ours_becomes_our_alias_in_one_publishing_and_back(actor, domain, bind, settings):
    name, end = f"mh1._domainkey.{domain.domain_name}", f"mh1.{domain.uid}.{KEY_ZONE}."
    settings.MAILHOST_DKIM_ZONE = KEY_ZONE
    delegate_keys(actor, domain=domain, by_alias=True)
    settings.MAILHOST_DKIM_ZONE = ""
    tasks.refresh_records(domain.pk)
    publish_records(actor, domain=domain)
    [text], none = at(bind, name)

    settings.MAILHOST_DKIM_ZONE = KEY_ZONE
    tasks.refresh_records(domain.pk)
    publish_records(actor, domain=domain)
    as_alias, left = at(bind, name), notes(actor, domain)
    undo_publication(actor, domain=domain)
    taken_back = at(bind, name)
    publish_records(actor, domain=domain)
    settings.MAILHOST_DKIM_ZONE = ""
    tasks.refresh_records(domain.pk)
    publish_records(actor, domain=domain)

    assert none == ()
    assert (as_alias, left) == (((), (end,)), {})
    assert taken_back == at(bind, name) == ((text,), ())


def test_an_alias_of_ours_makes_no_room_where_something_else_stands_too(domain, bind):
    name = f"mh1._domainkey.{domain.domain_name}"
    publish(bind, [Published(name, "TXT", "ours"), Published(name, "SRV", "0 0 1 elsewhere.example.")])
    turning = [
        Change(name, "CNAME", 60, added=("keys.example.",)),
        Change(name, "TXT", 60, removed=('"ours"',)),
    ]

    with pytest.raises(NotPublished, match="YXRRSET"):
        writer(bind).apply(turning)

    assert at(bind, name) == (('"ours"',), ())


def test_what_comes_between_preview_and_publishing_is_told_and_nothing_changes(domain, bind):
    name = f"autoconfig.{domain.domain_name}"
    publish(bind, [Published(name, "A", "192.0.2.1")])
    alias = Change(name, "CNAME", 60, added=("setup.mailhost.example.",))
    text = Change(f"other.{domain.domain_name}", "TXT", 60, added=('"hello"',))

    with pytest.raises(NotPublished, match="YXDOMAIN"):
        writer(bind).apply([text, alias])

    assert look_up(f"other.{domain.domain_name}", "TXT").values == ()


def writer(bind) -> NameServer:
    key = bind["update_key"]
    return NameServer("127.0.0.1", bind["port"], "example", key["name"], key["algorithm"], key["secret"], is_own=True)
