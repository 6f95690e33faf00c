"""The keys of the mail host's certificates: the one that it shows other servers now, and the one that comes next."""

import smtplib
import ssl
from pathlib import Path

import structlog
from cryptography import x509
from django.conf import settings

from dns import dane
from health.parts import parameters_or_none
from health.probes import SECONDS, address_of
from mailconfig.parameters import Parameters

log = structlog.get_logger(__name__)


def digests_of_keys() -> list[str] | None:
    """Return the digests of the keys, the one in use first; None while the mail host does not show its certificate."""
    parameters = parameters_or_none()
    if parameters is None:
        return None
    try:
        digests = [in_use(parameters)]
    except (OSError, ValueError, smtplib.SMTPException) as error:
        log.info("certificate_not_read", error=type(error).__name__)
        return None
    try:
        digests += filter(None, [next_key()])
    except (OSError, ValueError) as error:
        log.warning("next_key_not_read", error=type(error).__name__)
    return list(dict.fromkeys(digests))


def in_use(parameters: Parameters) -> str:
    """Return the digest of the key that other servers are shown after STARTTLS.

    Raises OSError, SMTPException, and ValueError for a certificate that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # DANE asks for the key alone, whoever has issued the certificate and until when.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(
        address_of(parameters), parameters.smtp_port, local_hostname=parameters.hostname, timeout=SECONDS
    ) as smtp:
        smtp.starttls(context=context)
        shown = smtp.sock.getpeercert(binary_form=True)
    return dane.digest_of(x509.load_der_x509_certificate(shown).public_key())


def next_key() -> str:
    """Return the digest of the key in MAILHOST_TLS_NEXT_KEY, "" where none is named. Raises OSError, ValueError."""
    if not settings.MAILHOST_TLS_NEXT_KEY:
        return ""
    return dane.digest_in(Path(settings.MAILHOST_TLS_NEXT_KEY).read_bytes())
