"""What waits in Postfix's queue for a mailbox that is deleted meanwhile never reaches who has its address next."""

import subprocess

import pytest

from domains.operations import delete_domain
from mailboxes.models import Mailbox
from mailboxes.operations import delete_mailbox, restore_mailbox
from tests.mail.client import Post
from tests.mail.conftest import PASSWORD


@pytest.fixture
def mail_stack(private_stack):
    return private_stack


def login(mailbox: Mailbox) -> tuple[str, str]:
    return mailbox.email, PASSWORD


def inbox(post: Post, mailbox: Mailbox) -> list[str]:
    return [message["Message-ID"] for message in post.inbox(login(mailbox))]


def flush(stack) -> None:
    config = stack.info["postfix"]["config_directory"]
    subprocess.run(["/usr/sbin/postqueue", "-c", config, "-f"], check=True)


def test_another_tenant_gets_new_mail_only_and_the_former_goes_back_to_its_sender(post, acme, bolt, private_stack):
    anna, domain = acme.mailbox("anna"), acme.domain
    private_stack.stop("dovecot")
    private = post.deliver(anna.email, body="For the first Anna alone.\n")
    delete_domain(acme.actor, domain=domain)
    bolt.domain = bolt.claim(domain.domain_name, waits=False)
    second = bolt.mailbox("anna")

    private_stack.start("dovecot")
    flush(private_stack)
    bounce = post.left_for_outside(private)
    sent = post.deliver(second.email)
    post.arrived(login(second), sent)

    assert second.email == anna.email
    assert inbox(post, second) == [sent]
    assert f"<{anna.email}>" in bounce.get_body().get_content()


def test_each_of_three_that_had_an_address_gets_its_own(post, acme, private_stack):
    """Also who is restored gets what waited for it, and not what came for others meanwhile."""
    first = acme.mailbox("anna")
    private_stack.stop("dovecot")
    for_first = post.deliver(first.email)
    delete_mailbox(acme.actor, mailbox=first)
    second = acme.mailbox("anna")
    for_second = post.deliver(second.email)
    delete_mailbox(acme.actor, mailbox=second)
    restore_mailbox(acme.actor, mailbox=first)

    private_stack.start("dovecot")
    flush(private_stack)
    post.arrived(login(first), for_first)
    bounce = post.left_for_outside(for_second)
    delete_mailbox(acme.actor, mailbox=first)
    third = acme.mailbox("anna")
    for_third = post.deliver(third.email)
    post.arrived(login(third), for_third)

    assert inbox(post, third) == [for_third]
    assert f"<{first.email}>" in bounce.get_body().get_content()
    delete_mailbox(acme.actor, mailbox=third)
    restore_mailbox(acme.actor, mailbox=first)
    assert inbox(post, first) == [for_first]
