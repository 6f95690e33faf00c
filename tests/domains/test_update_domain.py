"""The settings of a domain: the size of a mailbox whose maker says none, and whether a detail after + is taken."""

import pytest

from audit.models import Event
from domains.operations import MAX_QUOTA_MB, create_domain, update_domain
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox
from mailboxes.questions import ask
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import Caller, errors_of, make_key
from tests.routes.cast import a_member
from tests.webside import signed_in
from tests.world import PASSWORD_HASH, a_mailbox, fresh, verified_domain
from webhooks.models import Message
from webhooks.operations import create_endpoint

UNDECIDED = "DUNNO"
REFUSED = "550 5.1.1 There is no such address here"


@pytest.fixture
def acme(world):
    return verified_domain(world.as_acme, "acme.example")


def made_without_size(world):
    return create_mailbox(world.as_acme, address="anna@acme.example", password_hash=PASSWORD_HASH)


def test_a_mailbox_without_a_size_gets_the_domains(world, acme):
    update_domain(world.as_acme, domain=acme, default_quota_mb=2048)

    assert made_without_size(world).storage_quota == 2048
    assert a_mailbox(world.as_acme, "ben@acme.example", storage_quota_mb=5).storage_quota == 5


def test_without_a_default_each_says_its_own(world, acme):
    update_domain(world.as_acme, domain=acme, default_quota_mb=2048)
    update_domain(world.as_acme, domain=acme, default_quota_mb=None)

    with pytest.raises(Refused) as refused:
        made_without_size(world)

    assert (refused.value.code, refused.value.field) == ("required", "storage_quota_mb")


@pytest.mark.parametrize("size", [0, -1, MAX_QUOTA_MB + 1])
def test_a_size_that_no_mailbox_may_have_is_refused(world, acme, size):
    with pytest.raises(Refused) as refused:
        update_domain(world.as_acme, domain=acme, default_quota_mb=size)

    assert (refused.value.code, refused.value.field) == ("invalid_quota", "default_quota_mb")
    assert fresh(acme).default_quota_mb is None


def test_only_whoever_manages_mail_changes_it(world, acme):
    with pytest.raises(NotPermitted):
        update_domain(world.actor(world.acme, Role.SUPPORT), domain=acme, default_quota_mb=10)
    with pytest.raises(Refused, match="does not exist"):
        update_domain(world.as_bolt, domain=acme, default_quota_mb=10)


def test_over_rest(world, acme):
    caller = Caller(make_key(world.acme))

    changed = caller.call("PATCH", "/domains/acme.example", {"default_quota": 300})
    wrong = caller.call("PATCH", "/domains/acme.example", {"default_quota": 0})
    made = caller.call("POST", "/mailboxes", {"email": "anna@acme.example", "password_hash": PASSWORD_HASH})

    assert (changed.status_code, changed.json()["default_quota"]) == (200, 300)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/default_quota")
    assert (made.status_code, made.json()["storage_quota"]) == (201, 300)


def test_every_way_to_make_a_mailbox_gives_the_usual_size(world, acme):
    update_domain(world.as_acme, domain=acme, default_quota_mb=300)
    caller = Caller(make_key(world.acme))
    secret = {"password_hash": PASSWORD_HASH}
    batch = {"mode": "atomic", "items": [{"email": "ann@acme.example", **secret}]}

    answers = [
        caller.call("POST", "/mailboxes/batch", batch),
        caller.call("PUT", "/mailboxes/ben@acme.example", secret),
        caller.call("PUT", "/state?deletes=true", {"mailboxes": [{"email": "cara@acme.example", **secret}]}),
    ]

    assert [answer.status_code for answer in answers] == [200, 201, 200]
    with every_tenant("a test looks"):
        # The last one's document named nobody else.
        made = dict(Mailbox.objects.values_list("email", "storage_quota"))
    assert made == {f"{name}@acme.example": 300 for name in ("ann", "ben", "cara")}


def answer(local: str, domain: str = "acme.example") -> str:
    """What Postfix is told of a recipient with a detail."""
    [(said,)] = ask("details", local=local, domain=domain)
    return said


def refusal(act, **arguments) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        act(**arguments)
    return caught.value.code, caught.value.field


def test_details_are_taken_until_the_domain_says_otherwise(world, acme):
    before = answer("anna+news")
    update_domain(world.as_acme, domain=acme, plus_addressing=False)
    off = answer("anna+news")
    update_domain(world.as_acme, domain=acme, plus_addressing=True)

    assert (before, off, answer("anna+news")) == (UNDECIDED, REFUSED, UNDECIDED)


def test_an_address_of_exactly_this_name_is_left_to_the_questions_that_follow(world, acme):
    """The panel makes none; who fills the tables by SQL may."""
    update_domain(world.as_acme, domain=acme, plus_addressing=False)
    with every_tenant("a test writes a row"):
        row = {"domain": acme, "destination_email": "x@partner.example", "is_routed": True, "is_active": True}
        Alias.objects.create(alias_email="anna+news@acme.example", **row)

    assert (answer("anna+news"), answer("anna+other")) == (UNDECIDED, REFUSED)


def test_a_setting_leaves_the_others(world, acme):
    update_domain(world.as_acme, domain=acme, plus_addressing=False)
    update_domain(world.as_acme, domain=acme, default_quota_mb=300)
    update_domain(world.as_acme, domain=acme, plus_addressing=True)

    assert (fresh(acme).plus_addressing, fresh(acme).default_quota_mb) == (True, 300)


def test_alias_domains_follow_now_and_later(world, acme):
    old = verified_domain(world.as_acme, "acme-old.example", alias_of=acme)
    update_domain(world.as_acme, domain=acme, plus_addressing=False)
    new = create_domain(world.as_acme, name="acme-new.example", alias_of=acme)

    assert answer("anna+news", "acme-old.example") == REFUSED
    assert (fresh(old).plus_addressing, new.plus_addressing, fresh(new).plus_addressing) == (False, False, False)
    update_domain(world.as_acme, domain=acme, plus_addressing=True)
    assert answer("anna+news", "acme-old.example") == UNDECIDED


def test_an_alias_domain_has_no_setting_of_its_own(world, acme):
    other = verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)

    says = refusal(update_domain, actor=world.as_acme, domain=other, plus_addressing=False)

    assert says == ("alias_domain", "plus_addressing")
    assert fresh(other).plus_addressing
    assert update_domain(world.as_acme, domain=other, plus_addressing=True).plus_addressing


@pytest.mark.parametrize("setting", ["MAILHOST_DMARC_REPORTS", "MAILHOST_TLS_REPORTS"])
def test_where_reports_come_to_addresses_with_a_detail_they_stay_taken(world, acme, settings, setting):
    setattr(settings, setting, "reports@acme.example")

    says = refusal(update_domain, actor=world.as_acme, domain=acme, plus_addressing=False)

    assert says == ("takes_reports", "plus_addressing")
    assert fresh(acme).plus_addressing


def test_a_change_is_recorded_and_told(world, acme):
    create_endpoint(world.as_acme, url="https://hooks.elsewhere.example/in", types=["domain.updated"])

    update_domain(world.as_acme, domain=acme, plus_addressing=False)

    with every_tenant("a test reads what was written"):
        event = Event.objects.latest("pk")
        [message] = Message.objects.all()
    assert (event.action, event.before, event.after) == (
        "domains.update",
        {"plus_addressing": True},
        {"plus_addressing": False},
    )
    assert (message.type, f"dom_{acme.uid}" in message.body) == ("domain.updated", True)


def test_plus_addressing_over_rest(world, acme):
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)
    caller = Caller(make_key(world.acme))
    off = {"plus_addressing": False}

    changed = caller.call("PATCH", "/domains/acme.example", off)
    again = caller.call("PATCH", "/domains/acme.example", off)
    made = caller.call("PUT", "/domains/new.example", off)
    of_alias = caller.call("PATCH", "/domains/acme-shop.example", {"plus_addressing": True})
    no_switch = caller.call("PATCH", "/domains/acme.example", {"plus_addressing": "yes"})

    assert (changed.status_code, changed.json()["plus_addressing"]) == (200, False)
    assert again.json() == changed.json() == caller.read("/domains/acme.example")
    assert (made.status_code, made.json()["plus_addressing"]) == (201, False)
    assert errors_of(of_alias) == [("#/plus_addressing", "alias_domain")]
    assert no_switch.status_code == 422
    assert caller.read("/domains/acme-shop.example")["plus_addressing"] is False


@pytest.mark.usefixtures("plain_static")
def test_the_settings_page_says_how_it_is_and_changes_it(world, acme):
    other = verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)
    anna = signed_in(a_member(world.acme, Role.OWNER).user)
    page = f"/domains/{acme.uid}"

    on = anna.get(f"{page}/settings/").content.decode()
    told = anna.post(f"{page}/plus/off/", follow=True).content.decode()
    followed = anna.get(f"/domains/{other.uid}/settings/").content.decode()
    refused = anna.post(f"/domains/{other.uid}/plus/on/", follow=True).content.decode()

    assert "mail to anna+news@acme.example goes to anna@acme.example" in on
    assert "mail to anna+news@acme.example is refused" in told
    assert f"{page}/plus/on/" in told
    assert "This domain follows acme.example" in followed
    assert "/plus/" not in followed
    assert "acme-shop.example follows acme.example. Change it there." in refused
    assert not fresh(acme).plus_addressing
