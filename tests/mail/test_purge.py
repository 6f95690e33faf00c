"""A purge removes the mail itself, through the Dovecot that keeps it."""

from pathlib import Path

from mailboxes.arrivals import meet
from mailboxes.models import Mailbox
from mailboxes.operations import delete_mailbox
from mailboxes.purge import remove_folders
from mailhost.scope import every_tenant
from tenants.deletion_operations import delete_tenant, purge_tenant
from tests.mail.conftest import until


def folder(stack, mailbox: Mailbox) -> Path:
    return stack.home / "mail" / mailbox.uid[:2] / mailbox.uid


def rows_of(*mailboxes: Mailbox) -> bool:
    with every_tenant("the test looks"):
        return Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).exists()


def test_no_folder_of_a_purged_tenant_is_left_and_the_neighbours_are(live, post, acme, bolt, operator):
    anna, dora, ben = acme.mailbox("anna"), acme.mailbox("dora"), bolt.mailbox("ben")
    for mailbox in (anna, dora, ben):
        post.arrived((mailbox.email, "correct horse battery staple"), post.deliver(mailbox.email))
    delete_mailbox(acme.actor, mailbox=dora)
    assert all((folder(live, mailbox) / "Maildir").exists() for mailbox in (anna, dora, ben))
    delete_tenant(operator, tenant=acme.tenant)
    assert folder(live, anna).exists()

    purge_tenant(operator, tenant=acme.tenant)
    # The worker does it: the rows go after the folders.
    until(lambda: not rows_of(anna, dora), "the purge")

    # Mail may still wait for them in Postfix's queue.
    met = meet(dict.fromkeys((anna.email, dora.email, ben.email, acme.address("nobody")), 0))
    assert {address for address, one in met.items() if one.was_held} == {anna.email, dora.email, ben.email}
    assert not folder(live, anna).exists()
    assert not folder(live, dora).exists()
    assert folder(live, ben).exists()


def test_a_folder_that_is_not_there_is_passed_over(live):
    remove_folders(["0" * 20, "z" * 20])
