"""Domains and their records over REST."""

import pytest

from accounts.models import ApiKey
from dns.models import DnsRecord
from domains.models import Domain
from mailhost.scope import every_tenant
from tenants.models import AuditRecord
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
        "status": "pending",
        "verified_at": None,
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
        record = AuditRecord.objects.get(action="domains.create", object="new.example")
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
            "status": "mismatch",
            "found": ["0 old.example."],
            "problem": "Replace the value.",
            "last_checked_at": None,
        }
    ]
