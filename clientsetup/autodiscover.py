"""Outlook's set-up documents: plain old XML (MS-OXDSCLI), and where to find it as JSON (version 2)."""

from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from clientsetup.hosted import login_of
from clientsetup.services import Service, first
from domains.models import Domain

CONTENT_TYPE = "text/xml; charset=utf-8"
MOST_BYTES = 16 * 1024
BASE = "http://schemas.microsoft.com/exchange/autodiscover"
REQUEST = f"{{{BASE}/outlook/requestschema/2006}}"
OUTLOOK = f"{BASE}/outlook/responseschema/2006a"
INVALID_REQUEST, NO_SUCH_PROVIDER = "600", "601"


class Unreadable(ValueError):
    """The request is none that we answer; `code` is autodiscover's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def asked_address(body: bytes) -> str:
    """Return the address that a request names. Raises Unreadable."""
    if len(body) > MOST_BYTES:
        raise Unreadable(INVALID_REQUEST, "The request is too long.")
    try:
        # Neither a document type nor an entity is let in: a few bytes of them fill the memory.
        root = fromstring(body, forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError, LookupError):
        raise Unreadable(INVALID_REQUEST, "The request is no XML document that is read here.") from None
    schema = root.findtext(f"{REQUEST}Request/{REQUEST}AcceptableResponseSchema", OUTLOOK).strip()
    if schema != OUTLOOK:
        raise Unreadable(NO_SUCH_PROVIDER, "Only the response schema of Outlook is served.")
    address = root.findtext(f"{REQUEST}Request/{REQUEST}EMailAddress", "").strip()
    if not address:
        raise Unreadable(INVALID_REQUEST, "The request names no EMailAddress.")
    return address


def document(address: str, domain: Domain) -> bytes:
    """Return the settings for any address of a hosted domain."""
    root = Element("Autodiscover", xmlns=f"{BASE}/responseschema/2006")
    response = SubElement(root, "Response", xmlns=OUTLOOK)
    _text(SubElement(response, "User"), "DisplayName", address)
    account = SubElement(response, "Account")
    _text(account, "AccountType", "email")
    _text(account, "Action", "settings")
    for kind, type_ in (("imap", "IMAP"), ("pop3", "POP3"), ("smtp", "SMTP")):
        _protocol(account, type_, first(kind), login_of(address, domain))
    return tostring(root, encoding="utf-8", xml_declaration=True)


def refusal(unreadable: Unreadable) -> bytes:
    root = Element("Autodiscover", xmlns=f"{BASE}/responseschema/2006")
    error = SubElement(SubElement(root, "Response"), "Error")
    _text(error, "ErrorCode", unreadable.code)
    _text(error, "Message", str(unreadable))
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _protocol(account: Element, type_: str, service: Service, login: str) -> None:
    protocol = SubElement(account, "Protocol")
    for name, value in (
        ("Type", type_),
        ("Server", service.host),
        ("Port", str(service.port)),
        ("DomainRequired", "off"),
        ("LoginName", login),
        ("SPA", "off"),
        ("SSL", "on"),
        ("Encryption", "SSL"),
        ("AuthRequired", "on"),
    ):
        _text(protocol, name, value)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
