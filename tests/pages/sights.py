"""Every page, by who looks at it: axe goes through them, pictures are taken of them. `forgotten` asks the URL map
whether one is missing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Route

from accounts.actors import system_actor
from accounts.invitation_operations import invite_member
from accounts.invitations import link as invitation_link
from accounts.models import Invitation
from accounts.operations import create_user
from audit.models import Event
from clientsetup.operations import create_profile_link
from longwork.models import State
from mailboxes.invitations import link as mailbox_link
from mailboxes.models import Mailbox
from mailboxes.trial_operations import send_test_message
from mailhost.scope import every_tenant
from selfservice import sessions
from tenants.models import Member, Role, Tenant
from tenants.operations import create_tenant
from tests.pages.browsing import addresses_of_acme
from tests.pages.drawn import PLACE, drawn
from tests.pages.fullness import fill_acme_to_the_brim
from tests.pages.provider import fill_operator, fill_rita
from tests.pages.town import PASSWORD, Town
from tests.routes.discovery import pages as all_routes
from tests.webside import a_passkey, signed_in

OWN_NUMBER = 4_711_000_001
# What answers GET and is no page that somebody looks at.
NO_PAGES = {
    "downloads and style sheets": (
        "audit/export.csv",
        "audit/export.json",
        "branding/preview.css",
        "brand/<uid:uid>/<int:revision>.css",
        "brand/<uid:uid>/<alnum:digest>.png",
        "domains/<uid:uid>/zone/",
        "import/<uid:uid>/report.csv",
        "mailboxes/export.csv",
        "metrics",
        "healthz",
        "readyz",
    ),
    "parts of pages, that htmx asks for": (
        "aliases/check/",
        "domains/add/found/",
        "domains/<uid:uid>/check/turned/",
        "import/ended/",
        "mailboxes/check/",
        "overview/limits/",
    ),
    "pages that ask for a name, all alike: webhook-delete is looked at": (
        "app-passwords/<uid:uid>/revoke/",
        "branding/remove/",
        "domains/<uid:uid>/keys/abandon/",
        "domains/<uid:uid>/publishing/disconnect/",
        "jobs/<int:number>/discard/",
        "mailbox/app-passwords/<uid:uid>/revoke/",
        "members/<uid:uid>/remove/",
    ),
    "links that lead on at once": (
        "device/<str:token>/",
        "invitations/<uid:uid>/<str:secret>/",
        "mailboxes/invitation/<str:token>/",
        "password/new/set/",
        "security/passkeys/",
        "sign-in/passkey/",
    ),
}


@dataclass(frozen=True)
class Looker:
    """Somebody at a browser: the cookies that say who, and the pages that are theirs, by name. `drawn` are answers
    that no address gives."""

    name: str
    cookies: Callable[[], dict[str, str]]
    pages: dict[str, str]
    drawn: dict[str, HttpResponse] = field(default_factory=dict)

    def enter(self, context: BrowserContext, url: str) -> None:
        """Give the browser these cookies, and what is drawn."""
        for name, answer in self.drawn.items():
            context.route(f"{url}{self.pages[name]}", showing(answer))
        for name, value in self.cookies().items():
            place = sessions.PATH if name == sessions.COOKIE else "/"
            context.add_cookies([{"name": name, "value": value, "url": f"{url}{place}"}])


def showing(answer: HttpResponse) -> Callable[[Route], None]:
    """Show a page whatever its status: of a 500 the browser would complain."""

    def show(route: Route) -> None:
        route.fulfill(body=answer.content, headers=dict(answer.headers))

    return show


def lookers(town: Town) -> list[Looker]:
    """Fill the town, and return everybody with their pages."""
    uids = fill_acme_to_the_brim(town)
    guarded = guarded_person(town)
    return [
        Looker("nobody", dict, pages_of_nobody(town)),
        Looker("anna", person(town, "anna@acme.example"), addresses_of_acme(town) | pages_of_plenty(town, uids)),
        Looker("fay", person(town, guarded), pages_of_the_guarded()),
        Looker("fay-half", half_signed_in(guarded), {"second-factor": "/sign-in/second-factor/"}),
        Looker("bill", person(town, "bill@acme.example"), {"billing-home": "/", "billing-not-allowed": "/mailboxes/"}),
        Looker("nora", person(town, empty_customer(town)), pages_of_emptiness()),
        Looker("mailbox-user", mailbox_user, pages_of_a_mailbox_user()),
        Looker("rita", person(town, "rita@rita.example"), fill_rita(town) | pages_of_rita(town)),
        Looker("operator", person(town, "operator@mailhost.example"), fill_operator(town) | pages_of_operator(town)),
        looker_at(drawn(town)),
    ]


def looker_at(answers: dict[str, HttpResponse]) -> Looker:
    return Looker("drawn", dict, {name: f"{PLACE}{name}/" for name in answers}, answers)


def person(town: Town, email: str) -> Callable[[], dict[str, str]]:
    return lambda: session_of(signed_in(town.person(email)))


def half_signed_in(email: str) -> Callable[[], dict[str, str]]:
    """Somebody whose password was right, and whose second factor is asked for."""

    def cookies() -> dict[str, str]:
        client = Client()
        client.post("/sign-in/", {"email": email, "password": PASSWORD})
        return session_of(client)

    return cookies


def session_of(client: Client) -> dict[str, str]:
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


def mailbox_user() -> dict[str, str]:
    with every_tenant("tests name rows"):
        mailbox = Mailbox.objects.get(email="anna@acme.example")
        token = sessions.begin(mailbox, address="192.0.2.7", user_agent="Firefox/140 Linux", now=timezone.now())
    return {sessions.COOKIE: token}


def guarded_person(town: Town) -> str:
    """Give Acme a member with a passkey, an app for codes and recovery codes; return the address."""
    with every_tenant("the town is built"):
        email = "fay@acme.example"
        create_user(town.actor, tenant=town.acme, email=email, role=Role.OWNER, password=PASSWORD)
        fay = town.person(email)
        TOTP.activate(fay, generate_totp_secret())
        RecoveryCodes.activate(fay)
        a_passkey(fay, OWN_NUMBER)
        assert Authenticator.objects.filter(user=fay).count() == 3
    return email


def empty_customer(town: Town) -> str:
    """Give Rita a customer who has nothing yet; return the owner's address."""
    rita = system_actor(town.rita, "rita@rita.example")
    with every_tenant("the town is built"):
        nova = create_tenant(rita, parent=town.rita, kind="customer", name="Nova Ltd")
        create_user(town.actor, tenant=nova, email="nora@nova.example", role=Role.OWNER, password=PASSWORD)
    return "nora@nova.example"


def pages_of_nobody(town: Town) -> dict[str, str]:
    anna = town.person("anna@acme.example")
    reset = {"uidb36": user_pk_to_url_str(anna), "key": default_token_generator.make_token(anna)}
    with every_tenant("tests name rows"):
        invite_member(town.acting("anna@acme.example"), email="uma@elsewhere.example", role=Role.SUPPORT)
        invitation = Invitation.objects.select_related("tenant__brand").get(email="uma@elsewhere.example")
        mailbox = Mailbox.objects.get(email="ben@acme.example")
        _, token = create_profile_link(town.acting("anna@acme.example"), mailbox=mailbox, now=timezone.now())
    return {
        "sign-in": "/sign-in/",
        "forgotten": "/password/forgotten/",
        "forgotten-sent": "/password/forgotten/sent/",
        "new-password": reverse("account_reset_password_from_key", kwargs=reset),
        "invitation": urlsplit(invitation_link(invitation)).path,
        "mailbox-invitation": urlsplit(mailbox_link(mailbox)).path,
        "device": f"/device/{token}/",
        "own-sign-in": "/mailbox/sign-in/",
        "api-docs": "/api/docs",
        "nobody-not-found": "/mailbox/nowhere/",
    }


def pages_of_plenty(town: Town, uids: dict[str, str]) -> dict[str, str]:
    with every_tenant("tests name rows"):
        event = Event.objects.filter(tenant=town.acme).latest("pk")
        member = Member.objects.get(user__email="rex@acme.example")
        # The newest mailbox has a longer address than a field at 320 px: what goes beyond its edge is taken for cut.
        ben = Mailbox.objects.get(email="ben@acme.example")
    return {
        "webhook": f"/webhooks/{uids['webhook']}/",
        "domain-reports": f"/domains/{uids['bolt-works.example']}/reports/",
        "domain-reports-none": f"/domains/{uids['acme.example']}/reports/",
        "domain-keys-full": f"/domains/{uids['bolt-works.example']}/keys/",
        "domain-logo": f"/domains/{uids['bolt-works.example']}/logo/",
        "domain-with-logo": f"/domains/{uids['bolt-works.example']}/",
        "domain-connected": f"/domains/{uids['bolt-works.example']}/publishing/",
        "domain-changed": f"/domains/{uids['bolt-works.example']}/history/",
        "audit-event": f"/audit/{event.uid}/",
        "audit-no-match": "/audit/?q=nothing-of-this-name",
        "member": f"/members/{member.uid}/",
        "webhook-delete": f"/webhooks/{uids['webhook']}/delete/",
        "test-message": f"/test-message/?mailbox={ben.uid}",
        "test-message-sent": f"/test-message/{a_test_message(town)}/",
    }


def a_test_message(town: Town) -> str:
    """Send one that has come; return its uid."""
    now = timezone.now()
    with every_tenant("the town is built"):
        mailbox = Mailbox.objects.select_related("domain").get(email="anna@acme.example")
        _, work = send_test_message(town.acting("anna@acme.example"), mailbox=mailbox)
        work.result = {
            "address": mailbox.email,
            "is_taken": True,
            "sent_at": now.isoformat(),
            "arrived_at": (now + timedelta(seconds=0.6)).isoformat(),
        }
        work.state, work.finished_at = State.SUCCEEDED, now
        work.save()
    return work.uid


def pages_of_the_guarded() -> dict[str, str]:
    return {
        "security-full": "/security/",
        "security-app-remove": "/security/app/remove/",
        "security-passkey-rename": f"/security/passkeys/{OWN_NUMBER}/rename/",
        "security-passkey-remove": f"/security/passkeys/{OWN_NUMBER}/remove/",
        "recovery-codes": "/security/recovery-codes/",
        "recovery-codes-new": "/security/recovery-codes/new/",
        "confirm": "/confirm/",
        "confirm-code": "/confirm/code/",
        "confirm-passkey": "/confirm/passkey/",
    }


def pages_of_emptiness() -> dict[str, str]:
    parts = ("domains", "mailboxes", "aliases", "import", "keys", "members", "webhooks", "audit", "usage", "security")
    return {"empty-home": "/", **{f"empty-{part}": f"/{part}/" for part in parts}, "empty-bin": "/mailboxes/bin/"}


def pages_of_a_mailbox_user() -> dict[str, str]:
    return {
        "own-home": "/mailbox/",
        "own-password": "/mailbox/password/",
        "own-devices": "/mailbox/devices/",
        "own-app-passwords": "/mailbox/app-passwords/",
        "own-app-password-add": "/mailbox/app-passwords/add/",
    }


def pages_of_rita(town: Town) -> dict[str, str]:
    with every_tenant("tests name rows"):
        anna = Member.objects.get(user__email="anna@acme.example")
    return {
        "rita-home": "/",
        "rita-domains": "/domains/",
        "rita-mailboxes": "/mailboxes/",
        "rita-members": "/members/",
        "rita-usage": "/usage/",
        "rita-sign-in-as": f"/members/{anna.uid}/sign-in-as/",
    }


def pages_of_operator(town: Town) -> dict[str, str]:
    with every_tenant("tests name rows"):
        former = Tenant.objects.exclude(deleted_at=None).get(name="Dune Travel")
    return {
        "operator-home": "/",
        "operator-signing": "/signing/",
        "operator-set-aside": "/reports/set-aside/",
        "operator-style": "/style/",
        "operator-audit": "/audit/",
        "customer-purge": f"/customers/{former.uid}/purge/",
    }


def forgotten(seen: Iterable[str]) -> list[str]:
    """Return the routes of pages that open with GET and at none of these paths somebody looked."""
    from tests.routes.table import TABLE

    reads = {row.route for row in TABLE if row.method == "GET"} & all_routes()
    excused = {route for routes in NO_PAGES.values() for route in routes}
    # The admin is Django's; the API answers programs.
    wanted = {route for route in reads - excused if not route.startswith(("admin/", "api/v1/"))}
    return sorted(wanted - {route_of(path) for path in seen})


def route_of(path: str) -> str:
    """Return the route that a path takes, "" where it takes none."""
    try:
        return resolve(path).route
    except Resolver404:
        return ""
