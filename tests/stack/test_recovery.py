"""A stack whose database goes away and comes back."""

import os
import secrets
import signal
import smtplib
import time


def reply_to_rcpt(port: int) -> int:
    """Return the reply code that a recipient of a domain unknown here gets on port 25.

    A new name each time: smtpd keeps what it has learnt of an address for the life of the process.
    """
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        smtp.ehlo("client.example")
        smtp.mail("someone@elsewhere.example")
        return smtp.rcpt(f"nobody@{secrets.token_hex(5)}.example")[0]


def test_postfix_asks_the_database_again_as_soon_as_it_is_back(private_stack):
    port = private_stack.port("smtp")
    assert reply_to_rcpt(port) == 554

    private_stack.stop("mariadb")
    assert reply_to_rcpt(port) == 451

    private_stack.start("mariadb")
    back = time.monotonic()
    while reply_to_rcpt(port) != 554:
        assert time.monotonic() - back < 15, "without a reload Postfix 3.7 waits 60 s"
        time.sleep(0.2)


def test_killed_database_comes_back_by_itself(private_stack):
    port = private_stack.port("smtp")
    keeper = private_stack.stack.supervisor.keepers["mariadb"]
    killed = keeper.process.pid

    os.kill(killed, signal.SIGKILL)
    began = time.monotonic()
    while keeper.process.pid == killed or reply_to_rcpt(port) != 554:
        assert time.monotonic() - began < 60
        time.sleep(0.2)

    assert keeper.process.pid != killed
