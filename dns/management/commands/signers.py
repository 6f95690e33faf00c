"""Show the signers of all mail hosts, or forget one that is no more."""

from django.utils import timezone

from dns.signers import forget_signer, signer_states
from mailhost.management.noun import Answering, NotFound, Said


class Command(Answering):
    help = "Show how far each mail host's signer follows the database, and what is wrong with it."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--forget", metavar="NAME", help="a mail host that is no more, so that it alarms nobody")

    def handle(self, **options):
        self.answer(lambda: self._forget(options["forget"]) if options["forget"] else self._show(), options["json"])

    def _forget(self, name: str) -> Said:
        if not forget_signer(name):
            raise NotFound(f"There is no signer named {name}.")
        return Said({"forgotten": name}, f"{name} is forgotten.")

    def _show(self) -> Said:
        states = signer_states(timezone.now())
        data = [{"name": state.name, "state": str(state.sentence)} for state in states]
        return Said(data, "\n".join(f"{state.name}: {state.sentence}" for state in states))
