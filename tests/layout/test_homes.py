"""What crosses tenants, speaks SQL or asks the DNS stands in the files named here; a new one is a decision."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = (
    *("mailhost", "tenants", "audit", "accounts", "domains", "mailboxes", "dns", "mailconfig", "guard", "selfservice"),
    *("clientsetup", "reports", "webhooks", "billing", "longwork", "health"),
)

CROSSES_TENANTS = {
    # The record is verified as a whole.
    "audit/management/commands/audit.py",
    "audit/verify.py",
    # Who is asking is found before a tenant is known.
    "accounts/actors.py",
    "accounts/api_keys.py",
    "accounts/invitations.py",
    "accounts/second_factor.py",
    "accounts/standing.py",
    "accounts/tasks.py",
    "accounts/operations.py",
    "accounts/management/commands/key.py",
    "accounts/management/commands/plan.py",
    "accounts/management/commands/tenant.py",
    "accounts/management/who.py",
    # The signer's tables are of all domains; a task gets an id and no actor.
    "dns/key_operations.py",
    "dns/operations.py",
    "dns/tasks.py",
    "domains/tasks.py",
    "mailboxes/tasks.py",
    # A name, an address or a chain of aliases may touch what others own; what is told of it is decided there.
    "domains/claims.py",
    "domains/locks.py",
    "domains/operations.py",
    "domains/proof_operations.py",
    "domains/removal_operations.py",
    "mailboxes/alias_operations.py",
    "mailboxes/contents.py",
    "mailboxes/kept.py",
    "mailboxes/links.py",
    "mailboxes/ownership.py",
    "mailboxes/invitations.py",
    "mailboxes/waiting.py",
    # A mailbox user is found before a tenant is known.
    "selfservice/operations.py",
    "selfservice/sessions.py",
    "selfservice/tasks.py",
    "clientsetup/hosted.py",
    "clientsetup/operations.py",
    "clientsetup/tasks.py",
    # Reports of all domains come to one mailbox.
    "reports/tasks.py",
    # Endpoints of any tenant above a thing are told of it; a task gets an id and no actor.
    "webhooks/operations.py",
    "webhooks/outbox.py",
    "webhooks/tasks.py",
    "billing/tasks.py",
    "longwork/tasks.py",
    # What lies above a tenant decides about it; the clock and a purge go by id, and find what is hidden.
    "accounts/purge.py",
    "mailboxes/purge.py",
    "tenants/brand_operations.py",
    "tenants/brands.py",
    "tenants/host_operations.py",
    "tenants/breaches.py",
    "tenants/move_operations.py",
    "tenants/purge.py",
    "tenants/tasks.py",
    "tenants/messages.py",
    "mailboxes/fullness.py",
    "tenants/usage.py",
    "tenants/limits.py",
    "tenants/locks.py",
    "tenants/operations.py",
}
SPEAKS_SQL = {
    "mailhost/prepared.py",
    "mailhost/inserts.py",
    "audit/chain.py",
    "tenants/effective.py",
    "tenants/limits.py",
    "tenants/locks.py",
    "tenants/move_operations.py",
    "domains/effective.py",
    "mailboxes/alias_arrivals.py",
    "mailboxes/arrivals.py",
    "mailboxes/chains.py",
    "mailboxes/effective.py",
    "mailboxes/fullness.py",
    "mailboxes/kept.py",
    "mailboxes/mirror.py",
    "mailboxes/usage.py",
    "mailboxes/questions.py",
    "mailconfig/grants.py",
}
ASKS_DNS = {"dns/lookup.py", "dns/nsupdate.py"}
DNSPYTHON = {"resolver", "query", "message", "update", "nameserver", "exception", "rdatatype", "asyncresolver"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for app in OURS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def calls(tree: ast.Module) -> set[str]:
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }


def imports_dnspython(tree: ast.Module) -> bool:
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return any(module.startswith("dns.") and module.split(".")[1] in DNSPYTHON for module in modules)


@pytest.mark.parametrize(
    ("homes", "lives_there"),
    [
        (CROSSES_TENANTS, lambda tree: "every_tenant" in calls(tree)),
        (SPEAKS_SQL, lambda tree: bool({"execute", "executemany", "raw", "extra", "RawSQL"} & calls(tree))),
        (ASKS_DNS, imports_dnspython),
    ],
    ids=["every_tenant", "SQL", "dnspython"],
)
def test_it_stands_in_its_named_files_and_nowhere_else(homes, lives_there):
    found = {name for name, tree in sources() if lives_there(tree)}

    assert found - {"mailhost/scope.py"} == homes
