"""Who is acting, and for which tenant."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """What a request, a task or a command may do and see. Made once per request by `accounts.middleware`
    or by the API key, once per run by a command; `tenant_path` is the subtree that is in scope.

    `home_tenant_id` is the tenant whose person or key it is, where that is not `tenant_id`.
    `domain_ids` are the only domains in reach, None for all of the subtree; whoever `is_test` changes nothing.
    `impersonator` and `impersonator_id` name the person who has signed in as this one: every act is theirs, too.
    """

    tenant_id: int
    tenant_path: str
    permissions: frozenset[str]
    role: str = ""
    label: str = ""
    user_id: int | None = None
    key_id: int | None = None
    address: str = ""
    tenant_name: str = ""
    tenant_kind: str = ""
    # What of the tenant is suspended and why, for its people to read; empty while all of it works.
    notice: str = ""
    home_tenant_id: int | None = None
    domain_ids: frozenset[int] | None = None
    is_test: bool = False
    # (tenant id, API requests a minute) of everybody from the root down whose plan limits them.
    api_rates: tuple[tuple[int, int], ...] = ()
    impersonator: str = ""
    impersonator_id: int | None = None

    def may(self, action: str) -> bool:
        return action in self.permissions
