"""`mailhostctl operator …`: who runs the installation."""

import getpass
import sys

from accounts.actors import system_actor
from accounts.management.who import operator
from accounts.operations import create_user
from mailhost.errors import Refused
from mailhost.management.noun import NotFound, Noun, Said, verb
from tenants.models import Role
from tenants.operations import found_installation


class Command(Noun):
    help = "The people who run the installation."

    @verb(
        "Create a person who owns the operator's tenant, and that tenant if there is none yet. The password is asked "
        "for twice, or read from standard input when that is no terminal; it never stands in the process list.",
        email={},
        name={"default": "Mailhost", "help": "the operator's tenant (Mailhost)"},
    )
    def create(self, email: str, name: str) -> Said:
        password = _password()
        try:
            tenant = operator()
        except NotFound:
            tenant = found_installation(name=name)
        actor = system_actor(tenant, "mailhostctl operator create")
        create_user(actor, tenant=tenant, email=email, role=Role.OWNER, password=password)
        return Said({"email": email, "tenant": f"ten_{tenant.uid}"}, f"{email} may sign in as owner of {tenant.name}.")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise Refused("passwords_differ", "password", "The two passwords differ; nothing was created.")
    return password
