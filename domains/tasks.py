"""Background work on claims and proof: ids in, one operation each, safe to run twice."""

import structlog
from django.utils import timezone

from accounts.actors import system_actor
from domains import notice_mail, operations, proof_operations, removal_operations
from domains.models import Domain, DomainNotice
from domains.proof_operations import LABEL
from mailhost.errors import Refused
from mailhost.scope import every_tenant

log = structlog.get_logger(__name__)


def verify_domain(domain_id: int) -> None:
    """Verify a claim whose proof a check has seen, before anybody presses the button."""
    with every_tenant("a task knows a domain by its id alone"):
        domain = Domain.objects.live().select_related("tenant").filter(pk=domain_id, verified_at=None).first()
    if domain is None:
        return
    try:
        operations.verify_domain(system_actor(domain.tenant, LABEL), domain=domain)
    except Refused as refused:
        log.info("claim_not_verified", domain=domain_id, code=refused.code)


def settle_proofs() -> None:
    """End the domains whose proof has been gone for the grace, and decide contested names."""
    now = timezone.now()
    for domain in proof_operations.lapsed_domains(now):
        try:
            proof_operations.withdraw_proof(system_actor(domain.tenant, LABEL), domain=domain, now=now)
        except Refused as refused:
            log.info("proof_not_withdrawn", domain=domain.pk, code=refused.code)
    for claim in proof_operations.ripe_claims(now):
        try:
            proof_operations.settle_claim(system_actor(claim.tenant, LABEL), claim=claim, now=now)
        except Refused as refused:
            log.info("claim_not_settled", domain=claim.pk, code=refused.code)


def forget_removed() -> None:
    """Forget what was kept of domains that nobody can restore any more."""
    removal_operations.forget_removed(timezone.now())


def mail_notice(notice_id: int) -> None:
    """Mail a notice to those who answer for the domain."""
    with every_tenant("a task knows a notice by its id alone"):
        notice = (
            DomainNotice.objects.select_related("domain__tenant__brand").filter(pk=notice_id, mailed_at=None).first()
        )
        if notice is not None:
            notice_mail.send(notice)
            DomainNotice.objects.filter(pk=notice_id).update(mailed_at=timezone.now())
