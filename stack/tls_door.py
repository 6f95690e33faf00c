"""TLS in front of the panel, as the web server of a real machine: `python -m stack.tls_door PORT WEB_PORT FOLDER`.

A name that is asked for first gets its certificate at that moment, from the stack's own authority, and only when the
panel says that it is a name of a domain hosted here (docs/clients.md, "Certificates"). What comes after the handshake
is handed on as it is.
"""

import asyncio
import datetime
import ssl
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from stack.layout import SETUP_HOST, write_private

SECONDS = 5
HOLDS = datetime.timedelta(days=30)
PIECE = 65536


class Door:
    """The certificates of one run, by name. `folder` holds the stack's authority and the mail host's certificate."""

    def __init__(self, web_port: int, folder: Path) -> None:
        self.web_port, self.folder = web_port, folder
        self.known: dict[str, ssl.SSLContext] = {}
        self.default = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.default.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.default.sni_callback = self.choose

    def choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        """Give the connection the certificate of the name that the client asks for; refuse a name that is not ours."""
        if name is None or name in self.own_names():
            return None
        if name not in self.known:
            if name != SETUP_HOST and not self.is_allowed(name):
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            self.known[name] = self.issue(name)
        connection.context = self.known[name]
        return None

    def own_names(self) -> set[str]:
        certificate = x509.load_pem_x509_certificate((self.folder / "cert.pem").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(names.get_values_for_type(x509.DNSName))

    def is_allowed(self, name: str) -> bool:
        """Ask the panel, as a web server that fetches certificates on demand does."""
        connection = HTTPConnection("127.0.0.1", self.web_port, timeout=SECONDS)
        try:
            connection.request("GET", f"/internal/tls/allowed?domain={quote(name)}")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def issue(self, name: str) -> ssl.SSLContext:
        """Return a context with a certificate of this name, made by the stack's authority."""
        authority = x509.load_pem_x509_certificate((self.folder / "ca.pem").read_bytes())
        its_key = load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        key, now = generate_private_key(SECP256R1()), datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + HOLDS)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .sign(its_key, SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # Python's TLS takes certificates from files alone.
        file = self.folder / "on-demand.pem"
        write_private(file, (private + certificate.public_bytes(Encoding.PEM)).decode())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        file.unlink()
        return context

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self.connected, "127.0.0.1", port, ssl=self.default)
        async with server:
            await server.serve_forever()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on both ways until one side is through."""
        with suppress(OSError):
            web_reader, web_writer = await asyncio.open_connection("127.0.0.1", self.web_port)
            both = {
                asyncio.ensure_future(handed_on(reader, web_writer)),
                asyncio.ensure_future(handed_on(web_reader, writer)),
            }
            _, left = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in left:
                one.cancel()
            web_writer.close()
        writer.close()


async def handed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(Door(int(sys.argv[2]), Path(sys.argv[3])).serve(int(sys.argv[1])))
