"""Keys, records and the signer's files: every change of them."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from dns import dkim, lookup
from dns.models import DkimKey, DnsRecord, KeyState, SigningGeneration, Status
from dns.records import ExpectedRecord, SigningKey, expected_records
from dns.signing import SigningRow
from dns.signing_folder import Outcome, SigningFolder
from dns.verdict import judge
from domains.locks import lock_domain
from domains.models import Domain
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.operation import operation
from mailhost.scope import every_tenant

log = structlog.get_logger(__name__)

# By name, because mailconfig/ stands above this app.
PARAMETERS = "mailconfig.parameters.Parameters"
WRITE_TABLES = "dns.tasks.write_signing_tables"
REFRESH_RECORDS = "dns.tasks.refresh_records"
CHECK_RECORDS = "dns.tasks.check_records"
THE_GENERATION = 1
BATCH = 500


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


@operation("records.refresh")
def refresh_records(actor: Actor, *, domain: Domain) -> Domain:
    """Make `mail_dns_records` say what the domain should publish now. A changed record is unchecked again."""
    lock_domain(actor, domain)
    keys = DkimKey.objects.shown_in_dns().filter(domain=domain).values_list("selector", "public_key")
    expected = {
        (record.purpose, record.record_type, record.name): record
        for record in expected_records(
            domain.domain_name,
            challenge=domain.challenge,
            mail_host=settings.MAILHOST_HOSTNAME,
            keys=[SigningKey(*key) for key in keys],
        )
    }
    standing = {(row.purpose, row.record_type, row.name): row for row in DnsRecord.objects.of_domain(domain)}
    DnsRecord.objects.filter(pk__in=[row.pk for place, row in standing.items() if place not in expected]).delete()
    DnsRecord.objects.bulk_create(
        DnsRecord(domain=domain, **columns(record)) for place, record in expected.items() if place not in standing
    )
    changed = [row for place, row in standing.items() if place in expected and is_different(row, expected[place])]
    for row in changed:
        record = expected[(row.purpose, row.record_type, row.name)]
        row.value, row.priority, row.ttl, row.necessity = record.value, record.priority, record.ttl, record.necessity
        row.status, row.found, row.problem, row.updated_at = Status.NOT_CHECKED, [], "", timezone.now()
    DnsRecord.objects.bulk_update(
        changed, ["value", "priority", "ttl", "necessity", "status", "found", "problem", "updated_at"]
    )
    return domain


@operation("records.check")
def check_records(actor: Actor, *, domain: Domain) -> Domain:
    """Have the domain's records looked up in DNS soon, in the background."""
    later(CHECK_RECORDS, domain_id=domain.pk)
    return domain


def observe_records(domain: Domain, *, now: datetime) -> None:
    """Look up the domain's records and note what was found: an observation, so it leaves no audit record.

    A failure of DNS never turns a good verdict bad: the former one stays, with the reason beside it.
    """
    rows = list(DnsRecord.objects.of_domain(domain))
    answers = lookup.look_up_all((row.name, row.record_type) for row in rows)
    for row in rows:
        answer = answers[row.name, row.record_type]
        verdict = judge(expected_of(row), answer)
        row.problem = verdict.problem[:500]
        if answer.is_temporary and row.status not in {Status.NOT_CHECKED, Status.TEMPORARY_FAILURE}:
            continue
        row.status, row.found, row.last_checked_at = verdict.status, list(answer.values), now
    DnsRecord.objects.bulk_update(rows, ["status", "found", "problem", "last_checked_at"])


def write_signing_tables(*, thorough: bool = False) -> Outcome:
    """Make the signer's files follow from the database as a whole, and have OpenDKIM read them.

    `thorough` also reads every key file. Raises OSError or SigningFault with the former files whole.
    """
    parameters = import_string(PARAMETERS).from_settings()
    folder = SigningFolder(parameters.dkim_dir, parameters.opendkim_pid_file)
    with every_tenant("the signer's files follow from the domains of all tenants"), folder.locked():
        destroy_keys_of_deleted_domains()
        # Read before the rows: a change that commits after this line is of a later generation, and wakes a writer
        # of its own, which waits for the lock and then reads it.
        generation = wanted_generation()
        outcome = folder.write(signing_rows(), private_parts, thorough=thorough)
        SigningGeneration.objects.filter(pk=THE_GENERATION, written__lte=generation).update(
            written=generation, written_at=timezone.now()
        )
    if outcome.is_changed or outcome.skipped:
        log.info("signing_tables_written", generation=generation, domains=outcome.domains, skipped=outcome.skipped)
    return outcome


def want_tables() -> None:
    """Ask, in the transaction of a change, that the signer's files follow it.

    Comes last in an operation: the one row of the generation is locked until the commit.
    """
    if not SigningGeneration.objects.filter(pk=THE_GENERATION).update(wanted=F("wanted") + 1):
        try:
            with transaction.atomic():
                SigningGeneration.objects.create(pk=THE_GENERATION, wanted=1)
        except IntegrityError:
            SigningGeneration.objects.filter(pk=THE_GENERATION).update(wanted=F("wanted") + 1)
    later(WRITE_TABLES)


def wanted_generation() -> int:
    row, _ = SigningGeneration.objects.get_or_create(pk=THE_GENERATION)
    return row.wanted


def reencrypt_private_keys() -> int:
    """Encrypt every private part under the first of MAILHOST_DKIM_KEYS. Returns how many there were.

    Raises UnusableKey, with nothing changed, when one of them cannot be decrypted.
    """
    with every_tenant("an encryption key is taken out of use"), transaction.atomic():
        keys = list(DkimKey.objects.exclude(private_key="").select_for_update().order_by("pk"))
        for key in keys:
            key.private_key = dkim.reencrypt(key.private_key)
        DkimKey.objects.bulk_update(keys, ["private_key"], batch_size=BATCH)
    return len(keys)


def destroy_keys_of_deleted_domains() -> None:
    """Wipe the private parts of domains that were deleted, so that a former owner's key cannot come back."""
    deleted = list(DkimKey.objects.of_deleted_domains().values_list("pk", flat=True))
    if deleted:
        DkimKey.objects.filter(pk__in=deleted).update(
            private_key="", fingerprint="", state=KeyState.RETIRED, updated_at=timezone.now()
        )


def signing_rows() -> list[SigningRow]:
    """Return every key whose file belongs on the signer; the active ones sign.

    Suspension takes no domain out: the password, the sender map and the guard stop its people, and the first message
    after it is lifted must be signed even while no worker runs.
    """
    rows = DkimKey.objects.on_signers().values_list(
        "pk",
        "domain__domain_name",
        "selector",
        "fingerprint",
        "state",
    )
    return [
        SigningRow(key_id, name, selector, mark, signs=state == KeyState.ACTIVE)
        for key_id, name, selector, mark, state in rows
    ]


def private_parts(rows: list[SigningRow]) -> Iterator[tuple[SigningRow, bytes | dkim.UnusableKey]]:
    """Return the checked PEM of each row, or why it is unusable; a few hundred rows in memory at a time."""
    for start in range(0, len(rows), BATCH):
        some = {row.key_id: row for row in rows[start : start + BATCH]}
        for key_id, token, public_key in DkimKey.objects.filter(pk__in=some).values_list(
            "pk", "private_key", "public_key"
        ):
            yield some[key_id], checked_private_part(some[key_id], token, public_key)


def checked_private_part(row: SigningRow, token: str, public_key: str) -> bytes | dkim.UnusableKey:
    try:
        pem = dkim.decrypt(token)
        dkim.check_private_key(pem, public_key)
    except dkim.UnusableKey as error:
        return error
    return pem if dkim.fingerprint(pem) == row.fingerprint else dkim.UnusableKey("it is not the key of this row")


def columns(record: ExpectedRecord) -> dict[str, object]:
    return {
        "purpose": record.purpose,
        "record_type": record.record_type,
        "name": record.name,
        "value": record.value,
        "priority": record.priority,
        "ttl": record.ttl,
        "necessity": record.necessity,
    }


def is_different(row: DnsRecord, record: ExpectedRecord) -> bool:
    return (row.value, row.priority, row.ttl, row.necessity) != (
        record.value,
        record.priority,
        record.ttl,
        record.necessity,
    )


def expected_of(row: DnsRecord) -> ExpectedRecord:
    """Return the record that the row asks for, as the rules take it."""
    return ExpectedRecord(row.purpose, row.record_type, row.name, row.value, row.necessity, row.priority, row.ttl)
