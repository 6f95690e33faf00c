"""Background work on keys and records: ids in, one operation each, safe to run twice."""

import structlog
from django.conf import settings
from django.utils import timezone

from accounts.actors import system_actor
from dns import host_operations, key_operations, key_zone, operations, publishing_operations, record_operations
from dns.models import HostState
from dns.operations import WRITE_TABLES
from dns.signing import FolderHeld, SigningFault
from dns.zone_writing import NotPublished
from domains.models import Domain
from mailhost.background import Again, later
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant

log = structlog.get_logger(__name__)

# A full disk is mended by people: the tables should follow soon after.
TRY_AGAIN_SECONDS = 15
# Who waits for another writer, of files or of a zone, keeps a worker from all else: it comes back instead.
PATIENCE_SECONDS, COME_BACK_SECONDS = 0.5, 2
DKIM = "DKIM keys"


def make_key(domain_id: int) -> None:
    """Give the domain a signing key where it has none."""
    if domain := live_domain(domain_id):
        key_operations.ensure_key(system_actor(domain.tenant, DKIM), domain=domain)


def refresh_records(domain_id: int) -> None:
    """Write down what the domain should publish."""
    if domain := live_domain(domain_id):
        record_operations.refresh_records(system_actor(domain.tenant, "DNS records"), domain=domain)


def check_records(domain_id: int) -> None:
    """Look up what one domain does publish."""
    if domain := live_domain(domain_id):
        with every_tenant("the records of one domain, by its id"):
            record_operations.observe_records([domain], now=timezone.now())


def check_due_records() -> None:
    """Look up the domains whose time has come, batch after batch."""
    with every_tenant("the records of all tenants are looked up by the clock"):
        while domains := record_operations.claim_due_domains(timezone.now()):
            record_operations.observe_records(domains, now=timezone.now())


def publish_records(domain_id: int) -> Again | None:
    """Put what has changed into the zone of a domain that is published automatically."""
    domain = live_domain(domain_id)
    if domain is None:
        return None
    fault = ""
    try:
        publishing_operations.publish_by_itself(system_actor(domain.tenant, "DNS publishing"), domain=domain)
    except Refused as refused:
        fault = refused.code
        log.info("records_not_published", domain=domain_id, code=fault, reason=refused.message)
    if fault == "under_way":
        return Again(COME_BACK_SECONDS)
    with every_tenant("how it went in one domain's zone, by its id"):
        publishing_operations.note_by_itself(domain, fault, timezone.now())
    return None


def settle_publications() -> None:
    """Find out what came of publications that failed or were killed on the way."""
    for domain_id in publishing_operations.domains_cut_off(timezone.now()):
        domain = live_domain(domain_id)
        if domain is None:
            publishing_operations.forget_intents(domain_id)
            continue
        try:
            publishing_operations.settle_publication(system_actor(domain.tenant, "DNS publishing"), domain=domain)
        except Refused as refused:
            log.info("publication_not_settled", domain=domain_id, code=refused.code, reason=refused.message)
            if refused.code in {"not_connected", "not_found"}:
                publishing_operations.forget_intents(domain_id)


def mail_host_notice(host_id: int) -> None:
    """Tell the operators that the mail host's records went wrong, or are right again."""
    with every_tenant("the operators are told of the installation's own host"):
        if state := HostState.objects.filter(pk=host_id).first():
            host_operations.mail_host_notice(state)


def publish_keys(domain_id: int) -> Again | None:
    """Put a domain's keys into the operator's zone, where its aliases end; of a deleted domain, take them out."""
    try:
        with every_tenant("the keys of one domain, by its id, perhaps a deleted one's"):
            key_zone.publish_keys(domain_id)
    except NotPublished as error:
        log.warning("keys_not_published", domain=domain_id, reason=str(error))
        return Again(TRY_AGAIN_SECONDS, fault=str(error))
    return None


def activate_key(domain_id: int) -> None:
    """Let the key that DNS shows sign."""
    if domain := live_domain(domain_id):
        key_operations.activate_key(system_actor(domain.tenant, DKIM), domain=domain, now=timezone.now())


def turn_keys() -> None:
    """Retire keys whose time is over, and begin rotations that are due."""
    now = timezone.now()
    for key in key_operations.keys_to_retire(now):
        try:
            key_operations.retire_key(system_actor(key.domain.tenant, DKIM), key=key, now=now)
        except Refused as refused:
            log.info("key_not_retired", domain=key.domain_id, code=refused.code)
    for domain in key_operations.domains_to_rotate(now):
        try:
            key_operations.rotate_key(system_actor(domain.tenant, DKIM), domain=domain)
        except Refused as refused:
            log.info("key_not_rotated", domain=domain.pk, code=refused.code)


def write_signing_tables(thorough: bool = False) -> Again | None:
    """Write OpenDKIM's files. Runs on the signer's queue, as the user that owns them."""
    now = timezone.now()
    if not thorough and operations.is_up_to_date(settings.MAILHOST_HOSTNAME):
        return None
    try:
        operations.write_signing_tables(thorough=thorough, now=now, patience=PATIENCE_SECONDS)
    except operations.Resting as resting:
        return Again(resting.seconds)
    except FolderHeld:
        return Again(COME_BACK_SECONDS)
    except (OSError, SigningFault) as fault:
        operations.note_fault(settings.MAILHOST_HOSTNAME, fault, now)
        return Again(TRY_AGAIN_SECONDS, fault=operations.fault_text(fault))
    return None


def reconcile_signing_tables() -> None:
    """Have the signer compare all its files with the database and mend them, unless it has that before it already."""
    operations.forget_changes()
    if not Job.objects.filter(task=WRITE_TABLES, arguments={"thorough": True}, finished_at=None).exists():
        later(WRITE_TABLES, thorough=True)


def live_domain(domain_id: int) -> Domain | None:
    """Return the domain with its tenant; None, with a line in the log, when either has been deleted since."""
    with every_tenant("a task knows a domain by its id alone"):
        domain = Domain.objects.tended().filter(pk=domain_id).first()
    if domain is None:
        log.info("domain_gone", domain=domain_id)
    return domain
