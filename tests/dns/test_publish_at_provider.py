"""Publishing into zones at providers, by dns-lexicon and a stand-in for each provider's API."""

import builtins
import logging
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import system_actor
from accounts.models import User
from audit.models import Event
from dns import tasks
from dns.key_operations import delegate_keys, note_published
from dns.models import (
    CheckSchedule,
    DkimKey,
    DnsRecord,
    Publication,
    PublishingIntent,
    SigningGeneration,
    WrittenRecord,
    ZoneAccess,
)
from dns.provider_zone import ProviderZone, is_installed
from dns.providers import PROVIDERS
from dns.publishing_operations import preview, publish_records, settle_publication, undo_publication
from dns.record_operations import expected_of, publish_where_automatic, until_next_check
from dns.zone_access_operations import connect_zone
from dns.zone_data import rdata
from domains.models import Domain, DomainNotice
from mailhost.background import run
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Member, Role
from tests.apiside import Caller, make_key
from tests.dns.stand_in import TOKEN
from tests.webside import fresh_cache, plain_static, signed_in  # noqa: F401  fixtures

SPF = '"v=spf1 ip4:192.0.2.1 -all"'


@pytest.fixture
def actor(acme):
    return system_actor(acme, "a test")


@pytest.fixture
def domain(acme, verified, api) -> Domain:
    domain = verified(acme, "acme.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    return domain


@pytest.fixture
def connected(actor, provider, domain) -> Domain:
    connect_zone(actor, domain=domain, provider=provider.name, secret=TOKEN)
    return domain


def planned(actor, domain):
    with tenant_scope(actor.tenant_path):
        return preview(actor, domain)


def written(domain) -> int:
    with every_tenant("a test counts"):
        return WrittenRecord.objects.filter(domain=domain).count()


def wanted(domain) -> set[tuple[str, str, str]]:
    with every_tenant("a test looks"):
        rows = DnsRecord.objects.filter(domain=domain)
        return {(row.name, row.record_type, rdata(expected_of(row))) for row in rows}


def test_over_rest_a_token_is_connected_published_with_and_forgotten(acme, provider, domain, api):
    caller, at = Caller(make_key(acme)), f"/domains/{domain.domain_name}"

    made = caller.call("POST", f"{at}/zone-access", {"provider": provider.name, "secret": TOKEN})
    publication = caller.call("POST", f"{at}/publish")
    shown = caller.call("GET", f"{at}/zone-access")
    undone = caller.call("POST", f"{at}/publish/undo")
    gone = caller.call("DELETE", f"{at}/zone-access")

    assert [answer.status_code for answer in (made, publication, shown, undone, gone)] == [201, 200, 200, 200, 204]
    assert (shown.json()["provider"], shown.json()["zone"]) == (provider.name, "acme.example")
    assert len(publication.json()["changes"]) > 5
    assert api.records == {}
    assert not [answer for answer in (made, publication, shown, undone) if TOKEN.encode() in answer.content]


@pytest.mark.usefixtures("plain_static", "fresh_cache")
def test_on_its_page_a_provider_is_chosen_and_named(acme, provider, domain):
    user = User.objects.create(email="anna@acme.example")
    with every_tenant("the tests' cast"):
        Member.objects.create(tenant=acme, user=user, role=Role.OWNER)
    anna, page = signed_in(user), f"/domains/{domain.uid}/publishing/"
    offered = anna.get(page).content.decode()
    given = {"provider": provider.name, "zone": "acme.example", "secret": "wrong", "automatic": "on"}

    refused = anna.post(f"{page}connect/", given)
    none = anna.post(f"{page}connect/", given | {"provider": "route66", "secret": TOKEN})
    anna.post(f"{page}connect/", given | {"secret": TOKEN})
    shown = anna.get(f"{page}?preview=1").content.decode()

    assert [f"{one.title}: {one.token_help}" in offered for one in PROVIDERS.values()] == [True, True]
    assert (refused.status_code, none.status_code) == (422, 422)
    assert f"{provider.title} does not accept this token" in refused.content.decode()
    assert f"<dd>{provider.title}</dd>" in shown
    assert "_mailhost-challenge" in shown
    assert TOKEN not in none.content.decode() + shown


def test_all_kinds_of_records_are_published_and_then_nothing_is_left_to_do(actor, connected, api):
    api.enters("CAA", "acme.example", '0 issue "ca.elsewhere.example"')
    others = api.serves()
    changes = planned(actor, connected)
    assert api.serves() == others

    publication = publish_records(actor, domain=connected)

    ours = wanted(connected)
    assert {kind for _, kind, _ in ours} == {"TXT", "MX", "SRV", "CNAME", "CAA"}
    assert max(len(data) for _, _, data in ours) > 255
    assert api.serves() == ours | others
    assert {row["ttl"] for row in api.records.values()} == {300, 3600}
    assert [change.as_dict() for change in changes] == [
        {**change, "removed": tuple(change["removed"]), "added": tuple(change["added"])}
        for change in publication.changes
    ]
    assert planned(actor, connected) == []
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    assert refused.value.code == "nothing_to_publish"


def test_what_others_wrote_is_left_alone_and_spf_is_merged_in_one_step(actor, connected, api):
    spf = api.enters("TXT", "acme.example", SPF)
    site = ("acme.example", "TXT", '"google-site-verification=abc"')
    mx = ("acme.example", "MX", "5 mail.elsewhere.example.")
    web = ("acme.example", "A", "192.0.2.80")
    for name, kind, data in (site, mx, web):
        api.enters(kind, name, data)

    publish_records(actor, domain=connected)

    merged = '"v=spf1 ip4:192.0.2.1 include:_spf.mailhost.example -all"'
    at_zone = {(kind, data) for name, kind, data in api.serves() if name == "acme.example"}
    assert at_zone == {("TXT", merged), *((kind, data) for _, kind, data in (site, mx, web))}
    assert [method for method, path, _ in api.requests if path.endswith(spf)] == ["PUT"]


def test_one_undo_brings_back_what_was_there(actor, connected, api):
    api.enters("TXT", "acme.example", SPF)
    api.enters("TXT", "www.acme.example", '"hello"')
    before = api.serves()
    publish_records(actor, domain=connected)
    assert len(api.serves()) > len(before)

    undo_publication(actor, domain=connected)

    assert api.serves() == before
    assert written(connected) == 0


def test_a_text_of_ours_becomes_our_alias_in_one_publishing_and_back(actor, connected, api, settings):
    settings.MAILHOST_DKIM_ZONE = "dkim.mailhost.example"
    delegate_keys(actor, domain=connected, by_alias=True)
    kinds = []
    for zone in ("", "dkim.mailhost.example", ""):
        settings.MAILHOST_DKIM_ZONE = zone
        tasks.refresh_records(connected.pk)

        publish_records(actor, domain=connected)

        kinds.append([kind for name, kind, _ in api.serves() if name == "mh1._domainkey.acme.example"])
    undo_publication(actor, domain=connected)

    assert kinds == [["TXT"], ["CNAME"], ["TXT"]]
    assert [kind for name, kind, _ in api.serves() if name == "mh1._domainkey.acme.example"] == ["CNAME"]


def test_publishing_and_its_undo_begin_the_checks_after_a_change(actor, connected):
    for act in (publish_records, undo_publication):
        with every_tenant("a test lets days pass"):
            CheckSchedule.objects.update(step=4, next_check_at=timezone.now() + timedelta(hours=20))
            Job.objects.all().delete()
        before = timezone.now()

        act(actor, domain=connected)

        with every_tenant("a test looks"):
            schedule = CheckSchedule.objects.get(domain=connected)
        assert (schedule.step, until_next_check(schedule.step, is_missed=False)) == (0, timedelta(minutes=5))
        assert timedelta(minutes=1) <= schedule.next_check_at - before < timedelta(minutes=1, seconds=30)
        assert Job.objects.filter(task="dns.tasks.check_records", arguments={"domain_id": connected.pk}).exists()


@pytest.mark.parametrize("state", ["published", "active"])
def test_a_key_whose_record_an_undo_takes_out_signs_no_more(actor, connected, state):
    publish_records(actor, domain=connected)
    with every_tenant("a test lets a check see the key"):
        DkimKey.objects.filter(domain=connected).update(state=state)
        SigningGeneration.objects.all().delete()

    undo_publication(actor, domain=connected)

    with every_tenant("a test looks"):
        assert DkimKey.objects.get(domain=connected).state == "pending"
        assert SigningGeneration.objects.exists() == (state == "active")


@pytest.mark.parametrize("state", ["pending", "published", "active"])
def test_a_look_from_before_an_undo_lets_no_key_sign(actor, connected, state):
    publish_records(actor, domain=connected)
    with every_tenant("a test lets a check see the key, and another one begin"):
        DkimKey.objects.filter(domain=connected).update(state=state)
        key = DkimKey.objects.select_related("domain").get(domain=connected)
    seen_at = timezone.now()

    undo_publication(actor, domain=connected)

    assert note_published(actor, key=key, now=seen_at).state == "pending"
    assert note_published(actor, key=key, now=timezone.now()).state == "published"


def test_publishing_by_itself_that_fails_for_a_day_is_told_once_until_it_works(connected, api):
    def go(hours: int) -> None:
        with every_tenant("a test lets time pass"):
            moved = now - timedelta(hours=hours)
            ZoneAccess.objects.filter(failing_since__isnull=False).update(failing_since=moved)
        tasks.publish_records(connected.pk)

    def told() -> list[str]:
        with every_tenant("a test looks"):
            return list(DomainNotice.objects.filter(domain=connected).values_list("event", flat=True))

    now, api.token = timezone.now(), "another"
    go(0)
    go(23)
    assert told() == []
    go(24)
    go(48)
    assert told() == ["domain.publishing_failing"]

    api.token = TOKEN
    go(72)
    with every_tenant("a test looks"):
        access = ZoneAccess.objects.get(domain=connected)
    assert (access.failing_since, access.failure_told_at, told()) == (None, None, ["domain.publishing_failing"])
    assert api.records != {}


def test_what_waits_to_be_published_by_itself_is_not_after_an_undo(actor, connected, api):
    publish_records(actor, domain=connected)
    with every_tenant("a test looks on"):
        publish_where_automatic(connected)
    undo_publication(actor, domain=connected)
    written_there = len(api.requests)

    run(Job.objects.get(task="dns.tasks.publish_records").pk)

    assert len(api.requests) == written_there
    assert api.records == {}


def test_a_record_of_ours_goes_when_it_is_wanted_no_more(actor, connected, api):
    publish_records(actor, domain=connected)
    with every_tenant("a test lets a key retire"):
        row = DnsRecord.objects.get(domain=connected, purpose="dkim")
        row.delete()

    publish_records(actor, domain=connected)

    assert api.serves() == wanted(connected) - {one for one in wanted(connected) if one[1] == "CAA"}


def test_what_was_written_before_a_failure_is_known_and_finished_or_taken_back(actor, connected, api):
    api.fails_at = 4
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    standing = len(api.records)

    assert refused.value.code == "not_published"
    assert standing > 0
    assert written(connected) == 0
    api.fails_at = None

    tasks.settle_publications()
    assert written(connected) >= standing - 1  # the SPF record is nobody's alone
    undo_publication(actor, domain=connected)
    assert api.records == {}

    publish_records(actor, domain=connected)
    assert not [change for change in planned(actor, connected) if change.does_something]


def test_what_was_changed_meanwhile_is_not_overwritten(actor, connected, api, monkeypatch):
    apply = ProviderZone.apply

    def late(zone, changes):
        api.records.clear()
        api.enters("TXT", "acme.example", '"v=spf1 ip4:192.0.2.9 -all"')
        apply(zone, changes)

    api.enters("TXT", "acme.example", SPF)
    monkeypatch.setattr(ProviderZone, "apply", late)
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)

    assert "changed meanwhile" in refused.value.message
    assert api.serves() == {("acme.example", "TXT", '"v=spf1 ip4:192.0.2.9 -all"')}
    settle_publication(actor, domain=connected)
    assert not PublishingIntent.objects.filter(domain_pk=connected.pk).exists()
    with every_tenant("a test looks"):
        assert not Publication.objects.exists()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"secret": "wrong"}, ("not_published", "", "does not accept this token")),
        ({"zone": "example"}, ("not_published", "", "does not open a zone named example")),
        ({"zone": "bolt.example"}, ("invalid_zone", "zone", "does not lie in")),
        ({"provider": "route66"}, ("invalid_provider", "provider", "cannot be published there")),
        ({"secret": "a b"}, ("invalid_secret", "secret", "not an API token")),
        ({"secret": "a\r\nHost: other"}, ("invalid_secret", "secret", "not an API token")),
        ({"secret": ""}, ("invalid_secret", "secret", "not an API token")),
    ],
)
def test_a_token_that_does_not_work_is_not_kept(actor, provider, domain, change, refusal):
    with pytest.raises(Refused) as refused:
        connect_zone(actor, domain=domain, **{"provider": provider.name, "secret": TOKEN} | change)

    code, field, said = refusal
    assert (refused.value.code, refused.value.field) == (code, field)
    assert said in refused.value.message
    with every_tenant("a test looks"):
        assert not ZoneAccess.objects.exists()


def test_the_token_stands_in_no_url_error_log_or_row(actor, provider, connected, api, caplog):
    caplog.set_level(logging.DEBUG)
    api.fails_at = 2
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    api.fails_at = None
    publish_records(actor, domain=connected)

    assert refused.value.message == f"{provider.title} answered 500."
    assert not [path for _, path, _ in api.requests if TOKEN in path]
    assert TOKEN not in caplog.text
    with every_tenant("a test looks"):
        stored = [str(row) for model in (ZoneAccess, Publication, Event) for row in model.objects.values()]
    assert len(stored) >= 3
    assert not [row for row in stored if TOKEN in row]


@pytest.mark.parametrize("provider", [PROVIDERS["digitalocean"]], indirect=True)
def test_what_the_provider_cannot_hold_is_told_beforehand_and_left_out(actor, connected, api):
    with every_tenant("a test asks for more than there is room for"):
        DnsRecord.objects.filter(domain=connected, purpose="dmarc").update(value=f"v=DMARC1; p=none; rua={'x' * 500}")

    [left] = [change for change in planned(actor, connected) if change.record_type == "TXT" and change.note]
    publish_records(actor, domain=connected)

    assert (left.name, left.does_something) == ("_dmarc.acme.example", False)
    assert "longer than about 509" in left.note
    assert "_dmarc.acme.example" not in {name for name, _, _ in api.serves()}


def test_without_the_extra_it_is_not_offered(actor, provider, domain, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "lexicon"]:
        monkeypatch.delitem(sys.modules, name)
    find = builtins.__import__

    def without(name, *arguments, **named):
        if name.split(".")[0] == "lexicon":
            raise ImportError(name)
        return find(name, *arguments, **named)

    monkeypatch.setitem(sys.modules, "lexicon", None)
    monkeypatch.setattr(builtins, "__import__", without)

    assert not is_installed()
    with pytest.raises(Refused) as refused:
        connect_zone(actor, domain=domain, provider=provider.name, secret=TOKEN)
    assert refused.value.code == "invalid_provider"
