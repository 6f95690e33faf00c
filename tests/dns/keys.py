"""Keys that sign already, for tests of what comes after."""

from django.utils import timezone

from dns import tasks
from dns.models import DkimKey, KeyState
from dns.operations import want_tables
from mailhost.scope import every_tenant


def give_signing_key(domain_id: int, domain_name: str = "") -> DkimKey:
    """Make the domain's key and let it sign, as if every server of its zone had shown it. Unless the domain is named,
    the signer hears only that something has changed."""
    tasks.make_key(domain_id)
    with every_tenant("a test lays its ground"):
        key = DkimKey.objects.filter(domain_id=domain_id).latest("pk")
        if key.state in {KeyState.PENDING, KeyState.PUBLISHED}:
            key.state, key.state_since = KeyState.ACTIVE, timezone.now()
            key.save(update_fields=["state", "state_since"])
            want_tables(domain_name)
    return key
