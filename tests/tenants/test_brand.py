"""A reseller's brand: what it may look like, who sees it, and the host name at which people sign in."""

import io
import re
import secrets
import zlib
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from PIL import Image

from accounts.models import User
from accounts.tasks import send_password_reset
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from stack.publish import Published, publish, withdraw
from tenants.brand_operations import (
    remove_brand,
    set_brand,
    set_brand_logo,
)
from tenants.brands import pointing
from tenants.colours import DARK, LIGHT, checked, contrast, least_contrast
from tenants.host_operations import set_brand_host, verify_brand_host
from tenants.models import Brand, Member, Tenant
from tenants.move_operations import move_tenant
from tenants.operations import create_tenant
from tests.routes.cast import Statements, a_member
from tests.webside import a_picture, fresh_cache, plain_static, signed_in  # noqa: F401 - fixtures
from tests.world import PASSWORD, fresh

pytestmark = pytest.mark.usefixtures("plain_static")
COLOURS = {"light": "#1f5fbf", "dark": "#8db8ff"}
STYLES = Path(__file__).parents[2] / "mailhost/web/static/mailhost"


def ritas_brand(world, **values) -> Brand:
    return set_brand(world.as_rita, **({"name": "Rita Mail", **COLOURS} | values))


def seen_by(tenant: Tenant) -> str:
    brand = fresh(tenant).brand
    return brand.name if brand else ""


def use_host(world, name: str) -> Brand:
    """Let a host name be proven without DNS."""
    set_brand_host(world.as_rita, host_name=name)
    with every_tenant("the tests' cast"):
        Brand.objects.filter(host_name=name).update(host_verified_at="2026-11-01T00:00:00Z")
        return Brand.objects.get(host_name=name)


# --- colours -----------------------------------------------------------------------------------------------------


def test_contrast_is_that_of_wcag():
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert contrast("#1f5fbf", "#1f5fbf") == 1


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("colour", ["#ffcc00", "#777777", "#ff0000", "#00ff88", "#101010", "#fefefe"])
def test_a_colour_that_nobody_could_read_is_refused_with_one_that_holds(theme, colour):
    if least_contrast(colour, theme) >= 4.5:
        assert checked(colour, theme, "light") == colour
        return

    with pytest.raises(Refused) as refused:
        checked(colour, theme, "light")

    assert (refused.value.code, refused.value.field) == ("low_contrast", "light")
    other = re.search(r"Try (#[0-9a-f]{6})\.", refused.value.message)[1]
    assert checked(other, theme, "light") == other


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1f5fbf;}", "#1f5fbf\n", "url(x)", "#1F5FBG"])
def test_what_is_no_colour_never_reaches_a_stylesheet(world, text):
    if text.strip() != text:
        # Blanks around a colour are nobody's fault.
        assert checked(text, LIGHT, "light") == "#1f5fbf"
        return
    with pytest.raises(Refused, match="six digits"):
        ritas_brand(world, light=text)


def test_the_grounds_are_those_of_the_stylesheet():
    styles = "".join(path.read_text() for path in STYLES.glob("*.css"))
    pairs = [
        re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", styles).groups()
        for name in ("ground", "surface", "raised", "sunken")
    ]

    assert {light for light, _ in pairs} == set(LIGHT.grounds)
    assert {dark for _, dark in pairs} == set(DARK.grounds)


# --- logos -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew_and_made_small(world, kind):
    ritas_brand(world)

    brand = set_brand_logo(world.as_rita, logo=a_picture(1600, 400, kind, **comment_for(kind)))

    served = Client().get(f"/brand/{brand.uid}/{brand.logo_version}.png")
    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    assert "immutable" in served["Cache-Control"]
    picture = Image.open(io.BytesIO(served.content))
    assert (picture.format, picture.height <= 64, picture.width <= 400) == ("PNG", True, True)
    assert b"secret" not in served.content
    assert picture.info == {}


def comment_for(kind: str) -> dict:
    return {"JPEG": {"comment": b"secret"}, "WEBP": {"xmp": b"secret"}}.get(kind, {})


def huge_claim() -> bytes:
    """Return a small file whose head says that it is a picture of 30,000 by 30,000 pixels."""
    picture = bytearray(a_picture())
    picture[16:24] = (30_000).to_bytes(4, "big") * 2
    # PNG's head and its checksum (PNG 1.2, 3.2): 4 letters, 13 bytes, then CRC-32 of both.
    picture[29:33] = zlib.crc32(picture[12:29]).to_bytes(4, "big")
    return bytes(picture)


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "invalid_logo"),
        (a_picture(kind="GIF"), "invalid_logo"),
        (a_picture()[:60], "invalid_logo"),
        (b"", "invalid_logo"),
        (huge_claim(), "logo_too_large"),
        (a_picture() + bytes(1024 * 1024), "logo_too_large"),
    ],
    ids=["svg", "gif", "cut off", "empty", "huge", "heavy"],
)
def test_what_is_no_small_picture_is_refused_and_changes_nothing(world, upload, code):
    brand = ritas_brand(world)

    with pytest.raises(Refused) as refused:
        set_brand_logo(world.as_rita, logo=upload)

    assert (refused.value.code, refused.value.field) == (code, "logo")
    assert fresh(brand).logo_version == ""


# --- who sees it -------------------------------------------------------------------------------------------------


def test_everybody_below_sees_the_nearest_brand(world):
    ritas_brand(world)
    sub = create_tenant(world.as_operator, parent=world.operator, kind="reseller", name="Sela")

    assert [seen_by(one) for one in (world.rita, world.acme, world.bolt)] == ["Rita Mail"] * 3
    assert [seen_by(one) for one in (world.operator, sub)] == ["", ""]

    corvo = create_tenant(world.as_rita, parent=world.rita, kind="customer", name="Corvo")
    assert seen_by(corvo) == "Rita Mail"
    set_brand(world.as_operator, name="The Operator", **COLOURS)
    assert [seen_by(one) for one in (world.operator, sub, world.rita, world.acme)] == [
        "The Operator",
        "The Operator",
        "Rita Mail",
        "Rita Mail",
    ]
    move_tenant(world.as_operator, tenant=world.acme, parent=sub)
    assert seen_by(world.acme) == "The Operator"
    remove_brand(world.as_rita)
    assert [seen_by(one) for one in (world.rita, world.bolt, corvo)] == ["The Operator"] * 3


def test_a_customer_has_no_brand_of_its_own(world):
    with pytest.raises(NotPermitted):
        set_brand(world.as_acme, name="Acme", **COLOURS)


def test_a_customers_page_bears_it_and_asks_nothing_more(world):
    acme = signed_in(a_member(world.acme, "owner").user)
    acme.get("/")
    with Statements() as before:
        plain = acme.get("/").content.decode()
    brand = ritas_brand(world)
    with Statements() as after:
        page = acme.get("/").content.decode()

    assert "<title>Overview · Mailhost</title>" in plain
    assert "<title>Overview · Rita Mail</title>" in page
    assert f'href="/brand/{brand.uid}/{brand.revision}.css"' in page
    assert "Mailhost" not in page
    assert len(after) == len(before)


def test_the_stylesheet_holds_colours_and_nothing_else(world):
    brand = ritas_brand(world, sign_in_text="}</style><script>", mail_footer="*{}")

    style = Client().get(f"/brand/{brand.uid}/{brand.revision}.css")

    assert style["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in style["Cache-Control"]
    pair = r"light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\);"
    assert re.fullmatch(rf":root {{\n(  --[a-z-]+: {pair}\n){{4}}}}\n", style.content.decode())
    assert Client().get(f"/brand/{brand.uid}/{brand.revision + 1}.css")["Cache-Control"] == "no-store"


def test_a_low_contrast_is_said_in_the_preview_and_nothing_is_kept(world):
    rita = signed_in(a_member(world.rita, "owner").user)

    answer = rita.post("/branding/", {"name": "Rita", "light": "#ffcc00", "dark": "#8db8ff", "preview": "1"})

    assert "contrast of" in answer.content.decode()
    with every_tenant("a test looks"):
        assert not Brand.objects.exists()


# --- host names --------------------------------------------------------------------------------------------------


def test_only_a_proven_host_name_opens_the_panel(world):
    ritas_brand(world)
    set_brand_host(world.as_rita, host_name="Panel.Rita.example.")

    unproven = Client().get("/sign-in/", headers={"host": "panel.rita.example"})
    use_host(world, "panel.rita.example")
    proven = Client().get("/sign-in/", headers={"host": "panel.rita.example:8443"})

    assert unproven.status_code == 400
    assert proven.status_code == 200
    assert "Rita Mail" in proven.content.decode()
    for other in ("evil.example", "xpanel.rita.example", "panel.rita.example.evil.example", "rita.example"):
        assert Client().get("/sign-in/", headers={"host": other}).status_code == 400
    assert "Rita Mail" not in Client().get("/sign-in/").content.decode()


def test_a_deleted_reseller_has_no_host_any_more(world):
    from tenants.deletion_operations import delete_tenant

    ritas_brand(world)
    use_host(world, "panel.rita.example")
    delete_tenant(world.as_operator, tenant=world.rita)

    assert Client().get("/sign-in/", headers={"host": "panel.rita.example"}).status_code == 400


def test_somebody_signs_in_at_the_brands_host(world):
    ritas_brand(world)
    use_host(world, "panel.rita.example")
    user = a_member(world.acme, "owner").user
    user.set_password(PASSWORD)
    user.save()
    strict = Client(enforce_csrf_checks=True, headers={"host": "panel.rita.example"})
    form = strict.get("/sign-in/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[1]

    answer = strict.post(
        "/sign-in/",
        {"email": user.email, "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers={"origin": "http://panel.rita.example"},
    )

    assert (answer.status_code, answer["Location"]) == (302, "/")


def reset_link_of(user: User) -> str:
    mail.outbox.clear()
    send_password_reset(user.email)
    [message] = mail.outbox
    return re.search(r"https?://\S+/password/new/\S+", message.body)[0]


@pytest.mark.usefixtures("fresh_cache")
def test_a_link_in_a_mail_never_follows_the_host_that_was_asked(world, settings):
    sela = create_tenant(world.as_operator, parent=world.operator, kind="reseller", name="Sela")
    ritas_brand(world, support_email="help@rita.example")
    use_host(world, "panel.rita.example")
    ours, theirs = a_member(world.acme, "owner").user, a_member(sela, "owner").user
    for user in (ours, theirs):
        user.set_password(PASSWORD)
        user.save()
        # Asked at the brand's host, whoever it is: what goes out depends on the account alone.
        asked = Client(headers={"host": "panel.rita.example"}).post("/password/forgotten/", {"email": user.email})
        assert asked.status_code == 302

    scheme = settings.MAILHOST_URL.partition(":")[0]
    assert reset_link_of(ours).startswith(f"{scheme}://panel.rita.example")
    assert (mail.outbox[0].from_email.startswith("Rita Mail <"), mail.outbox[0].reply_to) == (
        True,
        ["help@rita.example"],
    )
    assert "Mailhost" not in mail.outbox[0].body
    assert reset_link_of(theirs).startswith(settings.MAILHOST_URL)
    # The one password of who works for both opens the other's account too.
    with every_tenant("a test gives somebody a second account"):
        Member.objects.create(tenant=sela, user=ours, role="support")
    assert reset_link_of(ours).startswith(settings.MAILHOST_URL)


@pytest.mark.usefixtures("fresh_cache")
def test_encryption_is_asked_for_a_resellers_own_host_alone(world, settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 3600, True
    ritas_brand(world)
    use_host(world, "panel.rita.example")

    told = [
        Client(headers={"host": host}).get("/sign-in/", secure=True)["Strict-Transport-Security"]
        for host in ("127.0.0.1", "panel.rita.example")
    ]

    assert "includeSubDomains" in told[0]
    assert told[1] == "max-age=3600"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "rita", "-x.example", "a b.example", "x.example/y", "*"])
def test_what_is_no_host_name_is_refused(world, name):
    ritas_brand(world)

    with pytest.raises(Refused) as refused:
        set_brand_host(world.as_rita, host_name=name)

    assert refused.value.field == "host_name"
    assert refused.value.code in {"invalid_host", "own_host"}


def test_the_services_own_names_are_nobodys_brand(world, settings):
    ritas_brand(world)

    for name in (settings.MAILHOST_HOSTNAME, f"panel.{settings.MAILHOST_HOSTNAME}"):
        with pytest.raises(Refused, match="mail service itself"):
            set_brand_host(world.as_rita, host_name=name)


def test_a_host_name_is_used_once_dns_shows_that_it_is_theirs_and_leads_here(world, stack):
    ritas_brand(world)
    name = f"panel-{secrets.token_hex(4)}.example"
    wanted = pointing(set_brand_host(world.as_rita, host_name=name))

    with pytest.raises(Refused) as unproven:
        verify_brand_host(world.as_rita)
    publish(stack.info["dns"], [Published(f"{wanted.proof_name}.", "TXT", wanted.proof_value)])
    with pytest.raises(Refused) as elsewhere:
        verify_brand_host(world.as_rita)
    publish(stack.info["dns"], [Published(f"{name}.", "A", wanted.panel_host)])
    verified = verify_brand_host(world.as_rita)

    assert (unproven.value.code, elsewhere.value.code) == ("no_proof", "leads_elsewhere")
    assert verified.live_host == name
    assert "Rita Mail" in Client().get("/sign-in/", headers={"host": name}).content.decode()
    # Another account that names the same host has another proof to show.
    sela = create_tenant(world.as_operator, parent=world.operator, kind="reseller", name="Sela")
    as_sela = world.actor(sela)
    set_brand(as_sela, name="Sela", **COLOURS)
    assert pointing(set_brand_host(as_sela, host_name=name)).proof_value != wanted.proof_value
    with pytest.raises(Refused, match="no TXT record"):
        verify_brand_host(as_sela)
    # Another name has to be proven anew.
    assert set_brand_host(world.as_rita, host_name=f"x.{name}").live_host is None
    for record, kind in ((wanted.proof_name, "TXT"), (name, "A")):
        withdraw(stack.info["dns"], f"{record}.", kind)
