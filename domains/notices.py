"""Notices about a domain: a row for its page, a mail to who answers for it, and an event for programs."""

from django.utils.module_loading import import_string

from domains.models import Domain, DomainNotice
from mailhost.background import later
from mailhost.said import Said

MAIL_NOTICE = "domains.tasks.mail_notice"
# By name, because it stands above this app.
OUTBOX = "webhooks.outbox.tell_notice"


def tell(domain: Domain, event: str, text: Said) -> DomainNotice:
    """Tell the owners and admins of the domain's tenant, and the programs that listen, once the present transaction has
    committed.

    `event` is one of those in docs/dns.md ("domain.failing"); `text` is one or two sentences for people, who each read
    it in their own language.
    """
    notice = DomainNotice.objects.create(domain=domain, event=event, text=text[:1000], said=text.kept)
    later(MAIL_NOTICE, notice_id=notice.pk)
    import_string(OUTBOX)(notice)
    return notice
