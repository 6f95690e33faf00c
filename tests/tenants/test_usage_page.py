"""What people of a tenant read: how much is left, and why something is stopped."""

import pytest

from tenants.operations import suspend_tenant
from tenants.plan_operations import assign_plan, create_plan
from tests.routes.cast import a_member
from tests.webside import plain_static, signed_in  # noqa: F401 - a fixture
from tests.world import a_mailbox, verified_domain

pytestmark = pytest.mark.usefixtures("plain_static")


def text_of(answer) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_customer_reads_what_is_left_of_its_plan(world):
    verified_domain(world.as_acme, "acme.example")
    assign_plan(
        world.as_rita, tenant=world.acme, plan=create_plan(world.as_rita, name="Small", limits={"mailboxes": 1})
    )
    a_mailbox(world.as_acme, "anna@acme.example")

    page = text_of(signed_in(a_member(world.acme, "owner").user).get("/usage/"))

    assert "The plan is Small, version 1." in page
    assert '<td data-label="In use" class="number">1</td> <td data-label="Limit" class="number">1</td>' in page
    assert "None left" in page


def test_a_suspended_customer_reads_why_on_every_page(world):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sending"], reason="unpaid", note="The invoice of May.")
    acme = signed_in(a_member(world.acme, "owner").user)

    for page in ("/", "/mailboxes/", "/usage/"):
        assert "Acme is suspended: it sends no mail. Unpaid. The invoice of May." in text_of(acme.get(page))
    assert "Unpaid: The invoice of May." in text_of(signed_in(a_member(world.rita, "owner").user).get("/customers/"))


def test_below_a_suspended_provider_its_reason_is_not_read(world):
    suspend_tenant(
        world.as_operator, tenant=world.rita, blocks=["sending"], reason="unpaid", note="The invoice of May."
    )

    page = text_of(signed_in(a_member(world.acme, "owner").user).get("/"))

    assert "Acme is suspended with the account that provides it: it sends no mail. Ask your provider." in page
    assert "invoice" not in page
