"""Every change of an alias. An alias whose source is a mailbox's address is a forward of that mailbox."""

from collections.abc import Mapping, Sequence
from copy import copy

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from domains.locks import lock_domain, lock_domains
from domains.models import Domain
from mailboxes.addresses import base_address, display_address, domain_of, normalise_source, normalise_target
from mailboxes.alias_arrivals import AliasMeeting, meet_alias
from mailboxes.alias_groups import AliasGroup, group_with
from mailboxes.effective import flags_of_new_aliases, recalculate_addresses
from mailboxes.expansion import MAX_TARGETS, refuse_loops, unfold
from mailboxes.links import targets_of
from mailboxes.mirror import follow_addresses
from mailboxes.models import Alias, Mailbox
from mailboxes.ownership import denied, domain_and_homes, own_addresses
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.inserts import insert_all
from mailhost.operation import operation
from mailhost.said import gettext
from mailhost.said import gettext as _
from mailhost.scope import every_tenant
from tenants.limits import release, reserve


@operation("aliases.create")
def create_alias(actor: Actor, *, source: str, targets: Sequence[str]) -> list[Alias]:
    """Let mail for `source` go to each target too: one row each, in the order given. "*@domain" is a catch-all.

    A target may be anywhere. One under a domain of this server that is no mailbox or alias (yet) gets no mail until
    it is. Raises Refused: invalid_address, unknown_domain, domain_not_verified, alias_domain, targets_required,
    limit_reached, too_many_targets, taken, denied, alias_loop, alias_too_deep.
    """
    source = normalise_source(source)
    wanted = stored_targets(source, targets)
    domain, homes = domain_and_homes(actor, source, wanted, field="source")
    met = meet_alias(source, wanted, domain)
    _refuse_untakeable(source, wanted, met.present)
    rows = [
        Alias(
            domain=domain,
            alias_email=source,
            destination_email=target,
            target_mailbox_id=reader.id if (reader := met.readers.get(base_address(target))) else None,
        )
        for target in wanted
    ]
    if met.stands_alone:
        _write_alone(rows, homes, met)
    else:
        _write_with_all_that_follows(rows)
    for row in rows:
        row.is_first = not met.present
    reserve(domain.owner_path, aliases=int(not met.present))
    return rows


@operation("aliases.set_enabled")
def set_alias_enabled(actor: Actor, *, alias: Alias, enabled: bool) -> Alias:
    """Switch one target of an alias on or off. Raises Refused: not_found, unchanged."""
    alias = _locked(actor, alias)
    if alias.is_enabled == enabled:
        fact = (
            gettext("%(alias)s is switched on already.") if enabled else gettext("%(alias)s is switched off already.")
        )
        raise Refused("unchanged", "enabled", fact % {"alias": alias})
    alias.is_enabled = enabled
    alias.save(update_fields=["is_enabled", "updated_at"])
    recalculate_addresses(follow_addresses(alias.domain_id, [alias.alias_email]))
    alias.refresh_from_db()
    return alias


@operation("aliases.delete")
def delete_alias(actor: Actor, *, alias: Alias) -> None:
    """Delete one target of an alias; with the last one the alias is gone. Raises Refused: not_found."""
    alias = _locked(actor, alias)
    source, domain_id = alias.alias_email, alias.domain_id
    # The row that is deleted loses its number.
    former = copy(alias)
    alias.delete()
    was_last = not _hand_on_id(former)
    if was_last:
        _keep_mail_again(source)
    recalculate_addresses(follow_addresses(domain_id, [source]))
    release(alias.domain.owner_path, aliases=int(was_last))


@operation("aliases.update")
def update_alias(
    actor: Actor, *, alias: AliasGroup, targets: Sequence[str] | None = None, enabled: bool | None = None
) -> AliasGroup:
    """Change an alias as a whole: let it lead to exactly these targets, switch all of them on or off.

    What is not given stays. Raises Refused: not_found, invalid_address, targets_required, too_many_targets,
    alias_loop, alias_too_deep.
    """
    source = alias.rows[0].alias_email
    wanted = stored_targets(source, targets) if targets is not None else alias.targets
    if len(wanted) > MAX_TARGETS:
        raise Refused(
            "too_many_targets",
            "targets",
            gettext("An alias has at most %(max_targets)s targets.") % {"max_targets": MAX_TARGETS},
        )
    rows = _locked_rows(actor, alias, hosted({domain_of(target) for target in wanted}))
    if targets is not None:
        _retarget(rows, wanted, alias.rows[0].domain)
    if enabled is not None:
        rows.exclude(is_enabled=enabled).update(is_enabled=enabled, updated_at=timezone.now())
    touched = follow_addresses(alias.rows[0].domain_id, [source])
    refuse_loops(touched, unfold(touched, targets_of), own_addresses)
    recalculate_addresses(touched)
    return group_with(alias.rows[0])


@operation("aliases.delete")
def delete_aliases(actor: Actor, *, alias: AliasGroup) -> None:
    """Delete an alias with all its targets. Raises Refused: not_found."""
    source = alias.rows[0].alias_email
    rows = _locked_rows(actor, alias)
    domain = alias.rows[0].domain
    rows.delete()
    _keep_mail_again(source)
    recalculate_addresses(follow_addresses(domain.pk, [source]))
    release(domain.owner_path, aliases=1)


def _write_alone(rows: list[Alias], homes: Mapping[str, Domain], met: AliasMeeting) -> None:
    """Write a new alias as daemons read it at once, if no circle closes."""
    source = rows[0].alias_email
    for row, flags in zip(rows, flags_of_new_aliases(rows, homes, met), strict=True):
        for name, value in flags.items():
            setattr(row, name, value)
    _insert(rows)
    refuse_loops([source], unfold([source], met.links_below(targets_of)), own_addresses)


def _write_with_all_that_follows(rows: list[Alias]) -> None:
    """Write a new alias, if no circle closes, its repetitions in alias domains, and what daemons read of all that
    depends on it."""
    _insert(rows)
    touched = follow_addresses(rows[0].domain_id, [rows[0].alias_email])
    refuse_loops(touched, unfold(touched, targets_of), own_addresses)
    recalculate_addresses(touched)
    for row in rows:
        row.refresh_from_db()


def _insert(rows: list[Alias]) -> None:
    try:
        with transaction.atomic():
            insert_all(rows)
    except IntegrityError as error:
        raise Refused(
            "taken",
            "targets",
            gettext("%(source)s leads to one of these already.") % {"source": display_address(rows[0].alias_email)},
        ) from error


def _locked_rows(actor: Actor, alias: AliasGroup, others: Sequence[int] = ()) -> QuerySet[Alias]:
    """Return the alias's rows as they are now, under the lock of its domain. Raises Refused("not_found")."""
    first = alias.rows[0]
    first.domain, _ = lock_domains(actor, first.domain, others)
    rows = Alias.objects.written().filter(alias_email=first.alias_email, domain=first.domain_id)
    if not rows.exists():
        raise Refused("not_found", "", gettext("This alias does not exist."))
    return rows


def _retarget(rows: QuerySet[Alias], wanted: Sequence[str], domain: Domain) -> None:
    """Delete the targets that are not wanted, add those that are missing, leave the others as they are. The alias keeps
    its id, whatever becomes of its oldest row."""
    present = {row.destination_email: row for row in rows}
    one = next(iter(present.values()))
    missing = [target for target in wanted if target not in present]
    mailboxes = mailboxes_at({base_address(target) for target in missing})
    rows.exclude(destination_email__in=wanted).delete()
    Alias.objects.bulk_create(
        Alias(
            # The row, not its id: each new row asks it for its tenant.
            domain=domain,
            alias_email=one.alias_email,
            destination_email=target,
            target_mailbox_id=mailboxes.get(base_address(target)),
            is_enabled=any(row.is_enabled for row in present.values()),
        )
        for target in missing
    )
    oldest = min(present.values(), key=lambda row: row.pk)
    if oldest.destination_email not in wanted:
        _hand_on_id(oldest)


def _hand_on_id(former: Alias) -> bool:
    """Say whether anything is left of the alias that had this row, which is deleted.

    An alias goes by the id of its oldest row, and others have stored that id: the next oldest goes on under it.
    """
    left = Alias.objects.written().filter(alias_email=former.alias_email, domain=former.domain_id)
    oldest = left.order_by("pk").values_list("pk", flat=True).first()
    if oldest is not None and former.pk < oldest:
        Alias.objects.filter(pk=oldest).update(uid=former.uid, created_at=former.created_at)
    return oldest is not None


def _keep_mail_again(source: str) -> None:
    """A mailbox that no longer forwards keeps its mail again."""
    Alias.objects.filter(alias_email=source, is_enabled=False).update(is_enabled=True, updated_at=timezone.now())


def stored_targets(source: str, targets: Sequence[str]) -> list[str]:
    """Return the targets' stored forms, each once. Raises Refused for what can be no target."""
    wanted = list(dict.fromkeys(normalise_target(target) for target in targets))
    if not wanted:
        raise Refused("targets_required", "targets", gettext("Enter at least one address that the mail goes to."))
    for target in wanted:
        if base_address(target) == source:
            raise Refused(
                "alias_loop",
                "targets",
                gettext("%(source)s cannot lead to itself.") % {"source": display_address(source)},
            )
        if domain_of(target) == settings.MAILHOST_HOSTNAME:
            raise Refused(
                "invalid_address",
                "targets",
                gettext("%(target)s is an address of the mail server itself.") % {"target": target},
            )
    return wanted


def _refuse_untakeable(source: str, wanted: list[str], present: list[str]) -> None:
    """Raise Refused for targets that this source cannot take beside those it has."""
    if source in present:
        # Where a denial stands (Alias.is_denial): nothing else leads to itself.
        raise denied(source, "source")
    for target in wanted:
        if target in present:
            message = _("%(source)s leads to %(target)s already.") % {
                "source": display_address(source),
                "target": display_address(target),
            }
            raise Refused("taken", "targets", message)
    if len(present) + len(wanted) > MAX_TARGETS:
        raise Refused(
            "too_many_targets",
            "targets",
            gettext("An alias has at most %(max_targets)s targets.") % {"max_targets": MAX_TARGETS},
        )


def hosted(names: set[str]) -> list[int]:
    """Return the ids of this server's domains among these names, whoever owns them."""
    with every_tenant("a change of an alias waits for changes of the domains it leads to"):
        return list(Domain.objects.filter(owned_name__in=names).values_list("pk", flat=True))


def mailboxes_at(addresses: set[str]) -> dict[str, int]:
    """Return the live mailboxes at these addresses, of whatever tenant: an alias may lead to anybody."""
    with every_tenant("an alias may lead to any mailbox, as any mail may"):
        return dict(Mailbox.objects.live().filter(email__in=addresses).values_list("email", "pk"))


def _locked(actor: Actor, alias: Alias) -> Alias:
    """Return the alias, fresh, under the lock of its domain. Raises Refused("not_found")."""
    domain = lock_domain(actor, alias.domain)
    row = Alias.objects.written().filter(pk=alias.pk).first()
    if row is None:
        raise Refused("not_found", "", gettext("This alias does not exist."))
    row.domain = domain
    return row
