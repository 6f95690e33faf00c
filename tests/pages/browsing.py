"""How tests open pages in the browser."""

from django.conf import settings
from playwright.sync_api import BrowserContext

from tests.pages.town import Town
from tests.webside import signed_in


def sign_in_without_typing(context: BrowserContext, town: Town, email: str, url: str) -> None:
    """Give the browser a session of this person's, as the sign-in page does."""
    client = signed_in(town.person(email))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])


def addresses_of_acme(town: Town) -> dict[str, str]:
    """Return every page that opens with GET, by name, with Acme's rows in it."""
    from domains.models import Domain
    from mailboxes.models import Import, Mailbox
    from mailhost.scope import every_tenant

    with every_tenant("tests name rows"):
        uids = dict(Domain.objects.live().values_list("domain_name", "uid"))
        mailbox = Mailbox.objects.get(email="anna@acme.example")
        imports = dict(Import.objects.values_list("file_name", "uid"))
    return {
        "home": "/",
        "search": "/search/?q=a",
        "search-nothing": "/search/?q=nobody",
        "domains": "/domains/",
        "domain-add": "/domains/add/",
        "domain": f"/domains/{uids['acme.example']}/",
        "domain-unproven": f"/domains/{uids['acme-labs.example']}/",
        "domain-differs": f"/domains/{uids['xn--mnchen-bcker-ncb24a.example']}/",
        "domain-publishing": f"/domains/{uids['acme.example']}/publishing/",
        "domain-keys": f"/domains/{uids['acme.example']}/keys/",
        "domain-history": f"/domains/{uids['acme.example']}/history/",
        "domain-logo-too-early": f"/domains/{uids['acme.example']}/logo/",
        "domains-no-match": "/domains/?state=off&q=nobody",
        "dns-tools": "/dns/?domain=acme.example",
        "dns-look-up": "/dns/look-up/?kind=mx&name=acme.example",
        "dns-make-spf": "/dns/spf/?mx=on&ip4=192.0.2.25&policy=fail",
        "dns-make-dmarc": "/dns/dmarc/?policy=reject&rua=post%40acme.example",
        "domain-settings": f"/domains/{uids['acme.example']}/settings/",
        "domains-removed": "/domains/removed/",
        "domain-catch-all": f"/domains/{uids['acme.example']}/catch-all/",
        "mailboxes": "/mailboxes/",
        "mailboxes-of-domain": f"/mailboxes/?domain={uids['acme.example']}",
        "mailboxes-no-match": "/mailboxes/?q=zebra",
        "mailbox-add": "/mailboxes/add/",
        "mailbox": f"/mailboxes/{mailbox.uid}/",
        "mailboxes-suspended": "/mailboxes/?status=suspended&sort=newest",
        "mailbox-aliases": f"/mailboxes/{mailbox.uid}/aliases/",
        "mailbox-app-passwords": f"/mailboxes/{mailbox.uid}/app-passwords/",
        "mailbox-app-password-add": f"/mailboxes/{mailbox.uid}/app-passwords/add/",
        "mailbox-sign-ins": f"/mailboxes/{mailbox.uid}/sign-ins/",
        "mailbox-devices": f"/mailboxes/{mailbox.uid}/devices/",
        "mailbox-bin": "/mailboxes/bin/",
        "aliases": "/aliases/",
        "alias-add": "/aliases/add/",
        "imports": "/import/",
        "import-preview": f"/import/{imports['people.csv']}/",
        "import-work": f"/import/{imports['teams.txt']}/",
        "explain": "/explain/?recipient=office@acme.example",
        "explain-sender": "/explain/?sender=ben@acme.example&login=anna@acme.example",
        "usage": "/usage/",
        "webhooks": "/webhooks/",
        "webhook-add": "/webhooks/add/",
        "keys": "/keys/",
        "key-add": "/keys/add/",
        "members": "/members/",
        "member-invite": "/members/invite/",
        "signed-in-as": "/signed-in-as/",
        "security": "/security/",
        "security-password": "/security/password/",
        "security-app": "/security/app/",
        "security-passkey": "/security/passkeys/add/",
        "audit": "/audit/",
        "not-found": "/nowhere/",
    }
