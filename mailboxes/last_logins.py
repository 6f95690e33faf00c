"""Newest sign-ins, from where Dovecot notes them to where the panel reads them.

Dovecot's last_login plugin sets one Redis key for each address and service (deploy/dovecot, `last_login_key`).
A key that has been stored is deleted, so a run costs what signed in since the last one, not what exists.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from redis import Redis

from mailboxes.models import LastLogin, Mailbox

PREFIX = "dovecot/last-login/"
BATCH = 500
# Only what is still as it was read: a sign-in meanwhile stays for the next run.
FORGET = """
for number, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[number] then redis.call('DEL', key) end
end
"""


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
    newest: dict[str, tuple[int, str]] = {}
    for key, value in noted.items():
        address, _, service = key.decode(errors="replace").removeprefix(PREFIX).rpartition("/")
        if value.isdigit():
            newest[address] = max(newest.get(address, (0, "")), (int(value), service[:20]))
    mailboxes = Mailbox.objects.live().filter(email__in=newest).values_list("pk", "email", "created_at")
    rows = [
        LastLogin(mailbox_id=pk, at=datetime.fromtimestamp(newest[email][0], UTC), service=newest[email][1])
        for pk, email, created_at in mailboxes
        # Dovecot notes whole seconds. What is older was the sign-in of the address's former mailbox.
        if newest[email][0] >= int(created_at.timestamp())
    ]
    # Locks in one order, should two runs meet.
    rows.sort(key=lambda row: row.mailbox_id)
    LastLogin.objects.bulk_create(rows, update_conflicts=True, update_fields=["at", "service"])
