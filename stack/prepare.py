"""Bring a stack's database and static files up to date: `python -m stack.prepare`, with MAILHOST_ENV_FILE set.

One process for all, because each start of Django costs a second.
"""

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    # After migrate: the daemons may read single columns, which must exist to be granted.
    call_command("daemonusers")
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
