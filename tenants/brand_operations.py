"""Every change of a brand: of the actor's own tenant alone, shown to everybody below it that has none of its own."""

import ipaddress
import re
import secrets
from collections.abc import Iterable

import idna
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant, subtree
from mailhost.waiting import waiting
from tenants.brands import panel_host, pointing
from tenants.colours import DARK, LIGHT, checked
from tenants.locks import lock_branch
from tenants.logos import drawn_anew
from tenants.models import Brand, BrandLogo, Tenant
from tenants.operations import check_name

# By name, because dns/ stands above this app: (name, record type) → dns.answers.Answer.
LOOK_UP = "dns.lookup.look_up"
MAX_BRAND_NAME, MAX_TEXT = 60, 300
HOST = re.compile(r"(?=.{4,253}\Z)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?=[a-z0-9-]*[a-z])(?!-)[a-z0-9-]{2,63}(?<!-)")


@operation("brands.update")
def set_brand(
    actor: Actor,
    *,
    name: str,
    light: str,
    dark: str,
    support_email: str = "",
    sign_in_text: str = "",
    mail_footer: str = "",
) -> Brand:
    """Give the actor's tenant a brand, or change it: a name, a colour for each theme, texts, whom to ask.

    Raises Refused: invalid_name, invalid_colour, low_contrast, invalid_text.
    """
    values = {
        "name": _short_name(name),
        "light": checked(light, LIGHT, "light"),
        "dark": checked(dark, DARK, "dark"),
        "support_email": support_email.strip(),
        "sign_in_text": _text(sign_in_text, "sign_in_text"),
        "mail_footer": _text(mail_footer, "mail_footer"),
    }
    tenant = _own(actor)
    brand = Brand.objects.filter(tenant=tenant).first()
    if brand is None:
        brand = Brand.objects.create(tenant=tenant, **values)
        _show(tenant, former=tenant.brand_id, present=brand.pk)
        return brand
    for column, value in values.items():
        setattr(brand, column, value)
    return _saved(brand, values)


@operation("brands.update", secrets=("logo",))
def set_brand_logo(actor: Actor, *, logo: bytes) -> Brand:
    """Show this picture in place of ours. Raises Refused: no_brand, logo_too_large, invalid_logo."""
    made = drawn_anew(logo)
    brand = _brand(_own(actor))
    BrandLogo.objects.update_or_create(
        brand=brand, defaults={"image": made.image, "width": made.width, "height": made.height}
    )
    brand.logo_version = made.digest
    return _saved(brand, ["logo_version"])


@operation("brands.update")
def remove_brand_logo(actor: Actor) -> Brand:
    """Show the name alone. Raises Refused: no_brand."""
    brand = _brand(_own(actor))
    BrandLogo.objects.filter(brand=brand).delete()
    brand.logo_version = ""
    return _saved(brand, ["logo_version"])


@operation("brands.update")
def set_brand_host(actor: Actor, *, host_name: str) -> Brand:
    """Name the host at which people of this brand sign in, or none (""). It is used once `verify_brand_host` has seen
    it in DNS. Raises Refused: no_brand, invalid_host, own_host."""
    wanted = _host(host_name) if host_name.strip() else None
    brand = _brand(_own(actor))
    if wanted != brand.host_name:
        brand.host_name, brand.host_verified_at = wanted, None
        brand.challenge = secrets.token_hex(16) if wanted else ""
    return _saved(brand, ["host_name", "host_verified_at", "challenge"])


@operation("brands.update")
def verify_brand_host(actor: Actor) -> Brand:
    """Look in DNS whether the host name is this tenant's and leads here; from then on people may use it.

    Raises Refused: no_brand, no_host, dns_unavailable, no_proof, leads_elsewhere, taken.
    """
    looked_at = _brand(Tenant(pk=actor.tenant_id))
    if not looked_at.host_name:
        raise Refused("no_host", "host_name", _("Name the host first."))
    # Before the lock: DNS may take seconds.
    with waiting():
        _refuse_without_proof(looked_at)
    brand = _brand(_own(actor))
    if brand.challenge != looked_at.challenge:
        raise Refused("no_host", "host_name", _("The host name was changed meanwhile. Check again."))
    brand.host_verified_at = timezone.now()
    try:
        with transaction.atomic():
            return _saved(brand, ["host_verified_at"])
    except IntegrityError as error:
        raise Refused("taken", "host_name", _("Another account uses this host name already.")) from error


@operation("brands.update")
def remove_brand(actor: Actor) -> None:
    """Go back to the brand above. Raises Refused: no_brand."""
    tenant = _own(actor)
    brand = _brand(tenant)
    with every_tenant("what is above a tenant is shown where it has no brand of its own"):
        above = Tenant.objects.filter(pk=tenant.parent_id).values_list("brand", flat=True).first()
    _show(tenant, former=brand.pk, present=above)
    brand.delete()


def _own(actor: Actor) -> Tenant:
    return lock_branch(Tenant(pk=actor.tenant_id))


def _brand(tenant: Tenant) -> Brand:
    brand = Brand.objects.filter(tenant=tenant).first()
    if brand is None:
        raise Refused("no_brand", "", _("Give your brand a name and colours first."))
    return brand


def _saved(brand: Brand, columns: Iterable[str]) -> Brand:
    # The number stands in the address of the stylesheet, which browsers keep for good.
    brand.revision += 1
    brand.save(update_fields=[*columns, "revision", "updated_at"])
    brand.refresh_from_db(fields=["live_host"])
    return brand


def _show(tenant: Tenant, *, former: int | None, present: int | None) -> None:
    """Let everybody at and below the tenant who saw one brand see another, in one statement."""
    Tenant.objects.filter(subtree("path", tenant.path), brand=former).update(brand=present)


def _short_name(name: str) -> str:
    name = check_name(name)
    if len(name) > MAX_BRAND_NAME:
        raise Refused("invalid_name", "name", _("A brand's name has at most %(most)s characters.") % {"most": 60})
    return name


def _text(text: str, field: str) -> str:
    text = " ".join(text.split())
    if len(text) > MAX_TEXT or not text.isprintable():
        raise Refused("invalid_text", field, _("Write at most %(most)s characters.") % {"most": MAX_TEXT})
    return text


def _host(text: str) -> str:
    """Return a host name as its A-labels in lower case. Raises Refused: invalid_host, own_host."""
    text = text.strip().rstrip(".").lower()
    try:
        host = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except idna.IDNAError:
        host = ""
    if not HOST.fullmatch(host):
        raise Refused("invalid_host", "host_name", _("Enter a host name, such as panel.example.org."))
    own = {panel_host(), settings.MAILHOST_HOSTNAME, *settings.MAILHOST_OWN_NAMES, *settings.ALLOWED_HOSTS}
    if any(host == name or host.endswith(f".{name.lstrip('.')}") for name in own if name != "*"):
        raise Refused("own_host", "host_name", _("This is a name of the mail service itself. Use one of your own."))
    return host


def _refuse_without_proof(brand: Brand) -> None:
    look_up, wanted = import_string(LOOK_UP), pointing(brand)
    proof = look_up(wanted.proof_name, "TXT")
    if proof.is_temporary:
        raise _unanswered(wanted.proof_name)
    if wanted.proof_value not in proof.values:
        told = {"name": wanted.proof_name, "value": wanted.proof_value}
        raise Refused("no_proof", "", _("There is no TXT record %(name)s with the value %(value)s yet.") % told)
    found = _addresses(look_up, wanted.host_name)
    ours = {wanted.panel_host}
    if not _is_address(wanted.panel_host):
        ours |= _addresses(look_up, wanted.panel_host)
    if not found & ours:
        told = {"host": wanted.host_name, "panel": wanted.panel_host}
        raise Refused("leads_elsewhere", "", _("%(host)s does not lead here yet. Point it to %(panel)s.") % told)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(look_up, host: str) -> set[str]:
    """Return the addresses of a host and the names it is an alias of. Raises Refused("dns_unavailable")."""
    answers = [look_up(host, record_type) for record_type in ("A", "AAAA")]
    if all(answer.is_temporary for answer in answers):
        raise _unanswered(host)
    return {value.rstrip(".") for answer in answers for value in (*answer.values, *answer.aliases)}


def _unanswered(name: str) -> Refused:
    return Refused(
        "dns_unavailable", "", _("DNS gave no answer for %(name)s. Try again in a few minutes.") % {"name": name}
    )
