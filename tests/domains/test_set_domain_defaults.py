"""What a new mailbox of a domain is like where its maker says nothing."""

import pytest

from domains.operations import MAX_QUOTA_MB, set_domain_defaults
from mailboxes.models import Mailbox
from mailboxes.operations import create_mailbox
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import Caller, make_key
from tests.world import PASSWORD_HASH, a_mailbox, fresh, verified_domain


@pytest.fixture
def acme(world):
    return verified_domain(world.as_acme, "acme.example")


def made_without_size(world):
    return create_mailbox(world.as_acme, address="anna@acme.example", password_hash=PASSWORD_HASH)


def test_a_mailbox_without_a_size_gets_the_domains(world, acme):
    set_domain_defaults(world.as_acme, domain=acme, default_quota_mb=2048)

    assert made_without_size(world).storage_quota == 2048
    assert a_mailbox(world.as_acme, "ben@acme.example", storage_quota_mb=5).storage_quota == 5


def test_without_a_default_each_says_its_own(world, acme):
    set_domain_defaults(world.as_acme, domain=acme, default_quota_mb=2048)
    set_domain_defaults(world.as_acme, domain=acme, default_quota_mb=None)

    with pytest.raises(Refused) as refused:
        made_without_size(world)

    assert (refused.value.code, refused.value.field) == ("required", "storage_quota_mb")


@pytest.mark.parametrize("size", [0, -1, MAX_QUOTA_MB + 1])
def test_a_size_that_no_mailbox_may_have_is_refused(world, acme, size):
    with pytest.raises(Refused) as refused:
        set_domain_defaults(world.as_acme, domain=acme, default_quota_mb=size)

    assert (refused.value.code, refused.value.field) == ("invalid_quota", "default_quota_mb")
    assert fresh(acme).default_quota_mb is None


def test_only_whoever_manages_mail_changes_it(world, acme):
    with pytest.raises(NotPermitted):
        set_domain_defaults(world.actor(world.acme, Role.SUPPORT), domain=acme, default_quota_mb=10)
    with pytest.raises(Refused, match="does not exist"):
        set_domain_defaults(world.as_bolt, domain=acme, default_quota_mb=10)


def test_over_rest(world, acme):
    caller = Caller(make_key(world.acme))

    changed = caller.call("PATCH", "/domains/acme.example", {"default_quota": 300})
    wrong = caller.call("PATCH", "/domains/acme.example", {"default_quota": 0})
    made = caller.call("POST", "/mailboxes", {"email": "anna@acme.example", "password_hash": PASSWORD_HASH})

    assert (changed.status_code, changed.json()["default_quota"]) == (200, 300)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/default_quota")
    assert (made.status_code, made.json()["storage_quota"]) == (201, 300)


def test_every_way_to_make_a_mailbox_gives_the_usual_size(world, acme):
    set_domain_defaults(world.as_acme, domain=acme, default_quota_mb=300)
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
