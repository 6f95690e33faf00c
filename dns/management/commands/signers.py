"""Show the signers of all mail hosts, or forget one that is no more."""

import json

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dns.signers import forget_signer, signer_states


class Command(BaseCommand):
    help = "Show how far each mail host's signer follows the database, and what is wrong with it."

    def add_arguments(self, parser):
        parser.add_argument("--forget", metavar="NAME", help="a mail host that is no more, so that it alarms nobody")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, **options):
        if options["forget"]:
            if not forget_signer(options["forget"]):
                raise CommandError(f"There is no signer named {options['forget']}.")
            return
        states = signer_states(timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps([{"name": state.name, "state": state.sentence} for state in states], indent=2))
            return
        for state in states:
            self.stdout.write(f"{state.name}: {state.sentence}")
