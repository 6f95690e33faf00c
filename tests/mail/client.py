"""Mail clients as people use them: SMTP, submission, IMAP and POP3, against a stack."""

import imaplib
import poplib
import smtplib
import ssl
import time
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from email.utils import localtime, make_msgid

from tests.mail.verifying import assert_verifies
from tests.stackside import StackSide

TIMEOUT = 30
# Another address of loopback, so that what is allowed to 127.0.0.1 alone is not taken for allowed to all.
OUTSIDE = ("127.0.0.9", 0)


def written(sender: str, recipient: str, body: str = "Hello.\n", **headers: str) -> EmailMessage:
    """Return a message with a Message-ID of its own; header names are given with underscores."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, "A test"
    message["Message-ID"], message["Date"] = make_msgid(domain="test.example"), localtime()
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


class Post:
    """The stack's mail services, by what one does with them. Passwords stand in `login` pairs (address, password)."""

    def __init__(self, stack: StackSide):
        self.stack = stack
        self.tls = ssl.create_default_context(cafile=stack.info["tls"]["ca_file"])
        self.hostname = stack.info["tls"]["hostname"]
        self.verified: set[bytes] = set()

    # --- SMTP from outside

    def outside(self) -> smtplib.SMTP:
        """Return a session of another mail server with ours, after EHLO."""
        session = smtplib.SMTP(
            "127.0.0.1", self.stack.port("smtp"), "mx.elsewhere.example", TIMEOUT, source_address=OUTSIDE
        )
        session.ehlo()
        return session

    def answer_to(self, recipient: str, sender: str = "someone@elsewhere.example", size: int = 0) -> tuple[int, str]:
        """Return what RCPT TO is answered on port 25: the code and the text."""
        with self.outside() as session:
            session.mail(sender, [f"SIZE={size}"] if size else [])
            code, text = session.rcpt(recipient)
        return code, text.decode()

    def deliver(
        self,
        *recipients: str,
        sender: str = "someone@elsewhere.example",
        body: str = "Hello.\n",
        announce_size: bool = True,
    ) -> str:
        """Bring a message from outside; return its Message-ID. Raises smtplib's errors when it is refused."""
        message = written(sender, recipients[0], body)
        with self.outside() as session:
            if not announce_size:
                # smtplib says SIZE in MAIL FROM to a server that lists it.
                session.esmtp_features.pop("size")
            session.sendmail(sender, recipients, message.as_bytes())
        return message["Message-ID"]

    # --- submission

    def submission(self, login: tuple[str, str] | None = None, *, service: str = "submission") -> smtplib.SMTP:
        """Return a session with 587 (STARTTLS) or 465 (`submissions`), signed in when a login is given."""
        port = self.stack.port(service)
        if service == "submissions":
            session: smtplib.SMTP = _ImplicitTls(self.hostname, port, self.tls)
        else:
            session = smtplib.SMTP("127.0.0.1", port, "laptop.example", TIMEOUT)
            session._host = self.hostname  # the name the certificate must bear
            session.starttls(context=self.tls)
        if login:
            session.login(*login)
        return session

    def submit(
        self, login: tuple[str, str], message: EmailMessage, *recipients: str, sender: str = "", service="submission"
    ) -> str:
        """Send a message as a signed-in user; the envelope sender is the login unless given. Returns its Message-ID."""
        with self.submission(login, service=service) as session:
            session.sendmail(sender or login[0], recipients or [message["To"]], message.as_bytes())
        return message["Message-ID"]

    # --- reading

    def imap(self, login: tuple[str, str], seconds: float = TIMEOUT) -> imaplib.IMAP4:
        """Return a signed-in IMAP session over TLS. Raises imaplib.IMAP4.error when it is refused."""
        session = _ImapsTo(self.hostname, self.stack.port("imaps"), self.tls, seconds)
        session.login(*login)
        return session

    def pop3(self, login: tuple[str, str]) -> poplib.POP3:
        session = poplib.POP3_SSL("127.0.0.1", self.stack.port("pop3s"), timeout=TIMEOUT, context=_unnamed(self.tls))
        session.user(login[0])
        session.pass_(login[1])
        return session

    def inbox(self, login: tuple[str, str]) -> list[Message]:
        """Return what is in the INBOX, oldest first."""
        with self.imap(login) as session:
            session.select("INBOX", readonly=True)
            _, found = session.search(None, "ALL")
            messages = []
            for number in found[0].split():
                _, data = session.fetch(number, "(BODY.PEEK[])")
                messages.append(self.collected(data[0][1]))
        return messages

    def arrived(self, login: tuple[str, str], message_id: str, seconds: float = 20) -> Message:
        """Wait for a message in the INBOX and return it. Raises AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            for message in self.inbox(login):
                if message["Message-ID"] == message_id:
                    return message
            assert time.monotonic() < deadline, f"{message_id} did not reach {login[0]} in {seconds} s"
            time.sleep(0.1)

    def left_for_outside(self, message_id: str, seconds: float = 20) -> Message:
        """Wait for a message that left for the outside world and return it, with the sink's X-Rcpt-Args in front."""
        deadline = time.monotonic() + seconds
        while True:
            for file in (self.stack.home / "outside").iterdir():
                raw = file.read_bytes()
                if message_id.encode() in raw:
                    return self.collected(raw)
            assert time.monotonic() < deadline, f"{message_id} did not leave in {seconds} s"
            time.sleep(0.1)

    def collected(self, raw: bytes) -> Message:
        """Return a message that reached somebody. If it is signed it must verify, by dkimpy and by OpenDKIM's own tool,
        with the key that the stack's DNS shows; so every signed message that a test reads is verified."""
        message = BytesParser(policy=default).parsebytes(raw)
        if message["DKIM-Signature"] and raw not in self.verified:
            assert_verifies(raw, self.stack.port("dns"))
            self.verified.add(raw)
        return message


class _ImplicitTls(smtplib.SMTP_SSL):
    """SMTP over TLS to loopback, holding the certificate to the name it was made for."""

    def __init__(self, name: str, port: int, context: ssl.SSLContext):
        self._name = name
        super().__init__("127.0.0.1", port, "laptop.example", timeout=TIMEOUT, context=context)

    def _get_socket(self, host, port, timeout):
        plain = smtplib.SMTP._get_socket(self, host, port, timeout)
        return self.context.wrap_socket(plain, server_hostname=self._name)


class _ImapsTo(imaplib.IMAP4):
    """IMAP over TLS to loopback, holding the certificate to the name it was made for."""

    def __init__(self, name: str, port: int, context: ssl.SSLContext, seconds: float):
        self._name, self._context = name, context
        super().__init__("127.0.0.1", port, seconds)

    def _create_socket(self, timeout):
        return self._context.wrap_socket(super()._create_socket(timeout), server_hostname=self._name)


def _unnamed(context: ssl.SSLContext) -> ssl.SSLContext:
    """poplib takes the name from the address; the chain is still checked."""
    relaxed = ssl.create_default_context()
    relaxed.load_verify_locations(cadata="".join(ssl.DER_cert_to_PEM_cert(one) for one in context.get_ca_certs(True)))
    relaxed.check_hostname = False
    return relaxed
