"""`mailhostctl key …`: API keys."""

from typing import Any

from accounts.management.who import acting, tenant_named
from accounts.models import ApiKey
from accounts.operations import create_api_key, revoke_api_key
from mailhost.api.ids import find
from mailhost.management.noun import NotFound, Noun, Said, verb
from mailhost.scope import every_tenant


class Command(Noun):
    help = "Keys that open the API."

    @verb("List every key that is not revoked.")
    def list_(self) -> list[dict[str, Any]]:
        with every_tenant("a command lists the keys of all"):
            rows = ApiKey.objects.filter(revoked_at=None).select_related("tenant", "bound_to").order_by("pk")
            return [shown(key) for key in rows]

    @verb(
        "Create a key. Its text is shown this once and stored nowhere.",
        tenant={"help": "the id of the tenant whose key it is, ten_…"},
        name={},
        scope={"required": True, "action": "append", "help": "for example domains:read; give one or more"},
        domain={"action": "append", "help": "only this domain; give none or more"},
        network={"action": "append", "help": "only from this network; give none or more"},
        test={"action": "store_true", "help": "a key whose changes are checked and not done"},
    )
    def create(self, *, tenant, name, scope, domain, network, test) -> Said:
        key, text = create_api_key(
            acting("key create"),
            tenant=tenant_named(tenant),
            name=name,
            scopes=scope,
            domains=domain or [],
            networks=network or [],
            is_test=test,
        )
        return Said({**shown(key), "key": text}, text)

    @verb("Make a key worthless at once.", key={"help": "its id, key_…"})
    def revoke(self, key: str) -> dict[str, Any]:
        try:
            with every_tenant("a command names any key"):
                row = find(ApiKey.objects.filter(revoked_at=None), key, prefix="key")
        except ApiKey.DoesNotExist:
            raise NotFound(f"There is no key {key}. `mailhostctl key list` shows them.") from None
        return shown(revoke_api_key(acting("key revoke"), key=row))


def shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": f"key_{key.uid}",
        "name": key.name,
        "tenant": key.tenant.name,
        "begins_with": key.beginning,
        "scopes": key.scopes,
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
    }
