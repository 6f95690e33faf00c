"""Publishing into a domain's own zone, by the stack's BIND."""

import secrets
from collections.abc import Callable

import pytest

from accounts.actors import system_actor
from audit.models import Event
from dns import tasks
from dns.changes import merge_spf
from dns.lookup import look_up
from dns.models import DnsRecord, Publication, WrittenRecord, ZoneAccess
from dns.publishing_operations import preview, publish_records, undo_publication
from dns.spf import SpfError
from dns.zone_access_operations import disconnect_zone
from domains.models import Domain
from mailhost.background import run
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from stack.publish import Published, publish
from tests.apiside import Caller, make_key
from tests.world import connect_to_server


@pytest.fixture
def actor(acme):
    return system_actor(acme, "a test")


@pytest.fixture
def domain(acme, verified, bind) -> Domain:
    domain = verified(acme, f"acme-{secrets.token_hex(4)}.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    return domain


@pytest.fixture
def connected(actor, domain, bind) -> Domain:
    connect_to_server(actor, domain, bind)
    return domain


@pytest.fixture
def others(bind, domain) -> Callable:
    """Writes what somebody else has in the zone: `others("TXT", "hello")`."""

    def write(record_type: str, *values: str, label: str = "") -> None:
        publish(bind, [Published(f"{label}{domain.domain_name}", record_type, value) for value in values])

    return write


def found(domain, record_type: str = "TXT", label: str = "") -> tuple[str, ...]:
    return look_up(f"{label}{domain.domain_name}", record_type).values


def statuses(domain) -> set[str]:
    with every_tenant("a test looks"):
        return set(DnsRecord.objects.filter(domain=domain).values_list("status", flat=True))


def planned(actor, domain):
    with tenant_scope(actor.tenant_path):
        return preview(actor, domain)


def test_all_records_turn_green_by_one_act(actor, connected):
    publish_records(actor, domain=connected)
    tasks.check_records(connected.pk)

    assert statuses(connected) == {"ok"}


def test_the_preview_shows_what_happens_and_changes_nothing(actor, connected):
    changes = planned(actor, connected)
    before = found(connected, "MX")
    publish_records(actor, domain=connected)

    assert before == ()
    assert {(change.record_type, change.removed) for change in changes} == {("TXT", ()), ("MX", ()), ("SRV", ())}
    assert planned(actor, connected) == []
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    assert refused.value.code == "nothing_to_publish"


def test_an_spf_record_is_merged_and_no_second_one_added(actor, connected, others):
    others("TXT", "v=spf1 include:_spf.mailhost.example ip4:192.0.2.1 -all")
    others("TXT", "google-site-verification=abc", label="www.")

    publish_records(actor, domain=connected)

    assert found(connected) == ("v=spf1 include:_spf.mailhost.example ip4:192.0.2.1 -all",)


def test_what_an_spf_record_says_of_others_stays(actor, connected, others):
    others("TXT", "v=spf1 ip4:192.0.2.1 -all")

    publish_records(actor, domain=connected)

    assert found(connected) == ("v=spf1 ip4:192.0.2.1 include:_spf.mailhost.example -all",)


def test_mail_that_goes_elsewhere_is_not_turned_round(actor, connected, others):
    others("MX", "5 mail.elsewhere.invalid.")

    publish_records(actor, domain=connected)

    assert found(connected, "MX") == ("5 mail.elsewhere.invalid",)
    [change] = planned(actor, connected)
    assert "mail.elsewhere.invalid" in change.note
    assert not change.does_something


def test_other_texts_of_the_domain_stay(actor, connected, bind):
    tasks_text = Published(connected.domain_name, "TXT", "google-site-verification=abc")
    publish(bind, [tasks_text])

    publish_records(actor, domain=connected)

    assert set(found(connected)) == {"google-site-verification=abc", "v=spf1 include:_spf.mailhost.example ~all"}


def test_one_undo_brings_back_what_was_there(actor, connected, others):
    others("TXT", "v=spf1 ip4:192.0.2.1 -all")
    publish_records(actor, domain=connected)

    undo_publication(actor, domain=connected)

    assert found(connected) == ("v=spf1 ip4:192.0.2.1 -all",)
    assert found(connected, "MX") == ()
    with every_tenant("a test looks"):
        assert not WrittenRecord.objects.filter(domain=connected).exists()
        assert not ZoneAccess.objects.get(domain=connected).automatic
    with pytest.raises(Refused) as refused:
        undo_publication(actor, domain=connected)
    assert refused.value.code == "nothing_to_undo"


def test_beside_other_texts_an_spf_record_is_merged_and_taken_back(actor, connected, others):
    standing = {"google-site-verification=abc", "v=spf1 ip4:192.0.2.1 -all"}
    others("TXT", *standing)

    publish_records(actor, domain=connected)
    published = set(found(connected))
    undo_publication(actor, domain=connected)

    merged = "v=spf1 ip4:192.0.2.1 include:_spf.mailhost.example -all"
    assert published == {"google-site-verification=abc", merged}
    assert set(found(connected)) == standing


def test_an_undo_ends_what_was_asked_for_before_it(actor, acme, connected):
    caller, at = Caller(make_key(acme)), f"/domains/{connected.domain_name}"
    publish_records(actor, domain=connected)
    work = caller.call("POST", f"{at}/publish", headers={"prefer": "respond-async"}).json()
    undo_publication(actor, domain=connected)

    job = Job.objects.get(task="longwork.tasks.run")
    for _ in ("it begins", "it is done"):
        run(job.pk)

    ended = caller.call("GET", f"/operations/{work['id']}").json()
    assert (ended["state"], ended["problem"]["errors"][0]["code"]) == ("failed", "undone")
    assert found(connected, "MX") == ()


def test_undo_leaves_alone_what_others_changed_since(actor, connected, others):
    publish_records(actor, domain=connected)
    others("MX", "5 mail.elsewhere.invalid.")

    undo_publication(actor, domain=connected)

    assert found(connected, "MX") == ("5 mail.elsewhere.invalid",)


def test_a_record_of_ours_goes_when_it_is_wanted_no_more(actor, connected, bind):
    publish_records(actor, domain=connected)
    with every_tenant("a test lets a key retire"):
        row = DnsRecord.objects.get(domain=connected, purpose="dkim")
        row.delete()
    label = row.name.removesuffix(connected.domain_name)
    before = found(connected, label=label)

    publish_records(actor, domain=connected)

    assert len(before) == 1
    assert found(connected, label=label) == ()


def test_nothing_is_written_over_an_alias(actor, connected, others):
    others("CNAME", "elsewhere.example.", label="_dmarc.")

    publish_records(actor, domain=connected)

    assert found(connected, "CNAME", "_dmarc.") == ("elsewhere.example",)
    [change] = planned(actor, connected)
    assert "alias of elsewhere.example" in change.note


def test_a_change_is_published_without_anybodys_doing(actor, connected):
    publish_records(actor, domain=connected)
    with every_tenant("a test changes what is wanted"):
        Domain.objects.filter(pk=connected.pk).update(challenge="another")

    tasks.refresh_records(connected.pk)
    tasks.publish_records(connected.pk)

    assert found(connected, label="_mailhost-challenge.") == ("mailhost-verification=another",)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"secret": "d3Jvbmcgc2VjcmV0IHdyb25nIHNlY3JldA=="}, ("not_published", "")),
        ({"secret": "no base64!"}, ("not_published", "")),
        ({"secret": ""}, ("invalid_secret", "secret")),
        ({"zone": "mailhost.example"}, ("invalid_zone", "zone")),
        ({"port": 0}, ("invalid_port", "port")),
        ({"algorithm": "hmac-md5"}, ("invalid_algorithm", "algorithm")),
        ({"key_name": "a b"}, ("invalid_key_name", "key_name")),
        ({"server": "10.0.0.1"}, ("invalid_server", "server")),
        ({"server": "169.254.169.254"}, ("invalid_server", "server")),
        ({"server": "nowhere.example"}, ("invalid_server", "server")),
    ],
)
def test_a_key_that_does_not_work_is_not_kept(actor, domain, bind, change, refusal):
    with pytest.raises(Refused) as refused:
        connect_to_server(actor, domain, bind, **change)

    assert (refused.value.code, refused.value.field) == refusal
    with every_tenant("a test looks"):
        assert not ZoneAccess.objects.exists()


def test_the_secret_is_stored_sealed_and_told_nobody(actor, connected, bind):
    publish_records(actor, domain=connected)
    secret = bind["update_key"]["secret"]

    with every_tenant("a test looks"):
        stored = [str(row) for model in (ZoneAccess, Publication, Event) for row in model.objects.values()]
    assert len(stored) >= 3
    assert not [row for row in stored if secret in row]


def test_disconnecting_forgets_the_key_and_leaves_the_records(actor, connected):
    publish_records(actor, domain=connected)

    disconnect_zone(actor, domain=connected)

    assert found(connected, "MX") != ()
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    assert refused.value.code == "not_connected"


@pytest.mark.parametrize(
    ("standing", "merged"),
    [
        ("v=spf1 -all", "v=spf1 include:us.example -all"),
        ("v=spf1 a mx", "v=spf1 a mx include:us.example"),
        ("v=spf1 +include:us.example ?all", "v=spf1 +include:us.example ?all"),
        ("v=spf1 a redirect=_spf.other.example", "v=spf1 a include:us.example redirect=_spf.other.example"),
        ("V=SPF1 INCLUDE:US.example ~ALL", "V=SPF1 INCLUDE:US.example ~ALL"),
    ],
)
def test_ours_is_merged_before_the_last_word(standing, merged):
    assert merge_spf(standing, "v=spf1 include:us.example ~all") == merged


def test_an_spf_record_that_is_broken_is_not_made_worse():
    with pytest.raises(SpfError):
        merge_spf("v=spf1 include: -all", "v=spf1 mx ~all")
