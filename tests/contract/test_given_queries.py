"""The product's given queries, word for word, give the right answer on what the panel wrote."""

import pytest
from django.db import connection

from domains.operations import delete_domain, set_domain_enabled
from mailboxes import lookups
from mailboxes.alias_operations import create_alias
from mailboxes.operations import delete_mailbox, suspend_mailbox
from tenants.operations import resume_tenant, suspend_tenant
from tests.world import a_mailbox, verified_domain

ANNA = "anna@acme-mail.example"


@pytest.fixture
def acme(world):
    domain = verified_domain(world.as_acme, "acme-mail.example")
    mailbox = a_mailbox(world.as_acme, ANNA, storage_quota_mb=10)
    create_alias(world.as_acme, source="sales@acme-mail.example", targets=[ANNA])
    return world, domain, mailbox


def given(name: str, asked: str) -> list[tuple]:
    sql = lookups.GIVEN[name].replace("%s", asked).replace("%u", asked)
    local, _, domain = asked.partition("@")
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("%d", domain).replace("%n", local))
        return list(cursor.fetchall())


def everything() -> dict[str, list[tuple]]:
    return {
        "domain": given("virtual_mailbox_domains", "acme-mail.example"),
        "mailbox": given("virtual_mailbox_maps", ANNA),
        "own row": given("virtual_alias_maps", ANNA),
        "alias": given("virtual_alias_maps", "sales@acme-mail.example"),
        "sign-in": [user for user, _ in given("password_query", ANNA)],
        "folder": [row[0] for row in given("user_query", ANNA)],
    }


ALL = {
    "domain": [(1,)],
    "mailbox": [(1,)],
    "own row": [(ANNA,)],
    "alias": [(ANNA,)],
    "sign-in": [ANNA],
    "folder": [ANNA],
}
NOTHING = {key: [] for key in ALL}


@pytest.mark.django_db
def test_everything_in_order(acme):
    assert everything() == ALL


@pytest.mark.django_db
def test_quota_rule_is_in_megabytes(acme):
    assert given("user_query", ANNA)[0][4] == "*:storage=10M"


@pytest.mark.django_db
def test_a_suspended_mailbox_does_not_come_back(acme):
    world, _, mailbox = acme

    suspend_mailbox(world.as_acme, mailbox=mailbox)

    assert everything() == NOTHING | {"domain": [(1,)]}


@pytest.mark.django_db
def test_a_deleted_mailbox_does_not_come_back(acme):
    world, _, mailbox = acme

    delete_mailbox(world.as_acme, mailbox=mailbox)

    assert everything() == NOTHING | {"domain": [(1,)]}


@pytest.mark.django_db
def test_nothing_of_a_domain_switched_off_comes_back(acme):
    world, domain, _ = acme

    set_domain_enabled(world.as_acme, domain=domain, enabled=False)

    assert everything() == NOTHING


@pytest.mark.django_db
def test_nothing_of_a_deleted_domain_comes_back(acme):
    world, domain, _ = acme

    delete_domain(world.as_acme, domain=domain)

    assert everything() == NOTHING


@pytest.mark.django_db
def test_nothing_of_a_suspended_tenant_comes_back_until_it_is_resumed(acme):
    world, _, _ = acme

    suspend_tenant(world.as_operator, tenant=world.acme, reason="unpaid", note="The invoice of May is open.")
    suspended = everything()
    resume_tenant(world.as_operator, tenant=world.acme)

    assert suspended == NOTHING
    assert everything() == ALL


@pytest.mark.django_db
def test_a_catch_all_leaves_a_mailbox_its_mail(acme):
    world, _, _ = acme
    create_alias(world.as_acme, source="*@acme-mail.example", targets=["boss@elsewhere.example"])

    assert given("virtual_alias_maps", ANNA) == [(ANNA,)]
    assert given("virtual_alias_maps", "@acme-mail.example") == [("boss@elsewhere.example",)]
