"""What a reseller and an operator look at beyond the town: plans in two versions, a full customer, a suspended one."""

from datetime import datetime
from ipaddress import ip_address

from django.conf import settings
from django.utils import timezone

from accounts.actors import system_actor
from accounts.invitation_operations import invite_member
from dns import dane
from dns.host_records import OwnHost, host_records
from dns.models import HostRecord, HostState, Purpose, Status
from dns.record_operations import columns
from dns.records import Installation
from mailhost.said import NOTHING, Said
from mailhost.scope import every_tenant
from tenants.deletion_operations import delete_tenant
from tenants.models import Role
from tenants.operations import create_tenant, suspend_tenant
from tenants.plan_operations import assign_plan, change_plan, create_plan, upgrade_tenants
from tests.pages.town import Town


def fill_rita(town: Town) -> dict[str, str]:
    """Give Rita plans and further customers. Return every page of hers that opens with GET, by name."""
    rita = system_actor(town.rita, "rita@rita.example")
    with every_tenant("the town is built"):
        small = create_plan(rita, name="Small", limits={"domains": 3, "mailboxes": 10, "storage_mb": 20480})
        large = create_plan(rita, name="Large", limits={"domains": 50, "mailboxes": 500, "storage_mb": 1048576})
        assign_plan(rita, tenant=town.acme, plan=small, accept_excess=True)
        assign_plan(rita, tenant=town.bolt, plan=small)
        change_plan(rita, plan=small, limits={"mailboxes": 5})
        upgrade_tenants(rita, plan=small, tenants=[town.bolt])
        corvo = create_tenant(rita, parent=town.rita, kind="customer", name="Corvo Books", plan=large)
        invite_member(rita, email="cora@corvo.example", role=Role.OWNER, tenant=corvo)
        suspend_tenant(rita, tenant=corvo, reason="unpaid", note="The invoice of May is open.", blocks=["sending"])
        former = create_tenant(rita, parent=town.rita, kind="customer", name="Dune Travel")
        delete_tenant(rita, tenant=former)
    return {
        "customers": "/customers/",
        "customers-deleted": "/customers/?state=deleted",
        "customers-no-match": "/customers/?q=nobody",
        "customer-add": "/customers/add/",
        "customer": f"/customers/{town.acme.uid}/",
        "customer-suspended": f"/customers/{corvo.uid}/",
        "customer-deleted": f"/customers/{former.uid}/",
        "customer-edit": f"/customers/{town.acme.uid}/edit/",
        "customer-suspend": f"/customers/{town.acme.uid}/suspend/",
        "customer-move": f"/customers/{town.acme.uid}/move/",
        "customer-plan": f"/customers/{town.acme.uid}/plan/",
        "customer-plan-preview": f"/customers/{town.acme.uid}/plan/?plan={small.uid}",
        "branding": "/branding/",
        "plans": "/plans/",
        "plan-add": "/plans/add/",
        "plan": f"/plans/{small.uid}/",
        "plan-upgrade": f"/plans/{small.uid}/upgrade/",
    }


def fill_operator(town: Town) -> dict[str, str]:
    """Add a second reseller. Return every page of the operator's alone that opens with GET, by name."""
    with every_tenant("the town is built"):
        sela = create_tenant(town.actor, parent=town.operator, kind="reseller", name="Sela Networks")
    show_host(timezone.now())
    return {
        "operator-customers": "/customers/",
        "operator-reseller": f"/customers/{town.rita.uid}/",
        "operator-reseller-edit": f"/customers/{town.rita.uid}/edit/",
        "operator-tree": "/customers/tree/",
        "operator-health": "/health/",
        "operator-host": "/health/host/",
        "operator-jobs": "/jobs/",
        "operator-move": f"/customers/{town.acme.uid}/move/",
        "operator-move-preview": f"/customers/{town.acme.uid}/move/?to={sela.uid}",
    }


def show_host(now: datetime) -> None:
    """Give the mail host its records: all are found but one name of an address, and the next certificate's key."""
    name = settings.MAILHOST_HOSTNAME
    keys = ("8c" * 32, "d1" * 32)
    host = HostState.objects.create(
        name=name, addresses=["192.0.2.25"], checked_at=now, is_signed=True, keys=keys, misses=1
    )
    installation = Installation(
        name,
        spf_include="_spf.mailhost.example",
        dmarc_reports="reports@reports.example",
        setup_host="setup.mailhost.example",
    )
    unnamed = Said("%(address)s has no name that leads back: many servers refuse mail from it.", address="2001:db8::25")
    other = Said(
        "%(name)s shows another key: %(found)s. Enter this one beside it, before the certificate's key changes.",
        name=dane.name(name),
        found=dane.value(keys[0]),
    )
    faults = {
        (Purpose.PTR, ip_address("2001:db8::25").reverse_pointer): (Status.MISSING, [], unnamed),
        (Purpose.TLSA, dane.value(keys[1])): (Status.MISMATCH, [dane.value(keys[0])], other),
    }
    wanted = OwnHost(installation, addresses=("192.0.2.25", "2001:db8::25"), keys=keys, is_signed=True)
    for record in host_records(wanted):
        place = record.value if record.purpose == Purpose.TLSA else record.name
        status, found, problem = faults.get((record.purpose, place), (Status.OK, [record.value], NOTHING))
        HostRecord.objects.create(
            host=host,
            **columns(record),
            status=status,
            found=found,
            problem=problem,
            problem_said=problem.kept,
            last_checked_at=now,
        )
    host.problems = [unnamed.kept, other.kept]
    host.save()
