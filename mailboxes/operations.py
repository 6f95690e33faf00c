"""Every change of a mailbox. Those of aliases stand in `mailboxes.alias_operations`."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import get_language

from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from domains.names import display_name as display_domain
from domains.operations import MAX_QUOTA_MB
from mailboxes.addresses import display_address, normalise_address, normalise_target
from mailboxes.arrivals import Meeting, meet
from mailboxes.effective import flags_of_new, recalculate_addresses
from mailboxes.mirror import follow_addresses
from mailboxes.models import Alias, Mailbox, QuotaUsage, homes
from mailboxes.ownership import denied, domain_for
from mailboxes.passwords import accept_hash, check_password, hash_password, nobodys_hash, verify
from mailboxes.waiting import lead_to
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.inserts import insert
from mailhost.operation import operation
from mailhost.said import gettext as _
from tenants.limits import release, reserve

MAX_DISPLAY_NAME = 120
SWITCHES = ("receives_enabled", "sends_enabled", "imap_enabled", "pop3_enabled", "managesieve_enabled")
# Switches that an open session would outlive.
SESSION_SWITCHES = frozenset({"imap_enabled", "pop3_enabled", "managesieve_enabled"})


@operation("mailboxes.create", secrets=("password", "password_hash"))
def create_mailbox(
    actor: Actor,
    *,
    address: str,
    password: str | None = None,
    password_hash: str | None = None,
    invite_to: str | None = None,
    storage_quota_mb: int | None = None,
    display_name: str = "",
) -> Mailbox:
    """Create a mailbox under a verified domain, with a password, an imported hash of one, or a mail to `invite_to`
    with a link that sets one; without a size it has the domain's usual one.

    Raises Refused: invalid_address, unknown_domain, domain_not_verified, alias_domain, weak_password, invalid_hash,
    password_required, several_passwords, invalid_quota, invalid_display_name, limit_reached, taken, denied.
    """
    address = normalise_address(address)
    wanted = stored_hash(address, password, password_hash, invite_to)
    if storage_quota_mb is not None:
        check_quota(storage_quota_mb)
    check_display_name(display_name)
    domain = domain_for(actor, address, field="address")
    size_mb = size_in(domain, storage_quota_mb)
    met = meet({address: domain.pk})[address]
    if taken := whose(address, met):
        raise taken
    mailbox = Mailbox(
        domain=domain,
        email=address,
        password_hash=wanted,
        display_name=display_name,
        storage_quota=size_mb,
        is_successor=met.was_held,
    )
    try:
        _insert(mailbox, met)
    except IntegrityError as error:
        raise taken_by_mailbox(address) from error
    if invite_to:
        send_invitation(mailbox, invite_to)
    reserve(domain.owner.path, mailboxes=1, storage_mb=size_mb)
    return mailbox


def size_in(domain: Domain, storage_quota_mb: int | None) -> int:
    """Return the size of a new mailbox: the given one, or the domain's usual one. Raises Refused("required")."""
    size_mb = storage_quota_mb or domain.default_quota_mb
    if size_mb is None:
        raise Refused("required", "storage_quota_mb", _("Enter a size: this domain has no usual one."))
    return size_mb


@operation("mailboxes.change_password")
def invite_to_mailbox(actor: Actor, *, mailbox: Mailbox, invite_to: str) -> Mailbox:
    """Send somebody a link with which they set the mailbox's password. The present one works until then.

    Raises Refused: not_found, invalid_address.
    """
    check_invited(mailbox.email, invite_to)
    mailbox = locked_mailbox(actor, mailbox)
    send_invitation(mailbox, invite_to)
    return mailbox


@operation("mailboxes.change_password", secrets=("password", "password_hash"))
def change_password(
    actor: Actor, *, mailbox: Mailbox, password: str | None = None, password_hash: str | None = None
) -> Mailbox:
    """Set a new password, or an imported hash of one; open sessions end.

    Raises Refused: not_found, weak_password, invalid_hash, password_required.
    """
    wanted = stored_hash(mailbox.email, password, password_hash)
    mailbox = locked_mailbox(actor, mailbox)
    mailbox.password_hash = wanted
    mailbox.save(update_fields=["password_hash", "updated_at"])
    later("mailboxes.tasks.end_sessions", address_mask=mailbox.email)
    return mailbox


@operation("mailboxes.update")
def update_mailbox(
    actor: Actor,
    *,
    mailbox: Mailbox,
    display_name: str | None = None,
    storage_quota_mb: int | None = None,
    receives_enabled: bool | None = None,
    sends_enabled: bool | None = None,
    imap_enabled: bool | None = None,
    pop3_enabled: bool | None = None,
    managesieve_enabled: bool | None = None,
    keeps_copy: bool | None = None,
) -> Mailbox:
    """Change what is given and leave the rest. `keeps_copy` is for a mailbox that forwards: whether mail stays too.

    Raises Refused: not_found, invalid_quota, invalid_display_name, limit_reached, no_forward.
    """
    mailbox = locked_mailbox(actor, mailbox)
    given = {
        "display_name": display_name,
        "storage_quota": storage_quota_mb,
        "receives_enabled": receives_enabled,
        "sends_enabled": sends_enabled,
        "imap_enabled": imap_enabled,
        "pop3_enabled": pop3_enabled,
        "managesieve_enabled": managesieve_enabled,
    }
    changes = {name: value for name, value in given.items() if value is not None and value != getattr(mailbox, name)}
    if "storage_quota" in changes:
        check_quota(changes["storage_quota"])
    if "display_name" in changes:
        check_display_name(changes["display_name"])
    growth = changes.get("storage_quota", mailbox.storage_quota) - mailbox.storage_quota
    for name, value in changes.items():
        setattr(mailbox, name, value)
    mailbox.save(update_fields=[*changes, "updated_at"])
    if keeps_copy is not None:
        _set_keeps_copy(mailbox, keeps_copy)
    if keeps_copy is not None or not changes.keys().isdisjoint(SWITCHES):
        recalculate_addresses(follow_addresses(mailbox.domain_id, [mailbox.email]))
    if any(name in SESSION_SWITCHES and not value for name, value in changes.items()):
        later("mailboxes.tasks.end_sessions", address_mask=mailbox.email)
    reserve(mailbox.domain.owner_path, storage_mb=growth)
    mailbox.refresh_from_db()
    return mailbox


@operation("mailboxes.suspend")
def suspend_mailbox(actor: Actor, *, mailbox: Mailbox) -> Mailbox:
    """Close a mailbox to sign-in, sending and new mail; what it holds stays. Raises Refused: not_found, unchanged."""
    mailbox = _set_enabled(actor, mailbox, enabled=False)
    later("mailboxes.tasks.end_sessions", address_mask=mailbox.email)
    return mailbox


@operation("mailboxes.resume")
def resume_mailbox(actor: Actor, *, mailbox: Mailbox) -> Mailbox:
    """Open a suspended mailbox again. Raises Refused: not_found, unchanged."""
    return _set_enabled(actor, mailbox, enabled=True)


@operation("mailboxes.delete")
def delete_mailbox(actor: Actor, *, mailbox: Mailbox) -> Mailbox:
    """Delete a mailbox and its forwards. Its mail is kept for `restore_mailbox`; the address is free at once, and
    aliases that lead to it wait for a mailbox of that name. Raises Refused: not_found."""
    mailbox = locked_mailbox(actor, mailbox)
    mailbox.deleted_at = timezone.now()
    mailbox.save(update_fields=["deleted_at", "updated_at"])
    rows = Alias.objects.filter(domain_id=mailbox.domain_id, alias_email=mailbox.email)
    forwarded = rows.filter(own_mailbox=None).exists()
    rows.delete()
    _forget_usage(mailbox)
    touched = {mailbox.email, *lead_to({mailbox.email: None}, mailbox.deleted_at)}
    recalculate_addresses(touched | follow_addresses(mailbox.domain_id, [mailbox.email]))
    later("mailboxes.tasks.end_sessions", address_mask=mailbox.email)
    release(mailbox.domain.owner_path, mailboxes=1, storage_mb=mailbox.storage_quota, aliases=int(forwarded))
    mailbox.refresh_from_db()
    return mailbox


@operation("mailboxes.restore")
def restore_mailbox(actor: Actor, *, mailbox: Mailbox) -> Mailbox:
    """Bring a deleted mailbox back with its mail and password. Its forwards were deleted for good.

    One whose domain was deleted comes back once its tenant has added and verified the name again.
    Raises Refused: not_found, unchanged, domain_deleted, frozen, limit_reached, taken.
    """
    domain = lock_domain(actor, _home_of(mailbox))
    refuse_frozen(domain)
    mailbox = Mailbox.objects.filter(pk=mailbox.pk).first() or missing_mailbox()
    if mailbox.deleted_at is None:
        raise Refused("unchanged", "", _("%(email)s is not deleted.") % {"email": display_address(mailbox.email)})
    refuse_taken(mailbox.email)
    mailbox.deleted_at = None
    mailbox.domain = domain
    try:
        with transaction.atomic():
            mailbox.save(update_fields=["deleted_at", "domain", "updated_at"])
    except IntegrityError as error:
        raise taken_by_mailbox(mailbox.email) from error
    _open_address(mailbox)
    reserve(domain.owner_path, mailboxes=1, storage_mb=mailbox.storage_quota)
    return mailbox


def stored_hash(address: str, password: str | None, password_hash: str | None, invite_to: str | None = None) -> str:
    """Return what is stored for a password, for the hash of one, or until an invited person has set one.

    Raises Refused: weak_password, invalid_hash, invalid_address, password_required, several_passwords.
    """
    if sum(map(bool, (password, password_hash, invite_to))) > 1:
        message = _("Give a password, the hash of one, or an address to invite; not several of them.")
        raise Refused("several_passwords", "password", message)
    if password_hash:
        return accept_hash(password_hash)
    if invite_to:
        check_invited(address, invite_to)
        return nobodys_hash()
    if not password:
        raise Refused("password_required", "password", _("Enter a password."))
    check_password(password, address=address)
    return hash_password(password)


def check_invited(address: str, invite_to: str) -> None:
    """Raise Refused("invalid_address", "invite_to", …) for what cannot read the invitation to this mailbox."""
    if normalise_target(invite_to, field="invite_to") == address:
        message = _("The link cannot go to the mailbox itself: nobody can sign in there yet. Name another address.")
        raise Refused("invalid_address", "invite_to", message)


def send_invitation(mailbox: Mailbox, invite_to: str) -> None:
    later(
        "mailboxes.tasks.send_invitation",
        mailbox_id=mailbox.pk,
        to=normalise_target(invite_to),
        language=get_language(),
    )


def is_set(mailbox: Mailbox, *, password: str | None = None, password_hash: str | None = None) -> bool:
    """Whether this is the mailbox's password, or the hash that is stored of it, already."""
    return mailbox.password_hash == password_hash if password_hash else verify(password or "", mailbox.password_hash)


def check_quota(storage_quota_mb: int) -> None:
    """Raise Refused("invalid_quota", …) unless this is a size in MB; there is no unlimited mailbox."""
    if not 1 <= storage_quota_mb <= MAX_QUOTA_MB:
        raise Refused(
            "invalid_quota",
            "storage_quota_mb",
            _("The size of a mailbox is 1 to %(max_quota_mb)s MB.") % {"max_quota_mb": MAX_QUOTA_MB},
        )


def check_display_name(name: str) -> None:
    """Raise Refused("invalid_display_name", …) for what cannot stand before an address in a header."""
    if len(name) > MAX_DISPLAY_NAME:
        raise Refused(
            "invalid_display_name",
            "display_name",
            _("A name has at most %(max_display_name)s characters.") % {"max_display_name": MAX_DISPLAY_NAME},
        )
    if not name.isprintable():
        raise Refused("invalid_display_name", "display_name", _("A name has no line breaks or control characters."))


def taken_by_mailbox(address: str) -> Refused:
    return Refused(
        "taken",
        "address",
        _("There is a mailbox %(address)s already. Choose another name.") % {"address": display_address(address)},
    )


def taken_by_alias(address: str) -> Refused:
    shown = display_address(address)
    return Refused(
        "taken",
        "address",
        _("%(shown)s is an alias already. Delete the alias or choose another name.") % {"shown": shown},
    )


def whose(address: str, met: Meeting) -> Refused | None:
    """Return why an address that meets this is not free, or None."""
    if met.is_denied:
        return denied(address)
    if met.is_mailbox:
        return taken_by_mailbox(address)
    return taken_by_alias(address) if met.is_alias else None


def missing_mailbox() -> Mailbox:
    raise Refused("not_found", "", _("This mailbox does not exist."))


def refuse_taken(address: str) -> None:
    """Raise Refused("taken", …) when the address is somebody's already: each mailbox has a row of its own there."""
    rows = list(Alias.objects.filter(alias_email=address).values_list("own_mailbox", "is_denial"))
    if any(is_denial for _owner, is_denial in rows):
        raise denied(address)
    if rows:
        raise taken_by_alias(address) if {owner for owner, _is in rows} == {None} else taken_by_mailbox(address)


def _insert(mailbox: Mailbox, met: Meeting) -> None:
    """Write a new mailbox and its own row as daemons read them at once; let follow what follows its address."""
    own_row = opened(mailbox)
    insert(mailbox)
    if met.was_used:
        _forget_usage(mailbox)
    own_row.own_mailbox_id = own_row.target_mailbox_id = mailbox.pk
    insert(own_row)
    if met.is_awaited:
        _let_follow(mailbox)


def _open_address(mailbox: Mailbox) -> None:
    """Let the address answer: its own row, the alias domains' rows, the aliases that wait for it."""
    _forget_usage(mailbox)
    own_row(mailbox).save(force_insert=True)
    _let_follow(mailbox)


def opened(mailbox: Mailbox) -> Alias:
    """Give a new mailbox the flags that daemons read, and return its own row with its flags; neither is saved."""
    flags, of_own_row = flags_of_new(mailbox)
    for name, value in flags.items():
        setattr(mailbox, name, value)
    return own_row(mailbox, **of_own_row)


def own_row(mailbox: Mailbox, **flags: bool) -> Alias:
    """Return the row by which a mailbox answers for its address. It is not saved."""
    return Alias(
        domain=mailbox.domain,
        alias_email=mailbox.email,
        destination_email=mailbox.email,
        own_mailbox=mailbox,
        target_mailbox=mailbox,
        queued_as=mailbox.queued_as,
        **flags,
    )


def _let_follow(mailbox: Mailbox) -> None:
    touched = lead_to({mailbox.email: mailbox.pk}, timezone.now())
    recalculate_addresses(touched | follow_addresses(mailbox.domain_id, [mailbox.email]))
    mailbox.refresh_from_db()


def _forget_usage(mailbox: Mailbox) -> None:
    """Drop Dovecot's figure: it stands under the address, which other mailboxes may have had or may get."""
    QuotaUsage.objects.filter(username=mailbox.email).delete()


def locked_mailbox(actor: Actor, mailbox: Mailbox) -> Mailbox:
    """Return the live mailbox, fresh, under the lock of its domain. Raises Refused("not_found")."""
    domain = lock_domain(actor, mailbox.domain)
    row = Mailbox.objects.live().filter(pk=mailbox.pk).first() or missing_mailbox()
    row.domain = domain
    return row


def _home_of(mailbox: Mailbox) -> Domain:
    """Return the domain that a deleted mailbox comes back to. Raises Refused: not_found, domain_deleted."""
    row = Mailbox.objects.filter(pk=mailbox.pk).select_related("domain").first() or missing_mailbox()
    home = homes().filter(owned_name=row.domain.domain_name, tenant_id=row.domain.tenant_id).first()
    if home is None:
        shown = display_domain(row.domain.domain_name)
        raise Refused(
            "domain_deleted",
            "",
            _("The domain %(shown)s was removed. Restore it, or add it again and verify it first.") % {"shown": shown},
        )
    return home


def _set_enabled(actor: Actor, mailbox: Mailbox, *, enabled: bool) -> Mailbox:
    mailbox = locked_mailbox(actor, mailbox)
    if mailbox.is_enabled == enabled:
        fact = _("%(address)s is open already.") if enabled else _("%(address)s is suspended already.")
        raise Refused("unchanged", "", fact % {"address": display_address(mailbox.email)})
    mailbox.is_enabled = enabled
    mailbox.save(update_fields=["is_enabled", "updated_at"])
    recalculate_addresses(follow_addresses(mailbox.domain_id, [mailbox.email]))
    mailbox.refresh_from_db()
    return mailbox


def _set_keeps_copy(mailbox: Mailbox, keeps_copy: bool) -> None:
    rows = Alias.objects.filter(alias_email=mailbox.email)
    if not keeps_copy and not rows.written().exists():
        raise Refused(
            "no_forward",
            "keeps_copy",
            _("%(email)s forwards to nobody, so its mail stays here.") % {"email": display_address(mailbox.email)},
        )
    Alias.objects.filter(own_mailbox=mailbox).update(is_enabled=keeps_copy, updated_at=timezone.now())
