"""Apple's configuration profile for one account, signed with the mail host's certificate."""

import plistlib
from pathlib import Path
from uuid import NAMESPACE_DNS, UUID, uuid5

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509 import load_pem_x509_certificates
from django.conf import settings

from clientsetup.hosted import login_of
from clientsetup.services import first
from domains.models import Domain
from domains.names import display_name

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/x-apple-aspen-config"
# What a key raises that is not there, not readable, behind a passphrase, or of a kind that is not signed with here: CMS
# is signed with RSA and ECDSA, not with Ed25519.
UNFIT = (OSError, ValueError, TypeError, UnsupportedAlgorithm)


def signed_profile(address: str, domain: Domain, *, password: str = "") -> bytes:
    """Return the profile of an address as a CMS message; as it is where the host's key cannot sign it."""
    plain = profile(address, domain, password=password)
    try:
        return sign(plain, settings.MAILHOST_PROFILE_CERT, settings.MAILHOST_PROFILE_KEY)
    except UNFIT as error:
        log.warning("profile_not_signed", reason=type(error).__name__)
        return plain


def profile(address: str, domain: Domain, *, password: str = "") -> bytes:
    """Return the property list. The same address gives the same identifiers, so a new profile replaces the old one."""
    incoming, outgoing, login = first("imap"), first("smtp"), login_of(address, domain)
    account = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier(domain)}.mail",
        "PayloadUUID": str(stable_uuid("account", login)).upper(),
        "PayloadDisplayName": address,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": address,
        "EmailAddress": address,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": incoming.host,
        "IncomingMailServerPortNumber": incoming.port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": login,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": outgoing.host,
        "OutgoingMailServerPortNumber": outgoing.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": login,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    if password:
        account["IncomingPassword"] = password
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"{identifier(domain)}.{stable_uuid('profile', login)}",
            "PayloadUUID": str(stable_uuid("profile", login)).upper(),
            "PayloadDisplayName": address,
            "PayloadDescription": f"Mail of {address}",
            "PayloadOrganization": display_name(domain.domain_name),
            "PayloadContent": [account],
        }
    )


def identifier(domain: Domain) -> str:
    """Return the domain's name as Apple writes identifiers: the largest part first."""
    return ".".join(reversed(domain.domain_name.split(".")))


def stable_uuid(what: str, login: str) -> UUID:
    return uuid5(uuid5(NAMESPACE_DNS, settings.MAILHOST_HOSTNAME), f"{what} {login}")


def sign(content: bytes, cert_file: str, key_file: str) -> bytes:
    """Return the content inside of a CMS signature with the chain beside it. Raises UNFIT."""
    certificate, *others = load_pem_x509_certificates(Path(cert_file).read_bytes())
    key = load_pem_private_key(Path(key_file).read_bytes(), None)
    builder = PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, SHA256())
    for other in others:
        builder = builder.add_certificate(other)
    return builder.sign(Encoding.DER, [PKCS7Options.Binary])
