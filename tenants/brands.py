"""Whose name and colours a person sees: the nearest brand at or above a tenant, or that of the host name asked."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from mailhost.mail import Dress
from mailhost.scope import every_tenant
from tenants.colours import DARK, LIGHT, palette
from tenants.models import Brand, BrandLogo, Tenant

STYLE = """:root {{
  --accent: light-dark({light.accent}, {dark.accent});
  --accent-deep: light-dark({light.deep}, {dark.deep});
  --accent-tint: light-dark({light.tint}, {dark.tint});
  --on-accent: light-dark({light.ink}, {dark.ink});
}}
"""


def stylesheet(light: str, dark: str, selector: str = ":root") -> str:
    """Return the tokens of two colours that `tenants.colours` has checked. Nothing else of a brand reaches CSS."""
    return STYLE.replace(":root", selector).format(light=palette(light, LIGHT), dark=palette(dark, DARK))


def brand_of_host(host_name: str) -> Brand | None:
    """Return the brand that has proven this host name, while its tenant lives."""
    with every_tenant("who opens the sign-in has no tenant yet"):
        return Brand.objects.filter(live_host=host_name, tenant__deleted_at=None).first()


def brand_for_everybody(uid: str) -> Brand | None:
    """Return a brand whose style is asked for: browsers ask without saying who they are."""
    with every_tenant("a brand's style and logo are shown to who is not signed in"):
        return Brand.objects.filter(uid=uid, tenant__deleted_at=None).first()


def logo_for_everybody(uid: str, digest: str) -> BrandLogo | None:
    with every_tenant("a brand's style and logo are shown to who is not signed in"):
        return BrandLogo.objects.filter(
            brand__uid=uid, brand__logo_version=digest, brand__tenant__deleted_at=None
        ).first()


def panel_url(brand: Brand | None) -> str:
    """Return where the people of a brand open the panel: its proven host name, or MAILHOST_URL. Never what a request
    calls this host, nor a name whose proof is gone: a link with a secret in it could lead to a stranger."""
    if brand is None or not brand.live_host or brand.host_lapsed_at is not None:
        return settings.MAILHOST_URL
    ours = urlsplit(settings.MAILHOST_URL)
    port = f":{ours.port}" if ours.port else ""
    return f"{ours.scheme}://{brand.live_host}{port}"


def dress_of(tenant: Tenant | None) -> Dress:
    """Return how mail to people of this tenant, read with its brand, is dressed."""
    brand = tenant.brand if tenant is not None else None
    if brand is None:
        return Dress(panel=settings.MAILHOST_URL)
    return Dress(
        name=brand.name, panel=panel_url(brand), support=brand.support_email, footer=brand.mail_footer, is_own=True
    )


@dataclass(frozen=True)
class Pointing:
    """What stands in DNS for a brand's host name, and what should."""

    proof_name: str
    proof_value: str
    host_name: str
    panel_host: str


def pointing(brand: Brand) -> Pointing:
    return Pointing(
        proof_name=f"_mailhost-challenge.{brand.host_name}",
        proof_value=f"mailhost-verification={brand.challenge}",
        host_name=brand.host_name or "",
        panel_host=panel_host(),
    )


def panel_host() -> str:
    return urlsplit(settings.MAILHOST_URL).hostname or settings.MAILHOST_HOSTNAME
