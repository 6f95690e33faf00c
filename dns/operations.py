"""The signer's files follow from the database: every change of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from dns import dkim
from dns.models import DkimKey, KeyState, Signer, SigningChange, SigningGeneration
from dns.signing import SigningRow
from dns.signing_folder import LOCK_TIMEOUT_SECONDS, KeysOf, Outcome, SigningFolder
from mailhost.background import later
from mailhost.failpoints import failpoint
from mailhost.scope import every_tenant

log = structlog.get_logger(__name__)

# By name, because mailconfig/ stands above this app.
PARAMETERS = "mailconfig.parameters.Parameters"
WRITE_TABLES = "dns.tasks.write_signing_tables"
PUBLISH_KEYS = "dns.tasks.publish_keys"
THE_GENERATION = 1
BATCH = 500
# So many rewrites may follow each other without a pause.
AT_ONCE = 3
# More changed domains than this are no fewer than all, by the time they take.
MOST_CHANGES = 1000
KEPT_CHANGES = 10_000


class Resting(Exception):
    """Many changes come together: they are to be written in one go, in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next rewrite is due in {seconds:.1f} s")
        self.seconds = seconds


def write_signing_tables(
    *, thorough: bool = False, now: datetime | None = None, patience: float = LOCK_TIMEOUT_SECONDS
) -> Outcome:
    """Make this host's signer follow from the database as a whole, and destroy what deleted domains left.

    `thorough` also reads every file. Raises Resting, and OSError or SigningFault with the former files whole.
    """
    now = now or timezone.now()
    failpoint("between commit and writing")
    parameters = import_string(PARAMETERS).from_settings()
    with every_tenant("a deleted domain's keys are destroyed, whoever's it was"):
        destroy_keys_of_deleted_domains(None if thorough else changed_domains(written_generation(parameters.hostname)))
    return follow_database(parameters, thorough=thorough, now=now, patience=patience)


def follow_database(
    parameters: Any, *, thorough: bool, now: datetime, patience: float = LOCK_TIMEOUT_SECONDS
) -> Outcome:
    """Make the files of one mail host's signer (`mailconfig.parameters`) say what the database says, have OpenDKIM
    read them, and note how far it is. The database user needs no more than `dns.signer_rights`.

    A signer that is a few changes behind has just those written; else the whole set is made anew. Raises Resting,
    OSError and SigningFault.
    """
    signer, _ = Signer.objects.get_or_create(name=parameters.hostname)
    # Read before the rows: a change that commits after this line is of a later generation, and wakes a writer of its
    # own, which waits for the lock and then reads it.
    generation = wanted_generation()
    if generation > signer.written:
        rest(signer, timedelta(seconds=parameters.signer_rest_seconds), now)
    folder = SigningFolder.of(parameters)
    with every_tenant("the signer's files follow from the domains of all tenants"), folder.locked(patience):
        generation = wanted_generation()
        outcome = None
        since = written_generation(signer.name)
        names = None if thorough else changed_domains(since, generation)
        if names is not None:
            outcome = folder.change(names, keys_of(names), private_parts, since=since, generation=generation)
        if outcome is None:
            outcome = folder.write(signing_rows(), private_parts, thorough=thorough, generation=generation)
        note_outcome(signer, generation, outcome, timedelta(seconds=parameters.signer_rest_seconds), now)
    if outcome.is_changed or outcome.skipped:
        log.info("signing_tables_written", generation=generation, domains=outcome.domains, skipped=outcome.skipped)
    return outcome


def is_up_to_date(name: str) -> bool:
    """Say whether this host's signer has all that is wanted, so that there is nothing to write."""
    signer = Signer.objects.filter(name=name).first()
    return signer is not None and not signer.problem and signer.loaded >= wanted_generation()


def rest(signer: Signer, pause: timedelta, now: datetime) -> None:
    """Raise Resting when this signer has rewritten its tables too often lately.

    The first few changes are written at once, a stream of them once in each pause: a thousand domains added within a
    minute make eleven rewrites.
    """
    if signer.paced_until and (wait := signer.paced_until - (AT_ONCE - 1) * pause - now) > timedelta():
        raise Resting(wait.total_seconds())


def note_outcome(signer: Signer, generation: int, outcome: Outcome, pause: timedelta, now: datetime) -> None:
    columns: dict[str, Any] = {"written": generation, "domains": outcome.domains, "checked_at": now}
    if outcome.is_changed:
        columns |= {"written_at": now, "paced_until": max(signer.paced_until or now, now) + pause}
    if outcome.is_loaded:
        columns["loaded"] = generation
    problem = outcome.problem
    columns |= {"problem": problem, "failing_since": (signer.failing_since or now) if problem else None}
    Signer.objects.filter(pk=signer.pk, written__lte=generation).update(**columns)


def note_fault(name: str, fault: Exception, now: datetime) -> None:
    """Raise the alarm of a signer whose files could not be written."""
    log.error("signing_tables_not_written", signer=name, reason=fault_text(fault))
    Signer.objects.get_or_create(name=name)
    Signer.objects.filter(name=name).update(
        problem=fault_text(fault), failing_since=Coalesce("failing_since", Value(now, DateTimeField())), checked_at=now
    )


def fault_text(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"[:500]


def want_tables(domain_name: str = "") -> None:
    """Ask, in the transaction of a change, that the signer's files follow it; name the domain if it is a single one.

    Comes last in an operation: the one row of the generation is locked until the commit.
    """
    next_one = {"wanted": F("wanted") + 1, "wanted_at": timezone.now()}
    with transaction.atomic(savepoint=False):
        if not SigningGeneration.objects.filter(pk=THE_GENERATION).update(**next_one):
            try:
                with transaction.atomic():
                    SigningGeneration.objects.create(pk=THE_GENERATION, wanted=1, wanted_at=timezone.now())
            except IntegrityError:
                SigningGeneration.objects.filter(pk=THE_GENERATION).update(**next_one)
        SigningChange.objects.create(generation=wanted_generation(), domain_name=domain_name)
        later(WRITE_TABLES)


def wanted_generation() -> int:
    return SigningGeneration.objects.filter(pk=THE_GENERATION).values_list("wanted", flat=True).first() or 0


def written_generation(name: str) -> int:
    return Signer.objects.filter(name=name).values_list("written", flat=True).first() or 0


def changed_domains(since: int, until: int | None = None) -> set[str] | None:
    """Return the domains whose keys changed after one generation and until another (the newest, by default).

    None when nothing did, when that is not known of every change, or when they are too many to be worth it.
    """
    until = wanted_generation() if until is None else until
    changes = SigningChange.objects.filter(generation__gt=since, generation__lte=until).order_by("generation")
    names = list(changes.values_list("domain_name", flat=True)[: MOST_CHANGES + 1])
    if not 0 < len(names) <= MOST_CHANGES or len(names) != until - since or "" in names:
        return None
    return set(names)


def forget_changes() -> None:
    """Forget changes that are long written. A signer that is further behind makes its whole set anew."""
    SigningChange.objects.filter(generation__lte=wanted_generation() - KEPT_CHANGES).delete()


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


def destroy_keys_of_deleted_domains(names: set[str] | None) -> None:
    """Wipe the private parts of domains (of these names, or all) that were deleted, so that a former owner's key
    cannot come back."""
    deleted = DkimKey.objects.of_deleted_domains()
    if names is not None:
        deleted = deleted.filter(domain__domain_name__in=names)
    deleted = list(deleted.values_list("pk", "domain_id", "by_alias"))
    if deleted:
        DkimKey.objects.filter(pk__in=[pk for pk, _domain, _by_alias in deleted]).update(
            private_key="", fingerprint="", state=KeyState.RETIRED, updated_at=timezone.now()
        )
    for domain_id in sorted({domain_id for _pk, domain_id, by_alias in deleted if by_alias}):
        later(PUBLISH_KEYS, domain_id=domain_id)


def signing_rows() -> list[SigningRow]:
    """Return every key whose file belongs on the signer; the active ones sign.

    Suspension takes no domain out: the password, the sender map and the guard stop its people, and the first message
    after it is lifted must be signed even while no worker runs.
    """
    return rows_of(DkimKey.objects.on_signers())


def keys_of(names: set[str]) -> KeysOf:
    """Return what the signer is to have of these domains, and the files of keys that it may have had."""
    keys = DkimKey.objects.filter(domain__domain_name__in=names)
    return KeysOf(rows_of(keys.on_signers()), {row.file_name for row in rows_of(keys)})


def rows_of(keys: QuerySet) -> list[SigningRow]:
    columns = keys.values_list("pk", "domain__domain_name", "selector", "fingerprint", "state")
    return [
        SigningRow(key_id, name, selector, mark, signs=state == KeyState.ACTIVE)
        for key_id, name, selector, mark, state in columns.iterator(chunk_size=BATCH)
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
