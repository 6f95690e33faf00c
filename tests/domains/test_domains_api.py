"""Domains and their records over REST."""

import pytest

from accounts.models import ApiKey
from audit.models import Event
from dns.models import DnsRecord
from domains.models import Domain
from mailhost.scope import every_tenant
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def stored(name: str) -> Domain:
    with every_tenant("a test looks at its rows"):
        return Domain.objects.get(domain_name=name, deleted_at=None)


def test_new_domain_is_answered_whole_and_waits_for_proof(cast):
    answer = cast.acme.caller().call("POST", "/domains", {"name": "Bücher.Example"})

    domain = stored("xn--bcher-kva.example")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/domains/dom_{domain.uid}"
    shown = answer.json()
    assert shown.pop("created_at").endswith("Z")
    assert shown.pop("updated_at").endswith("Z")
    assert shown == {
        "id": f"dom_{domain.uid}",
        "object": "domain",
        "tenant_id": f"ten_{cast.acme.tenant.uid}",
        "name": "xn--bcher-kva.example",
        "name_unicode": "bücher.example",
        "alias_of": None,
        "enabled": True,
        "default_quota": None,
        "plus_addressing": True,
        "status": "pending",
        "verified_at": None,
        "deleted_at": None,
    }


def test_domain_goes_by_its_id_and_by_its_name_in_either_form(cast):
    caller = cast.acme.caller()
    domain = caller.call("POST", "/domains", {"name": "bücher.example"}).json()

    for reference in (domain["id"], "xn--bcher-kva.example", "bücher.example", "BÜCHER.example", "bücher.example."):
        assert caller.read(f"/domains/{reference}") == domain


def test_name_that_is_none_is_refused_with_a_sentence(cast):
    answer = cast.acme.caller().call("POST", "/domains", {"name": "no dots"})

    assert errors_of(answer) == [("#/name", "invalid_domain")]
    assert "dot" in answer.json()["detail"]


def test_name_that_was_added_already_is_refused(cast):
    answer = cast.acme.caller().call("POST", "/domains", {"name": "acme.example"})

    assert errors_of(answer) == [("#/name", "taken")]


def test_claim_of_a_strangers_name_tells_nothing(cast):
    answer = cast.bolt.caller().call("POST", "/domains", {"name": "acme.example"})

    assert answer.status_code == 201
    assert answer.json()["status"] == "pending"


def test_alias_domain_names_its_main_domain(cast):
    answer = cast.acme.caller().call("POST", "/domains", {"name": "acme2.example", "alias_of": "acme.example"})

    assert answer.json()["alias_of"] == "acme.example"


def test_strangers_domain_as_main_domain_is_as_unknown_as_none(cast):
    caller = cast.bolt.caller()

    for reference in ("acme.example", f"dom_{cast.acme.domain.uid}", "nobody.example"):
        answer = caller.call("POST", "/domains", {"name": "new.example", "alias_of": reference})

        assert errors_of(answer) == [("#/alias_of", "unknown_domain")]


def test_verified_domain_is_switched_off_and_on(cast):
    caller = cast.acme.caller()
    assert caller.read("/domains/acme.example")["status"] == "verified"

    off = caller.call("PATCH", "/domains/acme.example", {"enabled": False})
    on = caller.call("PATCH", "/domains/acme.example", {"enabled": True})

    assert (off.json()["enabled"], off.json()["status"]) == (False, "suspended")
    assert (on.json()["enabled"], on.json()["status"]) == (True, "verified")


def test_patch_that_says_what_is_so_changes_nothing(cast):
    caller = cast.acme.caller()
    before = caller.read("/domains/acme.example")

    for body in ({}, {"enabled": True}):
        answer = caller.call("PATCH", "/domains/acme.example", body)

        assert (answer.status_code, answer.json()) == (200, before)


def test_deleted_domain_is_gone(cast):
    caller = cast.acme.caller()

    answer = caller.call("DELETE", "/domains/acme.example")

    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(caller.call("GET", "/domains/acme.example"), 404, "not_found")
    assert_problem(caller.call("GET", "/mailboxes/anna@acme.example"), 404, "not_found")


def test_among_two_claims_the_reseller_means_the_proven_one(cast):
    cast.bolt.caller().call("POST", "/domains", {"name": "acme.example"})

    shown = Caller(make_key(cast.rita)).read("/domains/acme.example")

    assert shown["id"] == f"dom_{cast.acme.domain.uid}"


def test_audit_record_names_the_key(cast):
    cast.acme.caller().call("POST", "/domains", {"name": "new.example"})

    with every_tenant("a test looks at its rows"):
        record = Event.objects.get(action="domains.create", object="new.example")
        key = ApiKey.objects.get(tenant=cast.acme.tenant)
    assert (record.key_id, record.user_id, record.actor) == (key.pk, None, str(key))
    assert (record.address, record.tenant_id) == ("127.0.0.1", cast.acme.tenant.pk)


def test_records_say_what_to_publish(cast):
    with every_tenant("a test writes a record"):
        record = DnsRecord.objects.create(
            domain=cast.acme.domain,
            purpose="mx",
            record_type="MX",
            name="acme.example",
            value="mail.mailhost.example",
            priority=10,
            necessity="required",
            status="mismatch",
            found=["0 old.example."],
            problem="Replace the value.",
        )

    rows = cast.acme.caller().read("/domains/acme.example/records")["data"]

    assert rows == [
        {
            "id": f"rec_{record.uid}",
            "object": "record",
            "purpose": "mx",
            "type": "MX",
            "name": "acme.example",
            "value": "mail.mailhost.example",
            "ttl": 3600,
            "priority": 10,
            "required": True,
            "necessity": "required",
            "why": "Tells other mail servers to deliver this domain's mail here.",
            "status": "mismatch",
            "found": ["0 old.example."],
            "problem": "Replace the value.",
            "last_checked_at": None,
        }
    ]


def test_put_adds_a_domain_that_is_not_there_and_again_changes_nothing(cast):
    caller = cast.acme.caller()

    made = caller.call("PUT", "/domains/bücher.example", {"enabled": False})
    again = caller.call("PUT", "/domains/BÜCHER.example", {"enabled": False})

    assert (made.status_code, again.status_code) == (201, 200)
    assert (made.json()["name"], made.json()["enabled"]) == ("xn--bcher-kva.example", False)
    assert again.json() == made.json()


def test_put_of_a_domain_that_is_there_changes_it(cast):
    answer = cast.acme.caller().call("PUT", "/domains/acme.example", {"enabled": False})

    assert (answer.status_code, answer.json()["enabled"]) == (200, False)


def test_put_makes_no_domain_under_an_id_or_what_is_no_name(cast):
    caller = cast.acme.caller()

    assert_problem(caller.call("PUT", f"/domains/dom_{'0' * 20}", {}), 404, "not_found")
    assert errors_of(caller.call("PUT", "/domains/nodots", {})) == [("#/name", "invalid_domain")]


def test_put_does_not_turn_a_domain_into_an_alias_domain(cast):
    caller = cast.acme.caller()
    caller.call("PUT", "/domains/acme2.example", {"alias_of": "acme.example"})

    assert caller.call("PUT", "/domains/acme2.example", {"alias_of": "acme.example"}).status_code == 200
    answer = caller.call("PUT", "/domains/acme.example", {"alias_of": "acme2.example"})
    assert errors_of(answer) == [("#/alias_of", "unchangeable")]


def test_list_of_domains_is_sorted_narrowed_and_searched(cast):
    caller = cast.acme.caller()
    caller.call("POST", "/domains", {"name": "bücher.example"})

    def names(query: str) -> list[str]:
        return [row["name_unicode"] for row in caller.read(f"/domains?{query}")["data"]]

    assert names("sort=-name") == ["bücher.example", "acme.example"]
    assert names("status=pending") == ["bücher.example"]
    assert names("status=verified") == ["acme.example"]
    assert names("q=bücher.example") == names("q=xn--b") == ["bücher.example"]
    assert caller.read("/domains?include=total&limit=1")["total"] == 2


def test_zone_file_is_what_a_name_server_reads(cast):
    import dns.zone

    caller = cast.acme.caller()
    with every_tenant("a test writes records"):
        common = {"domain": cast.acme.domain, "necessity": "required", "found": []}
        for purpose, kind, name, value, priority in (
            ("mx", "MX", "acme.example", "mail.mailhost.example", 10),
            ("dkim", "TXT", "s1._domainkey.acme.example", "v=DKIM1; k=rsa; p=" + "A" * 392, None),
            ("spf", "TXT", "acme.example", 'v=spf1 "x\\ mx ~all', None),
        ):
            DnsRecord.objects.create(
                purpose=purpose, record_type=kind, name=name, value=value, priority=priority, **common
            )

    answer = caller.call("GET", "/domains/acme.example/zone")

    assert answer.headers["Content-Type"] == "text/dns"
    zone = dns.zone.from_text(answer.content.decode(), "acme.example.", relativize=False, check_origin=False)
    read = {(str(name), record.to_text()) for name, _, record in zone.iterate_rdatas()}
    assert ("acme.example.", "10 mail.mailhost.example.") in read
    texts = {name: b"".join(record.strings) for name, record in texts_of(zone)}
    assert texts["s1._domainkey.acme.example."] == b"v=DKIM1; k=rsa; p=" + b"A" * 392
    assert texts["acme.example."] == b'v=spf1 "x\\ mx ~all'


def texts_of(zone):
    return [(str(name), record) for name, _, record in zone.iterate_rdatas("TXT")]


def test_a_reseller_adds_a_domain_for_a_customer(cast):
    rita = Caller(make_key(cast.rita))
    acme, bolt = (f"ten_{customer.tenant.uid}" for customer in (cast.acme, cast.bolt))

    made = rita.call("POST", "/domains", {"name": "new.example", "tenant_id": acme})
    put = rita.call("PUT", "/domains/other.example", {"tenant_id": acme, "alias_of": None})
    again = rita.call("PUT", "/domains/other.example", {"tenant_id": acme, "alias_of": None})

    assert [answer.status_code for answer in (made, put, again)] == [201, 201, 200]
    assert {answer.json()["tenant_id"] for answer in (made, put, again)} == {acme}
    assert cast.acme.caller().read("/domains/new.example") == made.json()
    moved = rita.call("PUT", "/domains/other.example", {"tenant_id": bolt})
    assert errors_of(moved) == [("#/tenant_id", "unchangeable")]


def test_an_alias_domain_follows_one_of_the_same_customer(cast):
    rita = Caller(make_key(cast.rita))
    acme, bolt = (f"ten_{customer.tenant.uid}" for customer in (cast.acme, cast.bolt))
    wanted = {"name": "new.example", "alias_of": "acme.example"}

    assert errors_of(rita.call("POST", "/domains", wanted | {"tenant_id": bolt})) == [
        ("#/alias_of", "invalid_main_domain")
    ]
    assert rita.call("POST", "/domains", wanted | {"tenant_id": acme}).status_code == 201


def test_nobody_adds_a_domain_for_a_stranger(cast):
    tenant = f"ten_{cast.acme.tenant.uid}"

    for method, path in (("POST", "/domains"), ("PUT", "/domains/new.example")):
        body = {"tenant_id": tenant} | ({"name": "new.example"} if method == "POST" else {})
        answer = cast.bolt.caller().call(method, path, body)
        assert errors_of(answer) == [("#/tenant_id", "unknown_tenant")]
