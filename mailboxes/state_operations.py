"""Making a tenant's domains, mailboxes and aliases what a document says, as one act."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domains.locks import lock_domains
from domains.models import Domain
from domains.operations import create_domain, delete_domain, set_domain_enabled
from mailboxes import state
from mailboxes.alias_groups import AliasGroup, group_of_new
from mailboxes.alias_operations import create_alias, delete_aliases, update_alias
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox, delete_mailbox, resume_mailbox, suspend_mailbox, update_mailbox
from mailboxes.state import CHANGE, CREATE, DELETE, Change, Item
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import gettext as _
from tenants.models import Tenant


@operation("state.apply", secrets=("wanted",))
def apply_state(
    actor: Actor, *, tenant: Tenant, wanted: Mapping[str, Sequence[Item]], may_delete: bool
) -> list[Change]:
    """Make the tenant's state the wanted one, all or nothing, and return what was done for it, in that order.

    Raises Refused: deletes_refused unless `may_delete`, too_large, and whatever one of the changes raises, with its
    place in the document as the field.
    """
    inside = lock_state(actor, tenant)
    changes = state.plan(state.read(tenant), wanted)
    deletes = [change for change in changes if change.action == DELETE]
    if deletes and not may_delete:
        named = ", ".join(change.name for change in deletes[:5])
        raise Refused(
            "deletes_refused",
            "",
            _("This would delete %(count)s of what there is (%(named)s). Ask for it with deletes=true.")
            % {"count": len(deletes), "named": named},
        )
    for change in changes:
        try:
            ACTS[change.action, change.section](inside, change)
        except Refused as refused:
            place = ".".join(filter(None, [change.place, NAMES_HERE.get(refused.field, refused.field)]))
            raise Refused(refused.code, place, refused.message) from refused
    # Whether a copy stays can be said only of a mailbox that forwards, so after the aliases.
    for change in changes:
        if change.section == state.MAILBOXES and "keeps_copy" in change.fields:
            _keep_copy(inside, change)
    return changes


def lock_state(actor: Actor, tenant: Tenant) -> Actor:
    """Keep what is in the tenant's domains as it is until the transaction ends. Return the actor as whoever changes it:
    what is made belongs to the tenant that the document is about. Raises Refused("not_found")."""
    if not actor.tenant_path == tenant.path[: len(actor.tenant_path)]:
        raise Refused("not_found", "", _("This account does not exist."))
    inside = replace(actor, tenant_id=tenant.pk, tenant_path=tenant.path)
    domains = list(Domain.objects.live().filter(tenant=tenant).order_by("pk"))
    if domains:
        lock_domains(inside, domains[0], [domain.pk for domain in domains])
    return inside


# What an operation calls otherwise than the document does.
NAMES_HERE = {"address": "email", "storage_quota_mb": "storage_quota"}


def _domain(name: str, actor: Actor) -> Domain:
    return Domain.objects.live().get(domain_name=name, tenant_id=actor.tenant_id)


def _mailbox(name: str) -> Mailbox:
    return Mailbox.objects.live().select_related("domain").get(email=name)


def _alias(name: str) -> AliasGroup:
    return AliasGroup(tuple(Alias.objects.listed().filter(alias_email=name)))


def _create_domain(actor: Actor, change: Change) -> None:
    main = change.fields.get("alias_of")
    domain = create_domain(actor, name=change.name, alias_of=_main(main, actor) if main else None)
    if change.fields.get("enabled") is False:
        set_domain_enabled(actor, domain=domain, enabled=False)


def _main(name: str, actor: Actor) -> Domain:
    domain = Domain.objects.live().filter(domain_name=name, tenant_id=actor.tenant_id).first()
    if domain is None:
        raise Refused(
            "unknown_domain", "alias_of", _("%(name)s is not among the domains. Add it first.") % {"name": name}
        )
    return domain


def _change_domain(actor: Actor, change: Change) -> None:
    if "alias_of" in change.fields:
        raise Refused("fixed", "alias_of", _("What a domain follows cannot be changed. Delete it and add it again."))
    set_domain_enabled(actor, domain=_domain(change.name, actor), enabled=change.fields["enabled"])


def _delete_domain(actor: Actor, change: Change) -> None:
    delete_domain(actor, domain=_domain(change.name, actor))


def _create_mailbox(actor: Actor, change: Change) -> None:
    fields = dict(change.fields)
    mailbox = create_mailbox(
        actor,
        address=change.name,
        storage_quota_mb=fields.pop("storage_quota", None),
        display_name=fields.pop("display_name", ""),
        **change.secrets,
    )
    # The rest is as a new mailbox has it, unless said otherwise.
    _set(actor, mailbox, {name: value for name, value in fields.items() if value is False})


def _change_mailbox(actor: Actor, change: Change) -> None:
    _set(actor, _mailbox(change.name), change.fields)


def _set(actor: Actor, mailbox: Mailbox, fields: Mapping) -> None:
    settings = {name: value for name, value in fields.items() if name != "keeps_copy"}
    enabled = settings.pop("enabled", mailbox.is_enabled)
    if "storage_quota" in settings:
        settings["storage_quota_mb"] = settings.pop("storage_quota")
    if settings:
        mailbox = update_mailbox(actor, mailbox=mailbox, **settings)
    if enabled != mailbox.is_enabled:
        (resume_mailbox if enabled else suspend_mailbox)(actor, mailbox=mailbox)


def _keep_copy(actor: Actor, change: Change) -> None:
    mailbox = Mailbox.objects.live().select_related("domain", "own_row").get(email=change.name)
    if mailbox.own_row.is_enabled != change.fields["keeps_copy"]:
        try:
            update_mailbox(actor, mailbox=mailbox, keeps_copy=change.fields["keeps_copy"])
        except Refused as refused:
            raise Refused(refused.code, f"{change.place}.{refused.field}", refused.message) from refused


def _delete_mailbox(actor: Actor, change: Change) -> None:
    delete_mailbox(actor, mailbox=_mailbox(change.name))


def _create_alias(actor: Actor, change: Change) -> None:
    rows = create_alias(actor, source=change.name, targets=change.fields["targets"])
    if change.fields.get("enabled") is False:
        update_alias(actor, alias=group_of_new(rows), enabled=False)


def _change_alias(actor: Actor, change: Change) -> None:
    update_alias(actor, alias=_alias(change.name), **change.fields)


def _delete_alias(actor: Actor, change: Change) -> None:
    delete_aliases(actor, alias=_alias(change.name))


ACTS = {
    (CREATE, state.DOMAINS): _create_domain,
    (CHANGE, state.DOMAINS): _change_domain,
    (DELETE, state.DOMAINS): _delete_domain,
    (CREATE, state.MAILBOXES): _create_mailbox,
    (CHANGE, state.MAILBOXES): _change_mailbox,
    (DELETE, state.MAILBOXES): _delete_mailbox,
    (CREATE, state.ALIASES): _create_alias,
    (CHANGE, state.ALIASES): _change_alias,
    (DELETE, state.ALIASES): _delete_alias,
}
