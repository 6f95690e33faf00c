"""A test message into a mailbox: it goes the way of all our mail, through Postfix, and is looked for where it lands."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import get_language

from longwork.models import LongWork
from longwork.works import begin
from mailboxes.addresses import display_address
from mailboxes.models import Mailbox
from mailboxes.operations import locked_mailbox
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.fields import new_uid
from mailhost.operation import operation
from mailhost.said import gettext as _

WORK = "mailboxes.works.try_delivery"
KIND = "mailboxes.test"
MOST_AN_HOUR = 20
# Before each look into the mailbox; together as long as somebody waits before a page.
PAUSES_SECONDS = (0.3, 0.3, 0.5, 0.5, 1, 1, 1, 2, 2, 2, 3, 3, 3)


@operation("mailboxes.send_test")
def send_test_message(actor: Actor, *, mailbox: Mailbox) -> tuple[Mailbox, LongWork]:
    """Have a message of ours sent to a mailbox in the background and looked for there; return the work that does it,
    too. Raises Refused: not_found, frozen, not_receiving, too_many_tests.
    """
    mailbox = locked_mailbox(actor, mailbox)
    if not mailbox.may_receive:
        raise Refused(
            "not_receiving",
            "mailbox",
            _("%(address)s takes no mail now: it or its domain is switched off, or the domain is not proven.")
            % {"address": display_address(mailbox.email)},
        )
    sent = LongWork.objects.filter(
        tenant_id=actor.tenant_id, kind=KIND, created_at__gt=timezone.now() - timedelta(hours=1)
    )
    if sent.count() >= MOST_AN_HOUR:
        raise Refused(
            "too_many_tests",
            "",
            _("At most %(most)s test messages an hour are sent. Try again later.") % {"most": MOST_AN_HOUR},
        )
    return mailbox, begin(
        actor,
        WORK,
        kind=KIND,
        # One step sends, and each look is one.
        total=1 + len(PAUSES_SECONDS),
        mailbox_id=mailbox.pk,
        token=new_uid(),
        language=get_language() or "",
    )
