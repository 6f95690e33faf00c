from django.core.management.base import BaseCommand, CommandError

from dns.dkim import UnusableKey
from dns.operations import reencrypt_private_keys


class Command(BaseCommand):
    help = (
        "Encrypt all DKIM private keys under the first of MAILHOST_DKIM_KEYS. Put a new key first, run this, "
        "then take the old one away."
    )

    def handle(self, *args, **options) -> None:
        try:
            count = reencrypt_private_keys()
        except UnusableKey as error:
            raise CommandError(f"Nothing was changed: {error}.") from None
        self.stdout.write(f"{count} private keys are encrypted under the first key.")
