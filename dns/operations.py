"""The signer's files follow from the database: every change of them."""

from collections.abc import Iterator

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from dns import dkim
from dns.models import DkimKey, KeyState, SigningGeneration
from dns.signing import SigningRow
from dns.signing_folder import Outcome, SigningFolder
from mailhost.background import later
from mailhost.scope import every_tenant

log = structlog.get_logger(__name__)

# By name, because mailconfig/ stands above this app.
PARAMETERS = "mailconfig.parameters.Parameters"
WRITE_TABLES = "dns.tasks.write_signing_tables"
THE_GENERATION = 1
BATCH = 500


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
