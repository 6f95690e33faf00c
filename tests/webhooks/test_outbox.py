"""What is told of a change: to whom, with what, and only if it happened."""

import json

from django.db import transaction

from domains.operations import update_domain
from mailboxes.app_password_operations import create_app_password
from mailboxes.operations import create_mailbox, delete_mailbox
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.permissions import SYSTEM
from tenants.plan_operations import assign_plan, create_plan
from tests.world import a_mailbox, an_alias
from webhooks.events import EVENTS
from webhooks.models import Delivery, Message
from webhooks.operations import create_endpoint, update_endpoint

HOOK = "https://hooks.elsewhere.example/in"


def told() -> list[tuple[str, str, dict]]:
    """Return (endpoint's purpose, type, data) of every delivery."""
    with every_tenant("a test reads the outbox"):
        rows = Delivery.objects.select_related("endpoint", "message").order_by("pk")
        return [(row.endpoint.description, row.message.type, json.loads(row.message.body)["data"]) for row in rows]


def test_endpoints_of_the_tenant_and_above_are_told_and_no_others(world, acme):
    for actor, name in ((world.as_acme, "acme"), (world.as_rita, "rita"), (world.as_bolt, "bolt")):
        create_endpoint(actor, url=HOOK, description=name)

    mailbox = a_mailbox(world.as_acme, "anna@acme.example")

    data = {
        "object": "mailbox",
        "id": f"mbx_{mailbox.uid}",
        "name": "anna@acme.example",
        "tenant_id": f"ten_{world.acme.uid}",
    }
    assert told() == [("acme", "mailbox.created", data), ("rita", "mailbox.created", data)]
    assert Job.objects.filter(task="webhooks.tasks.deliver").count() == 2


def test_what_a_parent_does_to_a_customers_thing_is_told_to_the_customer(world, acme):
    create_endpoint(world.as_acme, url=HOOK, description="acme")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")

    delete_mailbox(world.as_rita, mailbox=mailbox)

    assert [event_type for _, event_type, _ in told()] == ["mailbox.created", "mailbox.deleted"]


def test_a_change_that_is_rolled_back_tells_nothing(world, acme):
    create_endpoint(world.as_acme, url=HOOK)

    with transaction.atomic():
        a_mailbox(world.as_acme, "anna@acme.example")
        transaction.set_rollback(True)

    assert told() == []
    assert not Job.objects.filter(task="webhooks.tasks.deliver").exists()


def test_an_endpoint_is_told_the_types_it_chose_while_it_is_on(world, acme):
    create_endpoint(world.as_acme, url=HOOK, types=["alias.created"])
    off, _ = create_endpoint(world.as_acme, url=HOOK)
    update_endpoint(world.as_acme, endpoint=off, enabled=False)

    a_mailbox(world.as_acme, "anna@acme.example")
    alias = an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "x@partner.example")[0]

    assert [(event_type, data["id"], data["name"]) for _, event_type, data in told()] == [
        ("alias.created", f"als_{alias.uid}", "sales@acme.example")
    ]


def test_no_secret_is_ever_told(world, acme):
    create_endpoint(world.as_acme, url=HOOK)
    password = "k8Vq.river.Lamp"

    mailbox = create_mailbox(world.as_acme, address="anna@acme.example", password=password, storage_quota_mb=1)
    _, text = create_app_password(world.as_acme, mailbox=mailbox, name="Phone", protocols=["imap"])

    with every_tenant("a test reads the outbox"):
        bodies = " ".join(Message.objects.values_list("body", flat=True))
    assert "app_password.created" in bodies
    assert not any(secret in bodies for secret in (password, text, text[15:], mailbox.password_hash))


def test_where_nobody_listens_it_costs_one_query(world, acme, django_assert_num_queries):
    from mailhost.scope import tenant_scope
    from webhooks.outbox import tell

    mailbox = a_mailbox(world.as_acme, "anna@acme.example")
    with tenant_scope(world.acme.path), django_assert_num_queries(1):
        tell(world.as_acme, "mailboxes.create", result=mailbox)


def test_what_changes_a_domain_or_an_accounts_plan_is_told(world, acme):
    create_endpoint(world.as_rita, url=HOOK, description="rita")
    plan = create_plan(world.as_rita, name="Small")

    assign_plan(world.as_rita, tenant=world.acme, plan=plan)
    update_domain(world.as_acme, domain=acme, default_quota_mb=100)

    assert [(event_type, data["name"]) for _, event_type, data in told()] == [
        ("tenant.plan_changed", "Acme"),
        ("domain.updated", "acme.example"),
    ]


def test_every_event_is_of_an_act_that_there_is():
    assert set(EVENTS) - SYSTEM == set()
