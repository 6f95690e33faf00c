"""A notice about a domain as a mail to its tenant's owners and admins."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from domains.models import DomainNotice
from domains.names import display_name
from mailhost.mail import compose, deliver
from tenants.brands import dress_of
from tenants.models import Member, Role

ANSWERABLE = (Role.OWNER, Role.ADMIN)


def send(notice: DomainNotice) -> int:
    """Mail the notice to each person by itself, so that nobody sees who else is told. Returns to how many.

    Raises OSError or SMTPException when the mail server does not take it.
    """
    domain = notice.domain
    members = Member.objects.filter(tenant_id=domain.tenant_id, role__in=ANSWERABLE, user__is_active=True)
    dress = dress_of(domain.tenant)
    told = {
        "notice": notice,
        "name": display_name(domain.domain_name),
        "subject": SUBJECTS.get(notice.event, _("a notice about your domain")),
        "link": f"{dress.panel}{reverse('domain', args=[domain.uid])}",
    }
    languages = {member.user.email: member.user.language for member in members.select_related("user")}
    messages = [
        compose("domains/mail/notice.txt", email, told, dress, language=languages[email]) for email in sorted(languages)
    ]
    return deliver(messages)


SUBJECTS = {
    "domain.verified": _("ownership is proven"),
    "domain.proof_lapsed": _("the ownership record is gone"),
    "domain.proof_restored": _("the ownership record is back"),
    "domain.lost": _("it takes no mail any more"),
    "domain.contested": _("another account claims it"),
    "domain.claim_contested": _("it is held by another account"),
    "domain.claim_ended": _("your claim has ended"),
    "domain.contest_ended": _("it stays yours"),
    "domain.taken_over": _("it has gone to another account"),
    "domain.failing": _("a DNS record is missing"),
    "domain.recovered": _("all DNS records are back"),
    "domain.publishing_failing": _("its records cannot be published"),
    "domain.server_lame": _("a name server does not answer"),
    "domain.server_recovered": _("the name server's trouble is over"),
}
