"""`mailhostctl audit …`: is the record of changes whole?"""

import json
from pathlib import Path

from audit.verify import Finding, Head, verify
from mailhost.api.ids import public_id
from mailhost.management.noun import Exit, NotFound, Noun, Said, verb
from mailhost.scope import every_tenant
from tenants.models import Tenant


class Command(Noun):
    help = "The record of every change."

    @verb(
        "Read every tenant's chain and say which events were changed, removed or moved.",
        against={"type": Path, "default": None, "help": "what `--json` wrote on an earlier day and was kept elsewhere"},
    )
    def verify(self, against: Path | None) -> Said:
        with every_tenant("chains are told by their tenants' names"):
            tenants = {tenant.pk: tenant for tenant in Tenant.objects.all()}
        ids = {public_id("ten", tenant): pk for pk, tenant in tenants.items()}
        heads, findings = verify(_kept(against, ids) if against else None)
        names = {pk: key for key, pk in ids.items()}
        data = {
            "events": sum(head.length for head in heads.values()),
            "heads": {names.get(pk, str(pk)): {"length": head.length, "hash": head.hash} for pk, head in heads.items()},
            "findings": [
                {"tenant": names.get(one.tenant_id, str(one.tenant_id)), "event": one.sequence, "fault": one.fault}
                for one in findings
            ],
        }
        if not findings:
            return Said(data, f"{data['events']} events of {len(heads)} tenants: nothing is changed, missing or moved.")
        return Said(data, "\n".join(sentence(one, tenants) for one in findings), Exit.FAULTS)


def sentence(finding: Finding, tenants: dict[int, Tenant]) -> str:
    name = tenants.get(finding.tenant_id, f"tenant {finding.tenant_id}")
    return f"{name}, event {finding.sequence}: {finding.fault}. {finding.sentence}"


def _kept(path: Path, ids: dict[str | None, int]) -> dict[int, Head]:
    """Return the heads of an earlier run. Raises NotFound for a file that holds none."""
    try:
        heads = json.loads(path.read_text())["heads"]
        return {ids.get(key) or int(key): Head(head["length"], head["hash"]) for key, head in heads.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound(f"{path} holds no heads of an earlier `audit verify --json`: {error}") from error
