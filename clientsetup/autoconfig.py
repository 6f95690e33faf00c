"""Thunderbird's and its kin's set-up document (draft-ietf-mailmaint-autoconfig, version 1.1)."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from clientsetup.hosted import main_name
from clientsetup.services import services
from domains.models import Domain
from domains.names import display_name

CONTENT_TYPE = "application/xml; charset=utf-8"


def document(domain: Domain) -> bytes:
    """Return the document of a domain: the same for every address in it, which the program fills in by itself."""
    root = Element("clientConfig", version="1.1")
    provider = SubElement(root, "emailProvider", id=domain.domain_name)
    _text(provider, "domain", domain.domain_name)
    _text(provider, "displayName", display_name(domain.domain_name))
    _text(provider, "displayShortName", display_name(domain.domain_name))
    login = f"%EMAILLOCALPART%@{main_name(domain)}" if domain.alias_of else "%EMAILADDRESS%"
    for service in services():
        way = "outgoingServer" if service.kind == "smtp" else "incomingServer"
        server = SubElement(provider, way, type=service.kind)
        # Thunderbird takes host names in ASCII alone.
        _text(server, "hostname", service.host)
        _text(server, "port", str(service.port))
        _text(server, "socketType", "SSL" if service.is_tls else "STARTTLS")
        # Its word for a password that is sent as it is, inside of TLS.
        _text(server, "authentication", "password-cleartext")
        _text(server, "username", login)
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
