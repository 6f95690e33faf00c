"""Encrypt all DKIM private keys anew."""

from dns.dkim import UnusableKey
from dns.operations import reencrypt_private_keys
from mailhost.errors import Refused
from mailhost.management.noun import Answering, Said


class Command(Answering):
    help = (
        "Encrypt all DKIM private keys under the first of MAILHOST_DKIM_KEYS. Put a new key first, run this, "
        "then take the old one away."
    )

    def handle(self, **options) -> None:
        self.answer(self._rotate, options["json"])

    def _rotate(self) -> Said:
        try:
            count = reencrypt_private_keys()
        except UnusableKey as error:
            raise Refused("unusable_key", "", f"Nothing was changed: {error}.") from None
        return Said({"reencrypted": count}, f"{count} private keys are encrypted under the first key.")
