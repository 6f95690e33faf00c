"""Create the installation's first operator."""

import getpass
import sys

from django.core.management.base import BaseCommand, CommandError

from accounts.actors import system_actor
from accounts.operations import create_user
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tenants.models import Kind, Role, Tenant
from tenants.operations import found_installation


class Command(BaseCommand):
    help = (
        "Create a person who owns the operator's tenant, and that tenant if there is none yet. The password is asked"
        " for twice, or read from standard input when that is no terminal; it never stands in the process list."
    )

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--name", default="Mailhost", help="the operator's tenant (Mailhost)")

    def handle(self, *, email: str, name: str, **options):
        password = _password()
        try:
            tenant = _operator() or found_installation(name=name)
            create_user(
                system_actor(tenant, "create_operator"),
                tenant=tenant,
                email=email,
                role=Role.OWNER,
                password=password,
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{email} may sign in as owner of {tenant.name}.")


def _operator() -> Tenant | None:
    with every_tenant("the operator is found before anybody can act"):
        return Tenant.objects.filter(kind=Kind.OPERATOR, deleted_at=None).order_by("pk").first()


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("The two passwords differ; nothing was created.")
    return password
