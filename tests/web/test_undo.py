"""What is undone by a press, and what nothing brings back, for which a name is typed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts.invitation_operations import invite_member
from accounts.models import ApiKey, Invitation
from accounts.operations import UNDONE_WITHIN, create_api_key, restore_api_key, revoke_api_key
from audit.models import Event
from dns.models import DmarcPolicy
from dns.policy_operations import set_logo
from dns.tasks import refresh_records
from longwork.models import State
from longwork.works import begin
from mailboxes.denial_operations import deny_address
from mailboxes.models import Alias
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.brand_operations import set_brand, set_brand_logo
from tenants.models import Brand, Member, Role
from tenants.plan_operations import create_plan, retire_plan
from tests.routes.cast import a_member
from tests.webside import a_picture, signed_in
from tests.world import a_mailbox, actor_of, an_alias, verified_domain
from webhooks.models import Endpoint
from webhooks.operations import create_endpoint, send_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]
COLOURS = {"light": "#1f5fbf", "dark": "#8db8ff"}


@pytest.fixture
def acme(world):
    return signed_in(a_member(world.acme, Role.OWNER).user)


@pytest.fixture
def rita(world):
    return signed_in(a_member(world.rita, Role.OWNER).user)


@pytest.fixture
def operator(world):
    return signed_in(a_member(world.operator, Role.OWNER).user)


def done(browser: Client, address: str, **sent: str) -> str:
    """Press a button; return the page that comes of it."""
    return browser.post(address, sent, follow=True).content.decode()


def told_with_undo(page: str, address: str) -> bool:
    """Say whether the page's message has a button that takes back what it tells."""
    told = page.partition('<div class="messages"')[2].partition("\n</div>")[0]
    return f'action="{address}"' in told and ">Undo</button>" in told


def last_act() -> str:
    return last_event().action


def last_event() -> Event:
    with every_tenant("a test reads the record"):
        return Event.objects.latest("pk")


def there_are(rows: Callable[[], QuerySet]) -> int:
    with every_tenant("a test counts"):
        return rows().count()


# --- undone ------------------------------------------------------------------------------------------------------


def test_a_key_that_was_revoked_by_mistake_opens_again(world, acme):
    key, text = create_api_key(world.as_acme, name="Backup", scopes=["domains:read"])
    program = Client(headers={"authorization": f"Bearer {text}"})

    shown = done(acme, f"/keys/{key.uid}/revoke/")

    assert f'action="/keys/{key.uid}/restore/"' in shown
    assert program.get("/api/v1/domains").status_code == 401
    assert "The key Backup opens again" in done(acme, f"/keys/{key.uid}/restore/")
    assert last_act() == "keys.restore"
    assert program.get("/api/v1/domains").status_code == 200


def test_a_key_that_was_revoked_a_while_ago_stays_so(world):
    key = revoke_api_key(world.as_acme, key=create_api_key(world.as_acme, name="Old", scopes=["domains:read"])[0])
    with every_tenant("a test sets the clock"):
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now() - UNDONE_WITHIN - timedelta(seconds=1))

    with pytest.raises(Refused, match="nothing left to undo"):
        restore_api_key(world.as_acme, key=key)


def test_a_key_is_had_back_only_by_who_could_make_such_a_key(world):
    scopes = ["tenants:write"]
    key = revoke_api_key(world.as_rita, key=create_api_key(world.as_rita, name="Shop", scopes=scopes)[0])

    admin = actor_of(world.rita, Role.ADMIN)
    lesser = type(admin)(**{**vars(admin), "permissions": admin.permissions - {"tenants.create"}})
    with pytest.raises(Refused, match="more than you may do yourself"):
        restore_api_key(lesser, key=key)


def test_a_retired_plan_is_sold_again_while_its_name_is_free(world, rita):
    plan = create_plan(world.as_rita, name="Small")

    assert f'action="/plans/{plan.uid}/restore/"' in done(rita, f"/plans/{plan.uid}/retire/")
    assert "Small is sold again." in done(rita, f"/plans/{plan.uid}/restore/")
    assert last_act() == "plans.restore"

    retire_plan(world.as_rita, plan=plan)
    create_plan(world.as_rita, name="Small")
    assert "You have a plan Small already." in done(rita, f"/plans/{plan.uid}/restore/")


def test_a_removed_logo_is_shown_again_and_to_nobody_meanwhile(world, rita):
    set_brand(world.as_rita, name="Rita's post", **COLOURS)
    brand = set_brand_logo(world.as_rita, logo=a_picture())
    address = f"/brand/{brand.uid}/{brand.logo_version}.png"

    shown = done(rita, "/branding/logo/remove/")

    assert 'action="/branding/logo/restore/"' in shown
    assert Client().get(address).status_code == 302
    assert "The logo is shown again." in done(rita, "/branding/logo/restore/")
    assert Client().get(address).status_code == 200
    assert "nothing left to undo" in done(rita, "/branding/logo/restore/")


def test_a_discarded_job_runs_after_all(operator):
    job = Job.objects.create(
        task="mailhost.tasks.send_mail", queue="default", due_at=timezone.now(), attempts=3, error="Refused"
    )

    assert f'action="/jobs/{job.pk}/recall/"' in done(operator, f"/jobs/{job.pk}/discard/")
    assert "runs now" in done(operator, f"/jobs/{job.pk}/recall/")

    job.refresh_from_db()
    assert (job.finished_at, job.discarded_by, job.error) == (None, "", "Refused")
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now())
    assert "was not discarded" in done(operator, f"/jobs/{job.pk}/recall/")


def test_a_revoked_invitation_is_open_again_unless_there_is_a_newer_one(world, acme):
    invitation = invite_member(world.as_acme, email="uma@elsewhere.example", role=Role.SUPPORT)
    at = f"/members/invitations/{invitation.uid}"

    assert f'action="{at}/restore/"' in done(acme, f"{at}/revoke/")
    assert "is open again" in done(acme, f"{at}/restore/")
    assert there_are(lambda: Invitation.objects.filter(open_email="uma@elsewhere.example")) == 1

    done(acme, f"{at}/revoke/")
    invite_member(world.as_acme, email="uma@elsewhere.example", role=Role.SUPPORT)
    assert "was invited anew" in done(acme, f"{at}/restore/")


def test_an_address_is_put_back_on_the_deny_list(world, acme):
    domain = verified_domain(world.as_acme, "acme.example")
    denied = deny_address(world.as_acme, domain=domain, address="spam")

    shown = done(acme, f"/denied-addresses/{denied.uid}/allow/")

    assert f'action="/domains/{domain.uid}/catch-all/undo/"' in shown
    assert there_are(Alias.objects.denied) == 0
    assert "is refused from now on" in done(acme, f"/domains/{domain.uid}/catch-all/undo/")
    assert there_are(Alias.objects.denied) == 1
    assert "nothing left to undo" in done(acme, f"/domains/{domain.uid}/catch-all/undo/")


def test_what_was_switched_off_suspended_or_deleted_by_mistake_is_back_by_one_press(world, acme, rita, subtests):
    domain = verified_domain(world.as_acme, "acme.example")
    mailbox = f"/mailboxes/{a_mailbox(world.as_acme, 'anna@acme.example').uid}"
    alias = f"/aliases/{an_alias(world.as_acme, 'office@acme.example', 'anna@acme.example')[0].uid}"
    endpoint, _ = create_endpoint(world.as_acme, url="https://hooks.acme.example/in")
    webhook, customer, at = f"/webhooks/{endpoint.uid}", f"/customers/{world.acme.uid}", f"/domains/{domain.uid}"
    unpaid = {"reason": "unpaid", "blocks": ["sending"]}

    for browser, away, back, sent, act in (
        (acme, f"{alias}/disable/", f"{alias}/enable/", {}, "aliases.set_enabled"),
        (acme, f"{mailbox}/suspend/", f"{mailbox}/resume/", {}, "mailboxes.resume"),
        (acme, f"{mailbox}/delete/", f"{mailbox}/restore/", {}, "mailboxes.restore"),
        (acme, f"{webhook}/disable/", f"{webhook}/enable/", {}, "webhooks.update"),
        (acme, f"{at}/disable/", f"{at}/enable/", {}, "domains.set_enabled"),
        (acme, f"{at}/delete/", f"{at}/restore/", {"typed": "acme.example"}, "domains.restore"),
        (rita, f"{customer}/suspend/", f"{customer}/resume/", unpaid, "tenants.resume"),
        (rita, f"{customer}/delete/", f"{customer}/restore/", {}, "tenants.restore"),
    ):
        with subtests.test(away):
            assert told_with_undo(done(browser, away, **sent), back)
            assert not told_with_undo(done(browser, back), away)
            assert last_act() == act


def test_a_suspension_that_took_the_place_of_another_is_not_undone_by_ending_both(world, rita):
    customer = f"/customers/{world.acme.uid}"
    done(rita, f"{customer}/suspend/", reason="unpaid", blocks=["sending"])

    shown = done(rita, f"{customer}/suspend/", reason="abuse", blocks=["sending", "sign_in"])

    assert "Acme is suspended." in shown
    assert not told_with_undo(shown, f"{customer}/resume/")


def test_the_logo_of_a_domain_is_chosen_again_after_it_was_removed(world, acme):
    domain, other = verified_domain(world.as_acme, "acme.example"), verified_domain(world.as_acme, "other.example")
    with every_tenant("a test lays its ground"):
        for row in (domain, other):
            DmarcPolicy.objects.create(domain=row, policy="reject", since=timezone.now())
            refresh_records(row.pk)
    set_logo(world.as_acme, domain=domain, logo_url="https://acme.example/logo.svg")
    at = f"/domains/{domain.uid}/logo"

    assert told_with_undo(done(acme, f"{at}/remove/"), f"{at}/restore/")
    assert "nothing left to undo" in done(acme, f"/domains/{other.uid}/logo/restore/")
    shown = done(acme, f"{at}/restore/")

    assert "The logo is shown again." in shown
    assert 'value="https://acme.example/logo.svg"' in shown
    assert last_act() == "records.set_logo"
    assert "nothing left to undo" in done(acme, f"{at}/restore/")


# --- typed -------------------------------------------------------------------------------------------------------


def test_an_endpoint_goes_when_its_host_was_typed(world, acme):
    endpoint, _ = create_endpoint(world.as_acme, url="https://hooks.acme.example/in?of=us")
    send_test(world.as_acme, endpoint=endpoint)
    assert last_event().object == "webhook.test to https://hooks.acme.example/in?of=us"
    assert_typed(acme, f"/webhooks/{endpoint.uid}/delete/", "hooks.acme.example", Endpoint.objects.all)


def test_a_brand_goes_when_its_name_was_typed(world, rita):
    set_brand(world.as_rita, name="Rita's post", **COLOURS)
    assert_typed(rita, "/branding/remove/", "Rita's post", Brand.objects.all)
    assert rita.get("/branding/remove/")["Location"] == "/branding/"


def test_a_member_goes_when_their_address_was_typed(world, acme):
    member = a_member(world.acme, Role.SUPPORT)
    assert_typed(
        acme,
        f"/members/{member.uid}/remove/",
        "support@acme.example",
        lambda: Member.objects.filter(pk=member.pk),
    )


def test_long_work_ends_with_its_job_when_the_number_was_typed(world, operator):
    work = begin(world.as_acme, "tests.nothing", kind="tests")
    job = Job.objects.get(task="longwork.tasks.run", arguments={"work_id": work.pk})
    open_jobs = Job.objects.filter(pk=job.pk, finished_at=None)
    assert_typed(operator, f"/jobs/{job.pk}/discard/", str(job.pk), open_jobs.all)

    work.refresh_from_db()
    assert work.state == State.CANCELED
    assert "what waited for it is gone" in done(operator, f"/jobs/{job.pk}/recall/")


def assert_typed(browser: Client, address: str, name: str, rows: Callable[[], QuerySet]) -> None:
    """Hold one act to its rule: nothing happens without the name, with another one, or to who only looks."""
    before = there_are(rows)
    assert "to go on" in browser.get(address).content.decode()
    for sent in ({}, {"typed": f"{name}x"}):
        assert browser.post(address, sent).status_code == 422
    assert there_are(rows) == before > 0

    assert browser.post(address, {"typed": f" {name} "}).status_code == 302
    assert there_are(rows) == before - 1
