"""Every change of a brand: of the actor's own tenant alone, shown to everybody below it that has none of its own.
Its host name has a file of its own, `host_operations.py`."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant, subtree
from tenants.colours import DARK, LIGHT, checked
from tenants.locks import lock_branch
from tenants.logos import drawn_anew, version_of
from tenants.models import Brand, BrandLogo, Tenant
from tenants.operations import check_name

MAX_BRAND_NAME, MAX_TEXT = 60, 300


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
    tenant = own_tenant(actor)
    brand = Brand.objects.filter(tenant=tenant).first()
    if brand is None:
        brand = Brand.objects.create(tenant=tenant, **values)
        _show(tenant, former=tenant.brand_id, present=brand.pk)
        return brand
    for column, value in values.items():
        setattr(brand, column, value)
    return saved(brand, values)


@operation("brands.update", secrets=("logo",))
def set_brand_logo(actor: Actor, *, logo: bytes) -> Brand:
    """Show this picture in place of ours. Raises Refused: no_brand, logo_too_large, invalid_logo."""
    made = drawn_anew(logo)
    brand = own_brand(own_tenant(actor))
    BrandLogo.objects.update_or_create(
        brand=brand, defaults={"image": made.image, "width": made.width, "height": made.height}
    )
    brand.logo_version = made.digest
    return saved(brand, ["logo_version"])


@operation("brands.update")
def remove_brand_logo(actor: Actor) -> Brand:
    """Show the name alone. The picture is kept, and shown to nobody, until there is another one or no brand.

    Raises Refused: no_brand.
    """
    brand = own_brand(own_tenant(actor))
    brand.logo_version = ""
    return saved(brand, ["logo_version"])


@operation("brands.update")
def restore_brand_logo(actor: Actor) -> Brand:
    """Show the picture again that was removed last. Raises Refused: no_brand, unchanged."""
    brand = own_brand(own_tenant(actor))
    kept = BrandLogo.objects.filter(brand=brand).first()
    if kept is None or brand.logo_version:
        raise Refused("unchanged", "", _("There is nothing left to undo."))
    brand.logo_version = version_of(bytes(kept.image))
    return saved(brand, ["logo_version"])


@operation("brands.update")
def remove_brand(actor: Actor) -> None:
    """Go back to the brand above. Raises Refused: no_brand."""
    tenant = own_tenant(actor)
    brand = own_brand(tenant)
    with every_tenant("what is above a tenant is shown where it has no brand of its own"):
        above = Tenant.objects.filter(pk=tenant.parent_id).values_list("brand", flat=True).first()
    _show(tenant, former=brand.pk, present=above)
    brand.delete()


def own_tenant(actor: Actor) -> Tenant:
    return lock_branch(Tenant(pk=actor.tenant_id))


def own_brand(tenant: Tenant) -> Brand:
    brand = Brand.objects.filter(tenant=tenant).first()
    if brand is None:
        raise Refused("no_brand", "", _("Give your brand a name and colours first."))
    return brand


def saved(brand: Brand, columns: Iterable[str]) -> Brand:
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
