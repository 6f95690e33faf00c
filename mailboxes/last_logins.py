"""Newest sign-ins, from where Dovecot notes them to where the panel reads them.

Dovecot's last_login plugin sets one Redis key for each address and service (deploy/dovecot, `last_login_key`), and
for each app password that was used (`mailboxes.lookups`, `app_passdb`). Of sign-ins by SMTP the guard sets them
(`guard.sign_ins`), because no session of Dovecot's follows those.
A key that has been stored is deleted, so a run costs what signed in since the last one, not what exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis

from mailboxes.models import AppPassword, LastLogin, Mailbox, SignIn

# As deploy/dovecot names them (`dict`): what stands before every key of Dovecot's, and how long one is kept.
DICT = "dovecot/"
KEPT_SECONDS = 7 * 24 * 3600
LAST_LOGIN = "last-login/"
PREFIX = DICT + LAST_LOGIN
BATCH = 500
# Only what is still as it was read: a sign-in meanwhile stays for the next run.
FORGET = """
for number, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[number] then redis.call('DEL', key) end
end
"""


def key_of(address: str, service: str) -> str:
    """Return the key of a sign-in with the mailbox's own password, as deploy/dovecot names it (`last_login_key`)."""
    return f"{LAST_LOGIN}{address}/{service}"


def store_last_logins(redis: Redis) -> int:
    """Move every noted sign-in into `mail_last_logins`; return how many were noted. Safe to run twice."""
    forget = redis.register_script(FORGET)
    count = 0
    for keys in _batches(redis):
        noted = {key: value for key, value in zip(keys, redis.mget(keys), strict=True) if value is not None}
        _store(noted)
        if noted:
            forget(keys=list(noted), args=list(noted.values()))
        count += len(noted)
    return count


def _batches(redis: Redis) -> Iterator[list[bytes]]:
    keys: list[bytes] = []
    for key in redis.scan_iter(match=f"{PREFIX}*", count=BATCH):
        keys.append(key)
        if len(keys) == BATCH:
            yield keys
            keys = []
    if keys:
        yield keys


def _store(noted: dict[bytes, bytes]) -> None:
    signs = [sign for key, value in noted.items() if value.isdigit() and (sign := _read(key, value))]
    mailboxes = {
        email: (pk, int(created_at.timestamp()))
        for pk, email, created_at in Mailbox.objects.live()
        .filter(email__in={sign.address for sign in signs})
        .values_list("pk", "email", "created_at")
    }
    # Dovecot notes whole seconds. What is older was the sign-in of the address's former mailbox.
    signs = [sign for sign in signs if sign.address in mailboxes and sign.at >= mailboxes[sign.address][1]]
    newest: dict[int, Sign] = {}
    by_service: dict[tuple[int, str], Sign] = {}
    for sign in sorted(signs, key=lambda sign: sign.at):
        mailbox_id, _ = mailboxes[sign.address]
        newest[mailbox_id] = by_service[mailbox_id, sign.service] = sign
    # Locks in one order, should two runs meet.
    LastLogin.objects.bulk_create(
        [LastLogin(mailbox_id=pk, at=sign.moment, service=sign.service) for pk, sign in sorted(newest.items())],
        update_conflicts=True,
        update_fields=["at", "service"],
    )
    SignIn.objects.bulk_create(
        [SignIn(mailbox_id=pk, service=service, at=sign.moment) for (pk, service), sign in sorted(by_service.items())],
        update_conflicts=True,
        update_fields=["at"],
    )
    _store_uses({sign.selector: sign for sign in sorted(signs, key=lambda sign: sign.at) if sign.selector})


def _store_uses(newest: dict[str, "Sign"]) -> None:
    """Note the newest use of each app password."""
    if not newest:
        return
    rows = []
    for row in AppPassword.objects.filter(selector__in=newest).select_related("mailbox").order_by("pk"):
        sign = newest[row.selector]
        if row.mailbox.email == sign.address:
            row.last_used_at, row.last_used_by = sign.moment, sign.service
            rows.append(row)
    AppPassword.objects.bulk_update(rows, ["last_used_at", "last_used_by"])


@dataclass(frozen=True)
class Sign:
    """One noted sign-in; `selector` is the app password's that was used, if any was."""

    address: str
    service: str
    selector: str
    at: int

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def _read(key: bytes, value: bytes) -> Sign | None:
    address, service, selector, *more = [*key.decode(errors="replace").removeprefix(PREFIX).split("/"), "", ""]
    return Sign(address, service[:20], selector, int(value)) if service and not any(more) else None
