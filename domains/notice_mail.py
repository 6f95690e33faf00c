"""A notice about a domain as a mail to its tenant's owners and admins."""

from django.core.mail import get_connection
from django.urls import reverse

from domains.models import DomainNotice
from domains.names import display_name
from mailhost.mail import letter
from tenants.brands import dress_of
from tenants.models import Member, Role

ANSWERABLE = (Role.OWNER, Role.ADMIN)


def send(notice: DomainNotice) -> int:
    """Mail the notice to each person by itself, so that nobody sees who else is told. Returns to how many.

    Raises OSError or SMTPException when the mail server does not take it.
    """
    domain = notice.domain
    members = Member.objects.filter(tenant_id=domain.tenant_id, role__in=ANSWERABLE).select_related("user")
    dress = dress_of(domain.tenant)
    link = f"{dress.panel}{reverse('domain', args=[domain.uid])}"
    subject = f"{display_name(domain.domain_name)}: {SUBJECTS.get(notice.event, 'a notice about your domain')}"
    body = f"{notice.text}\n\nThe domain in the panel: {link}\n" + (f"\n{dress.footer}\n" if dress.footer else "")
    messages = [
        letter(address, subject, body, sender=dress.name if dress.is_own else "", reply_to=dress.support)
        for address in sorted({member.user.email for member in members})
    ]
    return get_connection().send_messages(messages) or 0 if messages else 0


SUBJECTS = {
    "domain.verified": "ownership is proven",
    "domain.proof_lapsed": "the ownership record is gone",
    "domain.proof_restored": "the ownership record is back",
    "domain.lost": "it takes no mail any more",
    "domain.contested": "another account claims it",
    "domain.claim_contested": "it is held by another account",
    "domain.claim_ended": "your claim has ended",
    "domain.contest_ended": "it stays yours",
    "domain.taken_over": "it has gone to another account",
    "domain.failing": "a DNS record is missing",
    "domain.recovered": "all DNS records are back",
}
