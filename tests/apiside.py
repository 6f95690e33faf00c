"""Who calls the API in tests, and what there is to call it about."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.actors import system_actor
from accounts.key_rules import grantable
from accounts.operations import create_api_key
from domains.models import Domain
from mailboxes.models import Alias, Mailbox
from mailhost.actor import Actor
from mailhost.api.rules import RULES
from tenants.models import Role, Tenant
from tests.world import a_mailbox, actor_of, an_alias, make_world, verified_domain

ROOT = "/api/v1"
PROBLEM = "application/problem+json"


class Caller(Client):
    """An HTTP client with a key, that speaks JSON to the whole URL map."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__(headers={"authorization": f"Bearer {key}"} if key else {})

    def call(self, method: str, path: str, body: Any = "", content_type: str = "application/json", **options: Any):
        """Send `body` as JSON, or as it is when it is text or bytes."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        answer = self.generic(method, ROOT + path, data, content_type=content_type, **options)
        assert rule_codes(answer) <= RULES.keys(), answer.content
        return answer

    def read(self, path: str) -> Any:
        """Return what a GET that must succeed answers."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()


@dataclass
class Customer:
    """A tenant with one proven domain, a mailbox, an alias to it, and keys by role."""

    tenant: Tenant
    domain: Domain
    mailbox: Mailbox
    alias: Alias
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        return actor_of(self.tenant)

    def caller(self, role: str = Role.ADMIN) -> Caller:
        if role not in self.keys:
            self.keys[role] = make_key(self.tenant, role)
        return Caller(self.keys[role])


@dataclass
class Cast:
    operator: Tenant
    rita: Tenant
    acme: Customer
    bolt: Customer


def make_cast() -> Cast:
    """Write the tests' world, with something of each kind for Acme and for Bolt."""
    world = make_world()
    return Cast(world.operator, world.rita, furnished(world.acme), furnished(world.bolt))


def furnished(tenant: Tenant) -> Customer:
    actor, name = actor_of(tenant), f"{tenant.name.lower()}.example"
    domain = verified_domain(actor, name)
    mailbox = a_mailbox(actor, f"anna@{name}", storage_quota_mb=500)
    aliases = an_alias(actor, f"sales@{name}", f"anna@{name}", "x@partner.example")
    return Customer(tenant, domain, mailbox, aliases[0])


def make_key(tenant: Tenant, role: str = Role.ADMIN) -> str:
    """Return a key that may do what the scopes allow that this role has as a whole."""
    actor, scopes = system_actor(tenant, "tests"), scopes_of(tenant, role)
    _, text = create_api_key(actor, tenant=tenant, name=f"{role} key", scopes=scopes)
    return text


def scopes_of(tenant: Tenant, role: str = Role.ADMIN) -> list[str]:
    return grantable(actor_of(tenant, role), tenant.kind)


def rule_codes(answer) -> set[str]:
    """Return the codes inside `errors` of an answer, wherever they stand in it."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    return set(_codes(answer.json())) if kind in {"application/json", PROBLEM} and not answer.streaming else set()


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _codes(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "errors" and isinstance(inner, list):
                yield from (error["code"] for error in inner if isinstance(error, dict) and "code" in error)
            else:
                yield from _codes(inner)


def assert_problem(answer, status: int, code: str) -> dict[str, Any]:
    """Hold an answer to RFC 9457 and to our members of it; return them."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == PROBLEM
    members = answer.json()
    assert members["status"] == status
    assert members["code"] == code
    assert members["type"].endswith(f"/api/docs#{code}")
    assert members["title"]
    assert members["detail"]
    assert members["request_id"]
    assert set(members) <= {"type", "title", "status", "code", "detail", "request_id", "errors"}
    return members


def errors_of(answer) -> list[tuple[str, str]]:
    """Return (pointer, code) of each input that was at fault."""
    return [(error["pointer"], error["code"]) for error in assert_problem(answer, 422, "validation_failed")["errors"]]
