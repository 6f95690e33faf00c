import pytest

from mailboxes.operations import resume_mailbox, suspend_mailbox
from mailhost.errors import NotPermitted, Refused
from mailhost.models import Job
from tenants.models import Kind
from tenants.operations import create_tenant, resume_tenant, suspend_tenant
from tests.world import a_mailbox, an_alias, fresh, routes, senders, verified_domain

FLAGS = ("is_active", "may_receive", "may_smtp", "may_imap", "may_pop3", "may_sieve")


@pytest.fixture
def anna(world):
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    return mailbox


def true_flags(mailbox) -> set[str]:
    row = fresh(mailbox)
    return {name for name in FLAGS if getattr(row, name)}


def jobs(task: str) -> list[dict]:
    return list(Job.objects.filter(task=task).order_by("pk").values_list("arguments", flat=True))


def test_everything_stops_for_everyone_below(world, anna):
    suspend_tenant(world.as_operator, tenant=world.rita, reason="unpaid")

    acme = fresh(world.acme)
    assert (acme.may_sign_in, acme.may_send, acme.may_receive) == (False, False, False)
    assert not acme.is_suspended
    assert true_flags(anna) == set()
    assert (fresh(anna.domain).is_active, fresh(anna.domain).is_verified) == (False, False)
    assert routes("sales@acme.example") == senders("sales@acme.example") == senders("anna@acme.example") == []


@pytest.mark.parametrize(
    ("block", "left"),
    [
        ("sign_in", {"may_receive"}),
        ("sending", {"is_active", "may_receive", "may_imap", "may_pop3", "may_sieve"}),
        ("receiving", {"may_smtp", "may_imap", "may_pop3", "may_sieve"}),
    ],
)
def test_one_block_leaves_the_rest(world, anna, block, left):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=[block], reason="abuse")

    assert true_flags(anna) == left
    assert fresh(anna.domain).is_verified == (block != "receiving")
    assert routes("anna@acme.example") == ([] if block == "receiving" else ["anna@acme.example"])
    assert senders("sales@acme.example") == (["anna@acme.example"] if "may_smtp" in left else [])


def test_resuming_restores_exactly_what_was(world, anna):
    bert = a_mailbox(world.as_acme, "bert@acme.example")
    suspend_mailbox(world.as_acme, mailbox=bert)
    before = {mailbox: true_flags(mailbox) for mailbox in (anna, bert)}
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    resume_tenant(world.as_rita, tenant=world.acme)

    assert {mailbox: true_flags(mailbox) for mailbox in (anna, bert)} == before
    acme = fresh(world.acme)
    assert (acme.suspension_reason, acme.suspension_note, acme.suspended_at) == ("", "", None)
    assert senders("sales@acme.example") == ["anna@acme.example"]


def test_a_suspension_above_outlives_one_below(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")
    suspend_tenant(world.as_operator, tenant=world.rita, blocks=["sending"], reason="spam")

    resume_tenant(world.as_rita, tenant=world.acme)

    assert "may_smtp" not in true_flags(anna)
    assert "may_imap" in true_flags(anna)


def test_a_mailbox_changed_meanwhile_stays_closed(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    suspend_mailbox(world.as_acme, mailbox=anna)
    resume_mailbox(world.as_acme, mailbox=anna)

    assert true_flags(anna) == set()


def test_the_neighbour_notices_nothing(world, anna):
    verified_domain(world.as_bolt, "bolt.example")
    bob = a_mailbox(world.as_bolt, "bob@bolt.example")

    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    assert true_flags(bob) == set(FLAGS)


def test_an_alias_elsewhere_stops_accepting_for_a_suspended_mailbox(world, anna):
    verified_domain(world.as_bolt, "bolt.example")
    an_alias(world.as_bolt, "friend@bolt.example", "anna@acme.example")
    an_alias(world.as_bolt, "friend2@bolt.example", "sales@acme.example")

    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")
    stopped = routes("friend@bolt.example") + routes("friend2@bolt.example")
    resume_tenant(world.as_rita, tenant=world.acme)

    assert stopped == []
    assert routes("friend@bolt.example") == ["anna@acme.example"]
    assert routes("friend2@bolt.example") == ["sales@acme.example"]


def test_a_tenant_that_begins_with_the_same_digits_is_not_below(world):
    # "/1/5/" must not hold "/1/50/".
    children = [
        create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name=f"Shop {n}") for n in range(12)
    ]

    for child in children:
        suspend_tenant(world.as_rita, tenant=child, reason="unpaid")
        alike = [each for each in children if each != child and str(each.pk).startswith(str(child.pk))]
        assert all(fresh(each).may_smtp for each in alike)
        resume_tenant(world.as_rita, tenant=child)


def test_sessions_end(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    assert jobs("mailboxes.tasks.end_sessions_of_tenant") == [{"tenant_id": world.acme.pk}]


def test_blocked_sending_ends_no_session(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sending"], reason="spam")

    assert jobs("mailboxes.tasks.end_sessions_of_tenant") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"reason": ""}, "invalid_reason"),
        ({"reason": "unfriendly"}, "invalid_reason"),
        ({"reason": "unpaid", "note": "x" * 501}, "invalid_note"),
        ({"reason": "other", "note": "  "}, "invalid_note"),
        ({"reason": "spam", "blocks": []}, "invalid_blocks"),
        ({"reason": "spam", "blocks": ["everything"]}, "invalid_blocks"),
    ],
)
def test_a_suspension_without_sense_is_refused(world, arguments, code):
    with pytest.raises(Refused) as refused:
        suspend_tenant(world.as_rita, tenant=world.acme, **arguments)

    assert refused.value.code == code


def test_nobody_suspends_or_frees_themselves(world):
    suspend_tenant(world.as_operator, tenant=world.rita, blocks=["sending"], reason="spam")

    for act, arguments in ((suspend_tenant, {"reason": "requested"}), (resume_tenant, {})):
        with pytest.raises(Refused) as refused:
            act(world.as_rita, tenant=fresh(world.rita), **arguments)
        assert refused.value.code == "own_tenant"


def test_a_customer_and_a_sibling_cannot(world):
    with pytest.raises(NotPermitted):
        suspend_tenant(world.as_bolt, tenant=world.acme, reason="abuse")
    other = create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Other")

    with pytest.raises(Refused) as refused:
        suspend_tenant(world.as_rita, tenant=other, reason="abuse")

    assert refused.value.code == "not_found"


def test_resuming_what_is_not_suspended_is_refused(world):
    with pytest.raises(Refused) as refused:
        resume_tenant(world.as_rita, tenant=world.acme)

    assert refused.value.code == "unchanged"


def test_a_reseller_neither_lifts_nor_rewrites_what_the_operator_suspended(world, anna):
    suspend_tenant(world.as_operator, tenant=world.acme, reason="legal", note="Court order.")

    for act in (
        lambda: resume_tenant(world.as_rita, tenant=world.acme),
        lambda: suspend_tenant(world.as_rita, tenant=world.acme, blocks=["receiving"], reason="spam"),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "suspended_above"
        assert "Court order." in refusal.value.message
    assert true_flags(anna) == set()

    resume_tenant(world.as_operator, tenant=world.acme)

    assert true_flags(anna) == set(FLAGS)
    assert fresh(world.acme).suspended_by_path is None


def test_the_operator_takes_over_a_resellers_suspension(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    suspend_tenant(world.as_operator, tenant=world.acme, reason="legal", note="Court order.")

    with pytest.raises(Refused, match="Court order"):
        resume_tenant(world.as_rita, tenant=world.acme)


def test_a_colleague_lifts_what_another_of_the_same_account_suspended(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    resume_tenant(world.actor(world.rita, "admin"), tenant=world.acme)

    assert true_flags(anna) == set(FLAGS)
