"""Publishing into a zone at a provider, by dns-lexicon and a stand-in for the provider's API."""

import builtins
import logging
import secrets
import sys
import time

import pytest
from cryptography.fernet import Fernet
from django.utils.translation import override

from accounts.actors import system_actor
from audit.models import Event
from dns import cloudflare, tasks
from dns.cloudflare import CloudflareZone, is_installed
from dns.models import DnsRecord, Publication, PublishingIntent, WrittenRecord, ZoneAccess
from dns.publishing_operations import connect_zone, preview, publish_records, settle_publication, undo_publication
from dns.zone_writing import Bound, NotPublished
from domains.models import Domain
from mailhost.errors import Refused
from mailhost.scope import every_tenant, tenant_scope
from tests.dns.cloudflare_api import CloudflareApi

TOKEN = "cf-" + secrets.token_urlsafe(30)


@pytest.fixture
def api(settings, dns_server):
    with CloudflareApi("acme.example", TOKEN) as api:
        settings.MAILHOST_CLOUDFLARE_API = api.url
        settings.MAILHOST_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
        settings.MAILHOST_VAULT_KEYS = [Fernet.generate_key().decode()]
        settings.MAILHOST_SETUP_HOST = "setup.mailhost.example"
        settings.MAILHOST_CAA_ISSUER = "letsencrypt.org"
        yield api


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
def connected(actor, domain) -> Domain:
    connect_zone(actor, domain=domain, provider="cloudflare", secret=TOKEN)
    return domain


def planned(actor, domain):
    with tenant_scope(actor.tenant_path):
        return preview(actor, domain)


def written(domain) -> int:
    with every_tenant("a test counts"):
        return WrittenRecord.objects.filter(domain=domain).count()


def test_all_kinds_of_records_are_published_and_then_nothing_is_left_to_do(actor, connected, api):
    with every_tenant("a test looks"):
        wanted = {(row.name, row.record_type) for row in DnsRecord.objects.filter(domain=connected)}
    others = {"flags": 0, "tag": "issue", "value": "ca.elsewhere.example"}
    api.has("CAA", "acme.example", '0 issue "ca.elsewhere.example"', data=others)
    changes = planned(actor, connected)
    assert len(api.records) == 1

    publication = publish_records(actor, domain=connected)

    assert {kind for _, kind in wanted} == {"TXT", "MX", "SRV", "CNAME", "CAA"}
    assert {(row["name"], row["type"]) for row in api.records.values()} == wanted
    assert [change.as_dict() for change in changes] == [
        {**change, "removed": tuple(change["removed"]), "added": tuple(change["added"])}
        for change in publication.changes
    ]
    assert planned(actor, connected) == []
    [mx] = [row for row in api.records.values() if row["type"] == "MX"]
    assert (mx["content"], mx["priority"], mx["ttl"]) == ("mail.mailhost.example", 10, 3600)
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    assert refused.value.code == "nothing_to_publish"


def test_what_others_wrote_is_left_alone_and_spf_is_merged_in_one_step(actor, connected, api):
    spf = api.has("TXT", "acme.example", '"v=spf1 ip4:192.0.2.1 -all"')
    site = api.has("TXT", "acme.example", "google-site-verification=abc")
    mx = api.has("MX", "acme.example", "mail.elsewhere.example", priority=5)
    web = api.has("A", "acme.example", "192.0.2.80", proxied=True)

    publish_records(actor, domain=connected)

    assert api.records[spf]["content"] == '"v=spf1 ip4:192.0.2.1 include:_spf.mailhost.example -all"'
    assert [method for method, path, _ in api.requests if path.endswith(spf)] == ["PUT"]
    assert api.records[site]["content"] == "google-site-verification=abc"
    assert (api.records[mx]["content"], api.records[web]["content"]) == ("mail.elsewhere.example", "192.0.2.80")
    assert api.contents("acme.example", "MX") == ["mail.elsewhere.example"]
    assert len(api.contents("acme.example", "TXT")) == 2


def test_one_undo_brings_back_what_was_there(actor, connected, api):
    api.has("TXT", "acme.example", '"v=spf1 ip4:192.0.2.1 -all"')
    api.has("TXT", "www.acme.example", "hello")
    before = {name: row["content"] for name, row in api.records.items()}
    publish_records(actor, domain=connected)
    assert len(api.records) > len(before)

    undo_publication(actor, domain=connected)

    assert {name: row["content"] for name, row in api.records.items()} == before
    assert written(connected) == 0


def test_a_record_of_ours_goes_when_it_is_wanted_no_more(actor, connected, api):
    publish_records(actor, domain=connected)
    with every_tenant("a test lets a key retire"):
        row = DnsRecord.objects.get(domain=connected, purpose="dkim")
        row.delete()

    publish_records(actor, domain=connected)

    assert api.contents(row.name, "TXT") == []


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
    spf = api.has("TXT", "acme.example", '"v=spf1 ip4:192.0.2.1 -all"')
    apply = CloudflareZone.apply

    def late(zone, changes):
        api.records[spf]["content"] = '"v=spf1 ip4:192.0.2.9 -all"'
        apply(zone, changes)

    monkeypatch.setattr(CloudflareZone, "apply", late)
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)

    assert "changed meanwhile" in refused.value.message
    assert [row["content"] for row in api.records.values()] == ['"v=spf1 ip4:192.0.2.9 -all"']
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
def test_a_token_that_does_not_work_is_not_kept(actor, domain, change, refusal):
    with pytest.raises(Refused) as refused:
        connect_zone(actor, domain=domain, **{"provider": "cloudflare", "secret": TOKEN} | change)

    code, field, said = refusal
    assert (refused.value.code, refused.value.field) == (code, field)
    assert said in refused.value.message
    with every_tenant("a test looks"):
        assert not ZoneAccess.objects.exists()


def test_the_token_stands_in_no_url_error_log_or_row(actor, connected, api, caplog):
    caplog.set_level(logging.DEBUG)
    api.fails_at = 2
    with pytest.raises(Refused) as refused:
        publish_records(actor, domain=connected)
    api.fails_at = None
    publish_records(actor, domain=connected)

    assert refused.value.message == "Cloudflare answered 500."
    assert not [path for _, path, _ in api.requests if TOKEN in path]
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(CloudflareZone("acme.example", TOKEN))
    with every_tenant("a test looks"):
        stored = [str(row) for model in (ZoneAccess, Publication, Event) for row in model.objects.values()]
    assert len(stored) >= 3
    assert not [row for row in stored if TOKEN in row]


def test_a_provider_that_says_nothing_costs_as_long_as_the_bound(connected, api):
    api.silent_for = 4
    zone = CloudflareZone("acme.example", TOKEN, Bound(0.5))

    began = time.monotonic()
    with pytest.raises(NotPublished, match="took too long"):
        zone.check()

    assert time.monotonic() - began < 3


def test_a_failure_on_the_way_is_said_in_the_language_of_whoever_asked(connected, api):
    zone = CloudflareZone("acme.example", TOKEN)
    zone.check()
    api.token = "another"

    with override("de"), pytest.raises(NotPublished, match="nimmt dieses Token nicht an"):
        zone.read({("acme.example", "TXT")})


def test_the_api_is_reached_by_the_guarded_client_alone(connected, api, settings):
    api.redirects_to = "http://127.0.0.1:1/"
    with pytest.raises(NotPublished, match="answered 302"):
        CloudflareZone("acme.example", TOKEN).check()
    settings.MAILHOST_WEBHOOK_NETWORKS = []
    asked = len(api.requests)

    with pytest.raises(NotPublished, match="could not be reached"):
        CloudflareZone("acme.example", TOKEN).check()

    assert len(api.requests) == asked


def test_a_zone_of_many_pages_is_read_to_its_end(connected, api):
    for number in range(230):
        api.has("TXT", "acme.example", f"note {number}")

    found = CloudflareZone("acme.example", TOKEN).read({("acme.example", "TXT")})

    assert len(found["acme.example", "TXT"]) == 230


@pytest.mark.parametrize(
    ("content", "data"),
    [
        ("plain text", '"plain text"'),
        ('"quoted text"', '"quoted text"'),
        ('a "word" and \\', '"a \\"word\\" and \\\\"'),
        ("x" * 300, f'"{"x" * 255}" "{"x" * 45}"'),
    ],
)
def test_texts_are_read_with_and_without_quotes(content, data):
    assert cloudflare.data_of("TXT", content) == data


def test_without_the_extra_it_is_not_offered(actor, domain, monkeypatch):
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
        connect_zone(actor, domain=domain, provider="cloudflare", secret=TOKEN)
    assert refused.value.code == "invalid_provider"
