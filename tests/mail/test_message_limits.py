"""The messages that a plan allows, held by the real Postfix: what is too many is put off, and never lost."""

import smtplib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from mailhost.scope import every_tenant
from tenants import messages
from tenants.models import SentMessages
from tenants.plan_operations import assign_plan, create_plan
from tests.mail.client import written


def allow(operator, customer, **limits: int) -> None:
    plan = create_plan(operator, name=f"For {customer.domain}", limits=limits)
    assign_plan(operator, tenant=customer.tenant, plan=plan)


def answer(post, login, *recipients: str) -> tuple[int, str]:
    """Return what the end of a message is answered."""
    try:
        post.submit(login, written(login[0], recipients[0]), *recipients)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error.decode()
    return 250, ""


def test_messages_beyond_the_limit_are_put_off_in_words_and_each_recipient_counts(post, acme, bolt, operator):
    anna, bob = acme.login("anna"), bolt.login("bob")
    allow(operator, acme, messages_per_day=3)

    first = answer(post, anna, bob[0], "x@elsewhere.example")
    too_many = answer(post, anna, bob[0], "y@elsewhere.example")
    last = answer(post, anna, bob[0])
    code, words = answer(post, anna, bob[0])

    assert (first[0], too_many[0], last[0], code) == (250, 450, 250, 450)
    assert words.startswith("4.7.1 The limit is 3 messages a day, once for each recipient: 3 were sent")
    assert "and this is 2 more" in too_many[1]
    assert answer(post, bob, anna[0])[0] == 250


def test_many_sessions_at_once_send_what_is_left_and_no_more(post, acme, bolt, operator):
    anna, bob = acme.login("anna"), bolt.login("bob")
    allow(operator, acme, messages_per_day=7)

    def submit(_) -> int:
        return answer(post, anna, bob[0])[0]

    with ThreadPoolExecutor(20) as people:
        codes = list(people.map(submit, range(20)))

    assert (codes.count(250), codes.count(450)) == (7, 13)


def test_what_is_refused_or_breaks_off_counts_for_nobody(post, acme, bolt, operator):
    anna, bob = acme.login("anna"), bolt.login("bob")
    allow(operator, acme, messages_per_day=2)
    # Now the guard knows whose the message is, and begins to count before the text comes.
    assert answer(post, anna, bob[0])[0] == 250

    with pytest.raises(smtplib.SMTPDataError) as refused:
        post.submit(anna, written(bob[0], bob[0]), sender=anna[0])
    with post.submission(anna) as session:
        session.mail(anna[0])
        session.rcpt(bob[0])
        assert session.docmd("DATA")[0] == 354
        session.close()

    assert refused.value.smtp_code == 550
    # It takes Postfix a moment to see that nothing more will come.
    deadline = time.monotonic() + 30
    while answer(post, anna, bob[0])[0] != 250:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert answer(post, anna, bob[0])[0] == 450


def test_what_was_sent_stands_in_the_usage_of_the_tenant(post, acme, settings, monkeypatch):
    # The guard counts under the names of the installation, not under those of this test's worker.
    monkeypatch.setitem(settings.CACHES["default"], "KEY_PREFIX", "")
    anna = acme.login("anna")

    answer(post, anna, "x@elsewhere.example", "y@elsewhere.example")
    messages.store(timezone.now())

    with every_tenant("a test looks"):
        assert list(SentMessages.objects.filter(tenant=acme.tenant).values_list("messages", flat=True)) == [2]
