"""A mailbox whose address was another's before is a mailbox like any other."""

import time

import pytest

from mailboxes.explain import explain_recipient
from mailboxes.models import Mailbox, QuotaUsage
from mailboxes.operations import delete_mailbox, suspend_mailbox
from mailhost.scope import tenant_scope
from tests.mail.client import written
from tests.mail.conftest import PASSWORD

VACATION = """require "vacation";
vacation :days 1 :subject "Away" "I am away.";
"""


@pytest.fixture
def anna(acme) -> Mailbox:
    delete_mailbox(acme.actor, mailbox=acme.mailbox("anna"))
    return acme.mailbox("anna")


def test_mail_reaches_it_by_every_name_it_has(post, acme, anna):
    second = acme.claim(f"second-{acme.domain.domain_name}", alias_of=acme.domain)
    acme.alias("sales", anna.email)
    acme.alias("*", acme.mailbox("bob").email)
    names = [anna.email, "ANNA@" + acme.domain.domain_name, acme.address("anna+shop"), acme.address("sales")]

    for name in [*names, f"anna@{second.domain_name}"]:
        assert post.arrived((anna.email, PASSWORD), post.deliver(name))
    with tenant_scope(acme.tenant.path):
        assert explain_recipient(acme.address("sales")).delivered_to == [anna.email]
        assert QuotaUsage.objects.get(username=anna.email).messages == 5


def test_it_sends_and_answers_under_its_own_address(post, acme, bolt, anna, filters):
    bob = bolt.login("bob")
    filters(anna.email, VACATION)

    post.arrived((anna.email, PASSWORD), post.submit(bob, written(bob[0], anna.email)))
    deadline = time.monotonic() + 20
    while not (answers := [message for message in post.inbox(bob) if message["Subject"] == "Away"]):
        assert time.monotonic() < deadline, "no vacation reply came"
        time.sleep(0.1)
    post.arrived(bob, post.submit((anna.email, PASSWORD), written(anna.email, bob[0])))

    assert [message["From"].addresses[0].addr_spec for message in answers] == [anna.email]


def test_under_its_name_in_the_queue_nobody_writes_to_it(post, acme, anna):
    acme.alias("*", acme.mailbox("bob").email)
    suspend_mailbox(acme.actor, mailbox=anna)

    assert post.answer_to(anna.queued_as)[0] == 550
    assert post.answer_to(anna.email)[0] == 550
