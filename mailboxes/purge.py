"""The end of mail: folders are removed for good."""

from collections.abc import Iterable, Sequence

from django.utils.module_loading import import_string

from mailboxes import doveadm
from mailboxes.arrivals import digest_of
from mailboxes.connection import PARAMETERS
from mailboxes.models import FormerAddress, Mailbox, QuotaUsage
from mailhost.scope import every_tenant, subtree

# So many folders go with one request; each may hold gigabytes.
BATCH = 20
PATIENCE_SECONDS = 600


def remove_mail(tenant_path: str) -> None:
    """Remove the mail of every mailbox of a tenant and of those below it, deleted ones too.

    Raises doveadm.Refusal, or OSError when Dovecot does not answer: nothing else knows where the mail is, so the
    purge waits.
    """
    with every_tenant("the mail of a purged tenant is hidden from everybody"):
        rows = Mailbox.objects.filter(subtree("domain__tenant__path", tenant_path))
        uids = list(rows.order_by("pk").values_list("uid", flat=True))
        addresses = list(rows.filter(is_live=1).values_list("email", flat=True))
        held = set(rows.values_list("email", flat=True))
    # Before the rows go: mail may wait for them in Postfix's queue, and nobody who comes after may get it.
    gone = [FormerAddress(digest=digest_of(address)) for address in sorted(held)]
    FormerAddress.objects.bulk_create(gone, batch_size=1000, ignore_conflicts=True)
    remove_folders(uids)
    for start in range(0, len(addresses), 1000):
        QuotaUsage.objects.filter(username__in=addresses[start : start + 1000]).delete()


def remove_folders(uids: Sequence[str]) -> None:
    """Remove the folders of these mailboxes; one that is not there is passed over.

    Dovecot does it: it alone may, and it stands where the mail is.
    """
    root = import_string(PARAMETERS).from_settings().mail_root
    for start in range(0, len(uids), BATCH):
        paths = [f"{root}/{uid[:2]}/{uid}" for uid in uids[start : start + BATCH]]
        present = [path for path, found in zip(paths, _answers("fsStat", paths), strict=True) if found]
        _answers("fsDelete", present, recursive=True)


def _answers(command: str, paths: Iterable[str], *, recursive: bool = False) -> list[bool]:
    """Ask about each path, and return whether it is there."""
    # "dirs": without it Dovecot's posix driver leaves empty folders behind.
    files = {"fsDriver": "posix", "fsArgs": "dirs"}
    options = {"recursive": True} if recursive else {}
    asked = [[command, {**files, **options, "path": [path] if recursive else path}, path] for path in paths]
    found = []
    for kind, detail, path in doveadm.ask(asked, timeout_seconds=PATIENCE_SECONDS) if asked else []:
        if kind == "error" and detail.get("exitCode") != doveadm.NOT_FOUND:
            raise doveadm.Refusal(f"doveadm {command} {path}: {detail}")
        found.append(kind != "error")
    return found
