"""Signing keys: every change of them."""

from django.utils import timezone

from dns import dkim
from dns.models import DkimKey, KeyState
from dns.operations import want_tables
from domains.locks import lock_domain
from domains.models import Domain
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.operation import operation

REFRESH_RECORDS = "dns.tasks.refresh_records"


@operation("dkim_keys.ensure")
def ensure_key(actor: Actor, *, domain: Domain) -> DkimKey:
    """Return the key that signs the domain's mail, made now where there is none. Safe to run twice and at once.

    Raises Refused when the domain has been deleted.
    """
    if key := DkimKey.objects.signing().filter(domain=domain).first():
        return key
    # Before the lock: a tenth of a second of processor time, in which nobody else should wait.
    pair = dkim.make_key()
    lock_domain(actor, domain)
    if key := DkimKey.objects.signing().filter(domain=domain).first():
        return key
    key = DkimKey.objects.create(
        domain=domain,
        selector=dkim.new_selector(timezone.now()),
        algorithm=dkim.ALGORITHM,
        private_key=dkim.encrypt(pair.private_pem),
        public_key=pair.public_key,
        fingerprint=dkim.fingerprint(pair.private_pem),
        state=KeyState.ACTIVE,
    )
    later(REFRESH_RECORDS, domain_id=domain.pk)
    want_tables()
    return key
