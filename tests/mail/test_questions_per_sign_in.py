"""A sign-in is one question, and no password stands in it: what the general log shows, a slow query log and
SHOW PROCESSLIST would show too."""

import imaplib
import poplib
import smtplib
from contextlib import suppress

import pytest

from mailboxes.app_password_operations import create_app_password
from tests.mail.client import Post
from tests.mail.conftest import PASSWORD, make_customer

REFUSED = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError)
WRONG = "wrong horse battery staple"


@pytest.fixture
def post(private_stack) -> Post:
    return Post(private_stack)


def test_a_sign_in_is_one_question_without_the_password(private_stack, post):
    acme = make_customer(private_stack, "acme")
    anna = acme.mailbox("anna")
    _, text = create_app_password(acme.actor, mailbox=anna, name="Phone", protocols=["imap", "pop3", "smtp"])
    user = private_stack.info["mysql"]["users"]["dovecot"]["user"]

    with private_stack.stack.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL log_output = 'TABLE'")
        cursor.execute("TRUNCATE mysql.general_log")
        cursor.execute("SET GLOBAL general_log = ON")
        for password in (PASSWORD, text, WRONG, f"{text[:-1]}_"):
            for door in (post.imap, post.pop3, post.submission):
                with suppress(*REFUSED):
                    door((anna.email, password))
        cursor.execute("SET GLOBAL general_log = OFF")
        cursor.execute(
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE user_host LIKE %s", [f"{user}[%"]
        )
        logged = [row[0] for row in cursor.fetchall()]

    asked = [line for line in logged if line.startswith("SELECT") and anna.email in line]
    # smtplib says a refused password again by another mechanism.
    assert len(asked) == 4 * 3 + 2
    assert sum("mail_app_passwords" in line for line in asked) == 3
    for line in logged:
        assert not any(part in line for part in ("horse", "staple", *text[15:].split("-")))
