"""The table of routes: which of them opens to whom. What a row does not name stays shut: 401, 403 or 404.

One row for each method of each address; `test_crawl.py` finds the addresses by itself and fails for one without a row.
All rows are about Acme's things. A new row takes its letters from the sets below, or names its callers itself.
"""

from dataclasses import dataclass, field
from typing import Any

# Without a session or key.
NOBODY = "nobody"
# The owner of Sela, another reseller: may what a reseller may, and none of this is its own.
STRANGER = "stranger"
# The owner of Bolt, a customer of the same reseller.
SIBLING = "sibling"
# The owner of Rita, the reseller above Acme.
PARENT = "parent"
# The owner of Acme itself.
OWNER = "owner"
# Members of Acme who may only read, and who only see what is paid for.
READER, BILLING = "reader", "billing"
# The owner of Acme while it is suspended.
SUSPENDED = "suspended"
# A key of Acme's with every scope but the one that the row needs. Pages know no keys.
UNSCOPED = "unscoped"

CALLERS = (NOBODY, STRANGER, SIBLING, PARENT, OWNER, READER, BILLING, SUSPENDED, UNSCOPED)

# About one thing of Acme's: who may see it, who may change it, and what only whoever is above may do.
SEE = frozenset({PARENT, OWNER, READER})
CHANGE = frozenset({PARENT, OWNER})
ABOVE = frozenset({PARENT})
# About nobody's thing in particular: each sees a list of their own, and adds to their own.
LIST = SEE | {STRANGER, SIBLING}
ADD = CHANGE | {STRANGER, SIBLING}
ADD_TENANT = frozenset({PARENT, STRANGER})
ANYBODY_SIGNED_IN = LIST | {BILLING}
ANY_KEY = ANYBODY_SIGNED_IN | {UNSCOPED}
EVERYBODY = frozenset(CALLERS)
# A session that is no longer good is ended, whatever page was asked for.
SIGN_IN = EVERYBODY - {SUSPENDED}

PASSWORD = "k8Vq.river.Lamp"
WEBHOOK = "api/v1/webhook-endpoints/<str:webhook>"
ONE_APP_PASSWORD = "api/v1/mailboxes/<str:mailbox>/app-passwords/<str:app_password>"
MAIL_SOURCE = "api/v1/domains/<str:domain>/reports/sources/<str:address>"
DENIED = "api/v1/domains/<str:domain>/denied-addresses"
LOGO = {"logo_url": "https://acme.example/logo.svg"}
ZONE_ACCESS = {"server": "127.0.0.1", "port": 9, "key_name": "acme", "secret": "c2VjcmV0"}
MAILBOX = {"local_part": "new", "domain": "acme.example", "storage_quota_mb": "10", "password": PASSWORD}
NEW_MAILBOX = {"email": "new@acme.example", "password": PASSWORD, "storage_quota": 100}
IN_ADMIN = (
    "accounts/user",
    "usersessions/usersession",
    "tenants/tenant",
    "tenants/member",
    "accounts/impersonation",
    "accounts/apikey",
    "mailhost/job",
)
INVITATION = {"email": "somebody@elsewhere.example", "role": "support"}
NEW_ALIAS = {"source": "info@acme.example", "targets": ["anna@acme.example"]}
ALIAS = {"local_part": "new", "domain": "acme.example", "targets": "anna@acme.example"}


@dataclass(frozen=True)
class Row:
    """`about` names the things of `cast.THINGS` that the address points at, one for each <parameter>; "=mx" stands
    for mx. `body` is input of the right shape: JSON under api/, else a form. `refers` says which of its members point
    at a thing of `THINGS`. `query` is what a GET must be asked.
    """

    method: str
    route: str
    opens_to: frozenset[str]
    about: str = ""
    body: Any = None
    refers: dict[str, str] = field(default_factory=dict)
    # About the person behind the session, whatever their role.
    is_own: bool = False
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")


TABLE = [
    # --- what describes the API, and where everybody comes in -----------------------------------------------------
    Row("GET", "api/docs", EVERYBODY),
    Row("GET", "api/v1/openapi.json", EVERYBODY),
    # What browsers fetch of a brand, whoever they are; of none they get ours.
    Row("GET", "brand/<uid:uid>/<int:revision>.css", EVERYBODY, "=00000000000000000000 =1"),
    Row("GET", "brand/<uid:uid>/<alnum:digest>.png", EVERYBODY, "=00000000000000000000 =0"),
    Row("GET", "healthz", EVERYBODY),
    Row("GET", "readyz", EVERYBODY),
    Row("GET", "sign-in/", SIGN_IN),
    Row("POST", "sign-in/", SIGN_IN),
    Row("POST", "sign-out/", SIGN_IN),
    Row("POST", "language/", SIGN_IN, body={"language": "de"}),
    # Whoever asks from this machine; from elsewhere, the operator alone.
    Row("GET", "metrics", SIGN_IN),
    Row("GET", "sign-in/passkey/", SIGN_IN),
    Row("POST", "sign-in/passkey/", SIGN_IN),
    Row("GET", "sign-in/second-factor/", SIGN_IN),
    Row("POST", "sign-in/second-factor/", SIGN_IN),
    Row("GET", "password/forgotten/", SIGN_IN),
    Row("POST", "password/forgotten/", SIGN_IN),
    Row("GET", "password/forgotten/sent/", SIGN_IN),
    Row("GET", "password/new/<alnum:uidb36>-<str:key>/", SIGN_IN, "tenant tenant"),
    Row("POST", "password/new/<alnum:uidb36>-<str:key>/", SIGN_IN, "tenant tenant"),
    Row("GET", "password/new/set/", SIGN_IN),
    Row("GET", "invitations/<uid:uid>/<str:secret>/", SIGN_IN, "invitation invitation"),
    Row("GET", "mailboxes/invitation/<str:token>/", SIGN_IN, "mailbox"),
    Row("GET", "mailboxes/invitation/", SIGN_IN),
    Row("POST", "mailboxes/invitation/", SIGN_IN),
    Row("GET", "device/<str:token>/", SIGN_IN, "mailbox"),
    Row("GET", "device/", SIGN_IN),
    Row("POST", "device/", SIGN_IN),
    Row("GET", "invitations/accept/", SIGN_IN),
    Row("POST", "invitations/accept/", SIGN_IN),
    # Of mailbox users, whose sessions are none of the panel's: these callers are all nobody there.
    Row("GET", "mailbox/", EVERYBODY),
    Row("GET", "mailbox/sign-in/", EVERYBODY),
    Row("POST", "mailbox/sign-in/", EVERYBODY),
    Row("POST", "mailbox/sign-out/", EVERYBODY),
    Row("GET", "mailbox/devices/", EVERYBODY),
    Row("POST", "mailbox/devices/profile/", EVERYBODY),
    Row("GET", "mailbox/password/", EVERYBODY),
    Row("POST", "mailbox/password/", EVERYBODY),
    Row("GET", "mailbox/app-passwords/", EVERYBODY),
    Row("GET", "mailbox/app-passwords/add/", EVERYBODY),
    Row("POST", "mailbox/app-passwords/add/", EVERYBODY),
    Row("GET", "mailbox/app-passwords/<uid:uid>/revoke/", EVERYBODY, "mailbox"),
    Row("POST", "mailbox/app-passwords/<uid:uid>/revoke/", EVERYBODY, "mailbox"),
    Row("POST", "mailbox/sessions/<uid:uid>/end/", EVERYBODY, "mailbox"),
    # --- one's own ways in ----------------------------------------------------------------------------------------
    Row("GET", "confirm/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "confirm/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "confirm/code/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "confirm/code/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "confirm/passkey/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "confirm/passkey/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/password/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "security/password/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/app/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "security/app/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/app/remove/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "security/app/remove/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/passkeys/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/passkeys/add/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "security/passkeys/add/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/passkeys/<int:pk>/rename/", frozenset({OWNER}), "own_passkey", is_own=True),
    Row("POST", "security/passkeys/<int:pk>/rename/", frozenset({OWNER}), "own_passkey", {"name": "Desk"}, is_own=True),
    Row("GET", "security/passkeys/<int:pk>/remove/", frozenset({OWNER}), "own_passkey", is_own=True),
    Row("POST", "security/passkeys/<int:pk>/remove/", frozenset({OWNER}), "own_passkey", is_own=True),
    Row("GET", "security/recovery-codes/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "security/recovery-codes/new/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "security/recovery-codes/new/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "security/sessions/<int:number>/end/", frozenset({OWNER}), "own_session", is_own=True),
    Row("POST", "security/sessions/end-others/", ANYBODY_SIGNED_IN, is_own=True),
    Row("POST", "switch/<uid:uid>/", frozenset({OWNER, READER, BILLING}), "tenant", is_own=True),
    Row("POST", "signed-in-as/end/", ANYBODY_SIGNED_IN, is_own=True),
    # --- API ------------------------------------------------------------------------------------------------------
    Row("GET", "api/v1/me", ANY_KEY),
    Row("GET", "api/v1/server-info", ANY_KEY),
    # Without the scope a key sees what it has started itself.
    Row("GET", "api/v1/operations", ANY_KEY),
    Row("GET", "api/v1/operations/<str:operation>", SEE | {UNSCOPED}, "operation", is_own=True),
    Row("POST", "api/v1/operations/<str:operation>/cancel", CHANGE, "operation"),
    Row("GET", "api/v1/tenants", ANYBODY_SIGNED_IN),
    Row(
        "POST", "api/v1/tenants", ADD_TENANT, body={"name": "Corvo"}, refers={"parent_id": "tenant", "plan_id": "plan"}
    ),
    Row("GET", "api/v1/tenants/<str:tenant>", SEE | {BILLING}, "tenant"),
    Row("POST", "api/v1/tenants/<str:tenant>/suspend", ABOVE, "tenant", {"reason": "unpaid"}),
    Row("POST", "api/v1/tenants/<str:tenant>/resume", ABOVE, "tenant"),
    Row("PATCH", "api/v1/tenants/<str:tenant>", ABOVE, "tenant", {"name": "Acme & Sons"}),
    Row("DELETE", "api/v1/tenants/<str:tenant>", ABOVE, "tenant"),
    Row("POST", "api/v1/tenants/<str:tenant>/move", ABOVE, "tenant", {"parent_id": "x"}),
    Row("POST", "api/v1/tenants/<str:tenant>/plan", ABOVE, "tenant", {"plan_id": None}),
    Row("POST", "api/v1/tenants/<str:tenant>/preview", ABOVE, "tenant", {"plan_id": "x"}),
    Row("POST", "api/v1/tenants/<str:tenant>/restore", ABOVE, "deleted_tenant"),
    Row("POST", "api/v1/tenants/<str:tenant>/purge", frozenset(), "deleted_tenant"),
    Row("GET", "api/v1/tenants/<str:tenant>/limits", SEE | {BILLING}, "tenant"),
    Row("GET", "api/v1/tenants/<str:tenant>/brand", SEE | {BILLING}, "tenant"),
    # Who may change a brand of their own is told that this one is not theirs.
    Row("PATCH", "api/v1/tenants/<str:tenant>/brand", ABOVE, "tenant", {"name": "Acme"}),
    Row("DELETE", "api/v1/tenants/<str:tenant>/brand", ABOVE, "tenant"),
    Row("PUT", "api/v1/tenants/<str:tenant>/brand/logo", ABOVE, "tenant", {"logo": "AA=="}),
    Row("DELETE", "api/v1/tenants/<str:tenant>/brand/logo", ABOVE, "tenant"),
    Row("GET", "api/v1/tenants/<str:tenant>/brand/host", SEE | {BILLING}, "tenant"),
    Row("PUT", "api/v1/tenants/<str:tenant>/brand/host", ABOVE, "tenant", {"host_name": "panel.corvo.example"}),
    Row("DELETE", "api/v1/tenants/<str:tenant>/brand/host", ABOVE, "tenant"),
    Row("POST", "api/v1/tenants/<str:tenant>/brand/host/verify", ABOVE, "tenant"),
    Row("GET", "api/v1/tenants/<str:tenant>/usage", SEE | {BILLING}, "tenant"),
    Row("GET", "api/v1/usage", ANYBODY_SIGNED_IN),
    Row("GET", "api/v1/plans", ADD_TENANT),
    Row("POST", "api/v1/plans", ADD_TENANT, body={"name": "Large", "limits": {"mailboxes": 9}}),
    Row("GET", "api/v1/plans/<str:plan>", ABOVE, "plan"),
    Row("PATCH", "api/v1/plans/<str:plan>", ABOVE, "plan", {"limits": {"mailboxes": 8}}),
    Row("DELETE", "api/v1/plans/<str:plan>", ABOVE, "plan"),
    Row("POST", "api/v1/plans/<str:plan>/upgrade", ABOVE, "plan"),
    Row("POST", "api/v1/plans/<str:plan>/preview", ABOVE, "plan"),
    Row("GET", "api/v1/api-keys", LIST),
    Row(
        "POST",
        "api/v1/api-keys",
        ADD,
        body={"name": "billing", "scopes": ["domains:read"]},
        refers={"tenant_id": "tenant", "bound_to_id": "tenant"},
    ),
    Row("GET", "api/v1/api-keys/<str:key>", SEE, "key"),
    Row("DELETE", "api/v1/api-keys/<str:key>", CHANGE, "key"),
    Row("GET", "api/v1/members", LIST),
    Row("GET", "api/v1/members/<str:member>", SEE, "member"),
    Row("PATCH", "api/v1/members/<str:member>", CHANGE, "member", {"role": "read_only"}),
    Row("DELETE", "api/v1/members/<str:member>", CHANGE, "member"),
    Row("GET", "api/v1/invitations", LIST),
    Row("POST", "api/v1/invitations", ADD, body=INVITATION, refers={"tenant_id": "tenant"}),
    Row("GET", "api/v1/invitations/<str:invitation>", SEE, "invitation"),
    Row("DELETE", "api/v1/invitations/<str:invitation>", CHANGE, "invitation"),
    Row("POST", "api/v1/invitations/<str:invitation>/resend", CHANGE, "invitation"),
    Row("GET", "api/v1/domains", LIST),
    Row("POST", "api/v1/domains", ADD, body={"name": "new.example"}, refers={"alias_of": "domain"}),
    Row("GET", "api/v1/domains/<str:domain>", SEE, "domain"),
    Row("PUT", "api/v1/domains/<str:domain>", CHANGE, "domain", {"enabled": False}),
    Row("PATCH", "api/v1/domains/<str:domain>", CHANGE, "domain", {"enabled": False}),
    Row("DELETE", "api/v1/domains/<str:domain>", CHANGE, "domain"),
    Row("POST", "api/v1/domains/<str:domain>/restore", CHANGE, "removed_domain"),
    Row("POST", "api/v1/domains/<str:domain>/verify", CHANGE, "domain"),
    Row("GET", "api/v1/domains/<str:domain>/records", SEE, "domain"),
    Row("POST", "api/v1/domains/<str:domain>/check", CHANGE, "domain"),
    Row("GET", "api/v1/domains/<str:domain>/checks", SEE, "domain"),
    Row("GET", "api/v1/domains/<str:domain>/mta-sts", SEE, "domain"),
    Row("GET", "api/v1/domains/<str:domain>/reports/dmarc", SEE, "domain"),
    Row("PUT", "api/v1/domains/<str:domain>/reports/dmarc", CHANGE, "domain", {"policy": "none"}),
    Row("GET", "api/v1/domains/<str:domain>/reports/tls", SEE, "domain"),
    Row("PUT", MAIL_SOURCE, CHANGE, "domain =192.0.2.25", {"mark": "ours"}),
    Row("PUT", "api/v1/domains/<str:domain>/mta-sts", CHANGE, "domain", {"mode": "testing"}),
    Row("GET", "api/v1/domains/<str:domain>/logo", SEE, "domain"),
    Row("PUT", "api/v1/domains/<str:domain>/logo", CHANGE, "domain", LOGO),
    Row("DELETE", "api/v1/domains/<str:domain>/logo", CHANGE, "domain"),
    Row("GET", "api/v1/domains/<str:domain>/dkim", SEE, "domain"),
    Row("PUT", "api/v1/domains/<str:domain>/dkim", CHANGE, "domain", {"by_alias": False}),
    Row("GET", "api/v1/domains/<str:domain>/dkim-keys", SEE, "domain"),
    Row("POST", "api/v1/domains/<str:domain>/dkim-keys", CHANGE, "domain"),
    Row("DELETE", "api/v1/domains/<str:domain>/dkim-keys/next", CHANGE, "domain_with_keys"),
    Row("GET", "api/v1/domains/<str:domain>/zone-access", SEE, "connected_domain"),
    Row("POST", "api/v1/domains/<str:domain>/zone-access", CHANGE, "connected_domain", ZONE_ACCESS),
    Row("DELETE", "api/v1/domains/<str:domain>/zone-access", CHANGE, "connected_domain"),
    Row("GET", "api/v1/domains/<str:domain>/publish", SEE, "connected_domain"),
    Row("POST", "api/v1/domains/<str:domain>/publish", CHANGE, "connected_domain"),
    Row("POST", "api/v1/domains/<str:domain>/publish/undo", CHANGE, "connected_domain"),
    Row("POST", "api/v1/dns/check", LIST, body={"domain": "printer.example"}),
    Row("POST", "api/v1/dns/spf", LIST, body={"mx": True}),
    Row("POST", "api/v1/dns/dmarc", LIST, body={"policy": "none"}),
    Row("GET", "api/v1/dns/<str:kind>/<str:name>", LIST, "=mx =printer.example"),
    Row("GET", "api/v1/domains/<str:domain>/zone", SEE, "domain"),
    Row("GET", "api/v1/mailboxes", LIST),
    Row(
        "POST",
        "api/v1/mailboxes",
        ADD,
        body=NEW_MAILBOX,
    ),
    Row("POST", "api/v1/mailboxes/batch", ADD, body={"mode": "atomic", "items": [NEW_MAILBOX]}),
    Row("GET", "api/v1/mailboxes/<str:mailbox>", SEE, "mailbox"),
    Row("PUT", "api/v1/mailboxes/<str:mailbox>", CHANGE, "mailbox", {"storage_quota": 700}),
    Row("PATCH", "api/v1/mailboxes/<str:mailbox>", CHANGE, "mailbox", {"storage_quota": 700}),
    Row("DELETE", "api/v1/mailboxes/<str:mailbox>", CHANGE, "mailbox"),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/password", CHANGE, "mailbox", {"password": PASSWORD}),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/invite", CHANGE, "mailbox", {"to": "new@partner.example"}),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/suspend", CHANGE, "mailbox"),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/resume", CHANGE, "mailbox"),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/restore", CHANGE, "deleted_mailbox"),
    Row("GET", "api/v1/mailboxes/<str:mailbox>/activity", SEE, "mailbox"),
    Row("GET", "api/v1/mailboxes/<str:mailbox>/app-passwords", SEE, "mailbox"),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/app-passwords", CHANGE, "mailbox", {"name": "Phone"}),
    Row("POST", "api/v1/mailboxes/<str:mailbox>/profile-links", CHANGE, "mailbox"),
    Row("GET", ONE_APP_PASSWORD, SEE, "mailbox app_password"),
    Row("PATCH", ONE_APP_PASSWORD, CHANGE, "mailbox app_password", {"name": "Old phone"}),
    Row("DELETE", ONE_APP_PASSWORD, CHANGE, "mailbox app_password"),
    Row("GET", "api/v1/audit-events", ANYBODY_SIGNED_IN),
    Row("GET", "api/v1/audit-events/export", ANYBODY_SIGNED_IN),
    Row("GET", "api/v1/audit-events/<str:event>", SEE | {BILLING}, "event"),
    Row("GET", "api/v1/billing-events", ANYBODY_SIGNED_IN),
    Row("GET", "api/v1/webhook-endpoints", ADD),
    Row("POST", "api/v1/webhook-endpoints", ADD, body={"url": "https://hooks.elsewhere.example/in"}),
    Row("GET", WEBHOOK, CHANGE, "webhook"),
    Row("PATCH", WEBHOOK, CHANGE, "webhook", {"description": "Billing"}),
    Row("DELETE", WEBHOOK, CHANGE, "webhook"),
    Row("POST", f"{WEBHOOK}/rotate-secret", CHANGE, "webhook"),
    Row("POST", f"{WEBHOOK}/test", CHANGE, "webhook"),
    Row("GET", f"{WEBHOOK}/deliveries", CHANGE, "webhook"),
    Row("GET", f"{WEBHOOK}/deliveries/<str:delivery>", CHANGE, "webhook delivery"),
    Row("POST", f"{WEBHOOK}/deliveries/<str:delivery>/redeliver", CHANGE, "webhook delivery"),
    Row("GET", "api/v1/state", LIST),
    Row("PUT", "api/v1/state", ADD, body={"mailboxes": []}),
    Row("GET", "api/v1/explain", LIST, query="recipient=anna@acme.example"),
    Row("GET", "api/v1/aliases", LIST),
    Row("POST", "api/v1/aliases", ADD, body=NEW_ALIAS),
    Row("POST", "api/v1/aliases/batch", ADD, body={"mode": "atomic", "items": [NEW_ALIAS]}),
    Row("GET", DENIED, SEE, "domain"),
    Row("POST", DENIED, CHANGE, "domain", {"address": "spam"}),
    Row("GET", f"{DENIED}/<str:denied>", SEE, "domain denied"),
    Row("DELETE", f"{DENIED}/<str:denied>", CHANGE, "domain denied"),
    Row("GET", "api/v1/aliases/<str:alias>", SEE, "alias"),
    Row("PATCH", "api/v1/aliases/<str:alias>", CHANGE, "alias", {"enabled": False}),
    Row("DELETE", "api/v1/aliases/<str:alias>", CHANGE, "alias"),
    # --- pages ----------------------------------------------------------------------------------------------------
    Row("GET", "", ANYBODY_SIGNED_IN),
    Row("GET", "overview/limits/", ANYBODY_SIGNED_IN),
    Row("GET", "search/", ANYBODY_SIGNED_IN),
    Row("POST", "overview/checklist/", ANYBODY_SIGNED_IN, is_own=True),
    Row("GET", "customers/", ANYBODY_SIGNED_IN),
    Row("GET", "customers/tree/", ADD_TENANT),
    Row("GET", "customers/add/", ADD_TENANT),
    Row("POST", "customers/add/", ADD_TENANT, body={"name": "Corvo", "kind": "customer"}),
    Row("GET", "customers/<uid:uid>/", ABOVE, "tenant"),
    Row("GET", "customers/<uid:uid>/edit/", ABOVE, "tenant"),
    Row("POST", "customers/<uid:uid>/edit/", ABOVE, "tenant", {"name": "Acme & Sons"}),
    Row("GET", "customers/<uid:uid>/suspend/", ABOVE, "tenant"),
    Row("POST", "customers/<uid:uid>/suspend/", ABOVE, "tenant", {"reason": "unpaid", "blocks": ["sending"]}),
    Row("POST", "customers/<uid:uid>/resume/", ABOVE, "tenant"),
    Row("GET", "customers/<uid:uid>/move/", ABOVE, "tenant"),
    Row("POST", "customers/<uid:uid>/move/", frozenset(), "tenant"),
    Row("GET", "customers/<uid:uid>/plan/", ABOVE, "tenant"),
    Row("POST", "customers/<uid:uid>/plan/", ABOVE, "tenant"),
    Row("POST", "customers/<uid:uid>/delete/", ABOVE, "tenant"),
    Row("POST", "customers/<uid:uid>/restore/", ABOVE, "deleted_tenant"),
    # The operator's alone.
    Row("GET", "customers/<uid:uid>/purge/", frozenset(), "deleted_tenant"),
    Row("POST", "customers/<uid:uid>/purge/", frozenset(), "deleted_tenant"),
    Row("GET", "branding/", ADD_TENANT),
    Row("POST", "branding/", ADD_TENANT, body={"name": "Corvo", "light": "#1f5fbf", "dark": "#8db8ff"}),
    Row("GET", "branding/preview.css", ADD_TENANT),
    Row("POST", "branding/logo/", ADD_TENANT),
    Row("POST", "branding/logo/remove/", ADD_TENANT),
    Row("POST", "branding/logo/restore/", ADD_TENANT),
    Row("POST", "branding/host/", ADD_TENANT, body={"host_name": "panel.corvo.example"}),
    Row("POST", "branding/host/verify/", ADD_TENANT),
    Row("GET", "branding/remove/", ADD_TENANT),
    Row("POST", "branding/remove/", ADD_TENANT, body={"typed": "Corvo"}),
    Row("GET", "plans/", ADD_TENANT),
    Row("GET", "plans/add/", ADD_TENANT),
    Row("POST", "plans/add/", ADD_TENANT, body={"name": "Large", "mailboxes": "9"}),
    Row("GET", "plans/<uid:uid>/", ABOVE, "plan"),
    Row("POST", "plans/<uid:uid>/", ABOVE, "plan", {"name": "Acme's plan", "mailboxes": "8"}),
    Row("GET", "plans/<uid:uid>/upgrade/", ABOVE, "plan"),
    Row("POST", "plans/<uid:uid>/upgrade/", ABOVE, "plan"),
    Row("POST", "plans/<uid:uid>/retire/", ABOVE, "plan"),
    Row("POST", "plans/<uid:uid>/restore/", ABOVE, "retired_plan"),
    Row("GET", "usage/", ANYBODY_SIGNED_IN),
    Row("GET", "audit/", ANYBODY_SIGNED_IN),
    # The operator's alone.
    Row("GET", "signing/", frozenset()),
    Row("GET", "style/", frozenset()),
    Row("GET", "health/", frozenset()),
    Row("GET", "health/host/", frozenset()),
    Row("POST", "health/host/look/", frozenset()),
    Row("GET", "api/v1/mail-host", frozenset()),
    Row("GET", "jobs/", frozenset()),
    Row("POST", "jobs/<int:number>/retry/", frozenset(), "own_session"),
    Row("GET", "jobs/<int:number>/discard/", frozenset(), "own_session"),
    Row("POST", "jobs/<int:number>/discard/", frozenset(), "own_session"),
    Row("POST", "jobs/<int:number>/recall/", frozenset(), "own_session"),
    Row("GET", "audit/<uid:uid>/", SEE | {BILLING}, "event"),
    Row("GET", "audit/export.csv", ANYBODY_SIGNED_IN),
    Row("GET", "audit/export.json", ANYBODY_SIGNED_IN),
    # Django's admin, the operator's alone.
    Row("POST", "admin/logout/", SIGN_IN),
    Row("GET", "admin/", frozenset()),
    Row("GET", "admin/password/", frozenset()),
    Row("GET", "admin/jsi18n/", frozenset()),
    Row("GET", "admin/<slug:app_label>/", frozenset(), "tenant"),
    *(Row("GET", f"admin/{model}/", frozenset()) for model in IN_ADMIN),
    *(Row("GET", f"admin/{model}/<int:object_id>/", frozenset(), "own_session") for model in IN_ADMIN),
    Row("GET", "members/", LIST),
    Row("GET", "members/invite/", ADD),
    Row("POST", "members/invite/", ADD, body=INVITATION),
    Row("POST", "members/second-factor/", ADD, body={"second_factor": "leaders"}),
    Row("GET", "members/<uid:uid>/", CHANGE, "member"),
    Row("POST", "members/<uid:uid>/", CHANGE, "member", {"role": "read_only"}),
    Row("GET", "members/<uid:uid>/remove/", CHANGE, "member"),
    Row("POST", "members/<uid:uid>/remove/", CHANGE, "member", {"typed": "support@acme.example"}),
    Row("GET", "members/<uid:uid>/sign-in-as/", ABOVE, "member"),
    Row("POST", "members/<uid:uid>/sign-in-as/", ABOVE, "member", {"reason": "They asked on the telephone."}),
    Row("POST", "members/invitations/<uid:uid>/resend/", CHANGE, "invitation"),
    Row("POST", "members/invitations/<uid:uid>/revoke/", CHANGE, "invitation"),
    Row("POST", "members/invitations/<uid:uid>/restore/", CHANGE, "revoked_invitation"),
    Row("GET", "signed-in-as/", LIST),
    Row("GET", "keys/", LIST),
    Row("GET", "keys/add/", ADD),
    Row("POST", "keys/add/", ADD, body={"name": "new", "scope_domains": "read"}),
    Row("POST", "keys/<uid:uid>/revoke/", CHANGE, "key"),
    Row("POST", "keys/<uid:uid>/restore/", CHANGE, "revoked_key"),
    Row("GET", "domains/", LIST),
    Row("GET", "domains/add/", ADD),
    Row("POST", "domains/add/", ADD, body={"name": "new.example"}),
    Row("GET", "domains/<uid:uid>/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/defaults/", CHANGE, "domain", {"default_quota_mb": "2 GB"}),
    Row("GET", "domains/removed/", LIST),
    Row("POST", "domains/<uid:uid>/restore/", CHANGE, "removed_domain"),
    Row("GET", "domains/<uid:uid>/settings/", SEE, "domain"),
    Row("GET", "domains/<uid:uid>/reports/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/reports/policy/", CHANGE, "domain", {"policy": "none"}),
    Row("POST", "mail-sources/<uid:uid>/mark/", CHANGE, "mail_source", {"mark": "ours"}),
    Row("GET", "reports/set-aside/", frozenset()),
    Row("GET", "domains/<uid:uid>/zone/", SEE, "domain"),
    Row("GET", "domains/<uid:uid>/history/", SEE, "domain"),
    Row("GET", "domains/<uid:uid>/publishing/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/publishing/connect/", CHANGE, "domain", ZONE_ACCESS),
    Row("GET", "domains/<uid:uid>/publishing/disconnect/", CHANGE, "connected_domain"),
    Row(
        "POST",
        "domains/<uid:uid>/publishing/disconnect/",
        CHANGE,
        "connected_domain",
        {"typed": "acme-zone.example"},
    ),
    Row("POST", "domains/<uid:uid>/publishing/publish/", CHANGE, "domain"),
    Row("POST", "domains/<uid:uid>/publishing/undo/", CHANGE, "domain"),
    Row("GET", "domains/<uid:uid>/logo/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/logo/", CHANGE, "domain", LOGO),
    Row("POST", "domains/<uid:uid>/logo/remove/", CHANGE, "domain"),
    Row("GET", "domains/<uid:uid>/keys/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/keys/rotate/", CHANGE, "domain"),
    Row("POST", "domains/<uid:uid>/keys/delegate/", CHANGE, "domain"),
    Row("POST", "domains/<uid:uid>/keys/import/", CHANGE, "domain", {"selector": "x", "private_pem": "x"}),
    Row("POST", "domains/<uid:uid>/keys/abandon/", CHANGE, "domain"),
    Row("GET", "domains/add/found/", LIST),
    Row("GET", "dns/", LIST),
    Row("GET", "dns/look-up/", LIST),
    Row("GET", "dns/spf/", LIST),
    Row("GET", "dns/dmarc/", LIST),
    Row("POST", "domains/<uid:uid>/verify/", CHANGE, "domain"),
    Row("POST", "domains/<uid:uid>/check/", CHANGE, "domain"),
    Row("GET", "domains/<uid:uid>/check/turned/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/enable/", CHANGE, "domain"),
    Row("POST", "domains/<uid:uid>/disable/", CHANGE, "domain"),
    Row("POST", "domains/<uid:uid>/delete/", CHANGE, "domain", {"typed": "acme.example"}),
    Row("GET", "mailboxes/", LIST),
    Row("GET", "mailboxes/bin/", LIST),
    Row("GET", "mailboxes/export.csv", LIST),
    # Who may do none of it is told so by the act itself, after the rows were looked for in their own scope.
    Row("POST", "mailboxes/bulk/", LIST, body={"act": "export"}),
    Row("POST", "mailboxes/undo/", LIST),
    Row("GET", "mailboxes/add/", ADD),
    Row("POST", "mailboxes/add/", ADD, body=MAILBOX),
    Row("GET", "mailboxes/check/", ADD),
    Row("GET", "mailboxes/<uid:uid>/", SEE, "mailbox"),
    Row("GET", "mailboxes/<uid:uid>/aliases/", SEE, "mailbox"),
    Row("GET", "mailboxes/<uid:uid>/sign-ins/", SEE, "mailbox"),
    Row("GET", "mailboxes/<uid:uid>/app-passwords/", SEE, "mailbox"),
    Row("POST", "mailboxes/<uid:uid>/update/", CHANGE, "mailbox", {"storage_quota_mb": "10"}),
    Row("POST", "mailboxes/<uid:uid>/password/", CHANGE, "mailbox", {"password": PASSWORD}),
    Row("POST", "mailboxes/<uid:uid>/suspend/", CHANGE, "mailbox"),
    Row("POST", "mailboxes/<uid:uid>/resume/", CHANGE, "mailbox"),
    Row("POST", "mailboxes/<uid:uid>/delete/", CHANGE, "mailbox"),
    Row("POST", "mailboxes/<uid:uid>/restore/", CHANGE, "deleted_mailbox"),
    Row("GET", "mailboxes/<uid:uid>/devices/", SEE, "mailbox"),
    Row("POST", "mailboxes/<uid:uid>/devices/link/", CHANGE, "mailbox"),
    Row("GET", "mailboxes/<uid:uid>/app-passwords/add/", CHANGE, "mailbox"),
    Row("POST", "mailboxes/<uid:uid>/app-passwords/add/", CHANGE, "mailbox", {"name": "Phone", "imap": "on"}),
    Row("GET", "app-passwords/<uid:uid>/revoke/", CHANGE, "app_password"),
    Row("POST", "app-passwords/<uid:uid>/revoke/", CHANGE, "app_password", {"typed": "Phone"}),
    Row("GET", "webhooks/", ADD),
    Row("GET", "webhooks/add/", ADD),
    Row("POST", "webhooks/add/", ADD, body={"url": "https://hooks.elsewhere.example/in"}),
    Row("GET", "webhooks/<uid:uid>/", CHANGE, "webhook"),
    Row("POST", "webhooks/<uid:uid>/enable/", CHANGE, "webhook"),
    Row("POST", "webhooks/<uid:uid>/disable/", CHANGE, "webhook"),
    Row("POST", "webhooks/<uid:uid>/rotate/", CHANGE, "webhook"),
    Row("POST", "webhooks/<uid:uid>/test/", CHANGE, "webhook"),
    Row("GET", "webhooks/<uid:uid>/delete/", CHANGE, "webhook"),
    Row("POST", "webhooks/<uid:uid>/delete/", CHANGE, "webhook", {"typed": "hooks.acme.example"}),
    Row("POST", "webhook-deliveries/<uid:uid>/redeliver/", CHANGE, "delivery"),
    Row("GET", "test-message/", ADD),
    Row("POST", "test-message/", ADD, body={"mailbox": "anna@acme.example"}),
    Row("GET", "test-message/<uid:uid>/", CHANGE, "trial"),
    Row("GET", "import/", ADD),
    Row("POST", "import/", ADD, body={"kind": "aliases", "pasted": "team@new.example: anna@partner.example"}),
    Row("GET", "import/ended/", ANYBODY_SIGNED_IN),
    Row("GET", "import/<uid:uid>/", CHANGE, "import"),
    Row("POST", "import/<uid:uid>/start/", CHANGE, "import"),
    Row("POST", "import/<uid:uid>/discard/", CHANGE, "import"),
    Row("GET", "import/<uid:uid>/report.csv", CHANGE, "import"),
    Row("GET", "explain/", LIST),
    Row("GET", "aliases/", LIST),
    Row("GET", "aliases/check/", ADD),
    Row("GET", "aliases/add/", ADD),
    Row("POST", "aliases/add/", ADD, body=ALIAS),
    Row("POST", "aliases/undo/", ADD),
    Row("GET", "domains/<uid:uid>/catch-all/", SEE, "domain"),
    Row("POST", "domains/<uid:uid>/catch-all/", CHANGE, "domain", {"address": "spam"}),
    Row("POST", "domains/<uid:uid>/catch-all/undo/", CHANGE, "domain"),
    Row("POST", "denied-addresses/<uid:uid>/allow/", CHANGE, "denied"),
    Row("POST", "aliases/<uid:uid>/enable/", CHANGE, "alias"),
    Row("POST", "aliases/<uid:uid>/disable/", CHANGE, "alias"),
    Row("POST", "aliases/<uid:uid>/delete/", CHANGE, "alias"),
]
# Every other path under api/: a problem that says so, for everybody.
NOWHERE = r"^api(?:/.*)?$"
