"""When a part is away: mail is put off, never refused, never lost."""

import imaplib
import signal
import smtplib
import socket
import subprocess
import time
from base64 import b64encode
from pathlib import Path

import pytest

from accounts.actors import system_actor
from guard.pace import PAUSE_SECONDS
from mailhost.scope import every_tenant
from tenants.models import Kind, Tenant
from tenants.plan_operations import assign_plan, create_plan
from tests.mail.client import Post, written
from tests.stackside import StackSide


@pytest.fixture
def mail_stack(private_stack):
    return private_stack


def test_without_the_database_mail_is_put_off_and_flows_again_by_itself(post, acme, private_stack):
    anna = acme.login("anna")
    post.arrived(anna, post.deliver(anna[0]))

    private_stack.stop("mariadb")
    during = [_rcpt(post, acme.address(name)) for name in ("anna", "nobody", "berta", "anna+news")]
    refused = _sign_in_answer(post, anna)
    with pytest.raises(imaplib.IMAP4.error) as unavailable:
        # Dovecot looks for the database for a minute before it gives up.
        post.imap(anna, seconds=100)
    private_stack.start("mariadb")
    back = time.monotonic()
    while _rcpt(post, anna[0]) != 250:
        assert time.monotonic() - back < 30, "SMTP did not recover in 30 s"
        time.sleep(0.2)

    _wait_until_dovecot_is_back(post, anna)

    assert {code // 100 for code in during} == {4}
    assert refused // 100 == 4
    assert "[UNAVAILABLE]" in str(unavailable.value)
    assert post.arrived(anna, post.deliver(anna[0]), seconds=60)


def _rcpt(post: Post, recipient: str) -> int:
    try:
        return post.answer_to(recipient)[0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except smtplib.SMTPServerDisconnected:
        return 421


def _wait_until_dovecot_is_back(post: Post, login: tuple[str, str]) -> None:
    """Dovecot waits 1, 5, 25 seconds between its looks for the database; until then it says so, and nothing worse."""
    began = time.monotonic()
    while True:
        try:
            post.imap(login).logout()
        except imaplib.IMAP4.error as error:
            if "[UNAVAILABLE]" not in str(error) or time.monotonic() - began > 60:
                raise
            time.sleep(0.5)
        else:
            return


def _sign_in_answer(post: Post, login: tuple[str, str]) -> int:
    """What a mail program reads that wants to send: never that its password is wrong."""
    try:
        post.submission(login).quit()
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except smtplib.SMTPServerDisconnected:
        return 421
    return 250


def test_accepted_mail_outlives_dovecot_and_the_database(post, acme, private_stack):
    """Mail for a mailbox and for an alias is taken while Dovecot is down, and waits while the database restarts."""
    anna = acme.login("anna")
    acme.alias("sales", anna[0])
    private_stack.stop("dovecot")

    accepted = [post.deliver(recipient) for recipient in (anna[0], acme.address("sales"), anna[0])]
    refused = [_rcpt(post, recipient) for recipient in (acme.address("nobody"), "someone@foreign.example")]
    private_stack.stop("mariadb")
    private_stack.start("mariadb")
    private_stack.start("dovecot")
    postfix = private_stack.info["postfix"]["config_directory"]
    subprocess.run(["/usr/sbin/postqueue", "-c", postfix, "-f"], check=True)

    for message_id in accepted:
        post.arrived(anna, message_id, seconds=60)
    assert sorted(message["Message-ID"] for message in post.inbox(anna)) == sorted(accepted)
    assert refused == [550, 554]


def test_without_redis_celery_and_web_mail_flows_as_if_nothing_happened(post, acme, bolt, private_stack):
    anna, bob = acme.login("anna"), bolt.login("bob")

    private_stack.stop("beat", "worker", "web", "redis")
    try:
        inbound = post.deliver(anna[0])
        sent = post.submit(anna, written(anna[0], bob[0]))

        assert post.arrived(anna, inbound)
        assert post.arrived(bob, sent)
        began = time.monotonic()
        post.imap(anna).logout()
        assert time.monotonic() - began < 5
    finally:
        private_stack.mend()


def test_a_sign_in_by_smtp_does_not_need_whoever_is_told_of_it(acme, private_stack):
    """The guard, to which Dovecot tells it, is stopped in the middle of what it does: nobody waits for its answer."""
    anna = acme.login("anna")
    guard = private_stack.stack.supervisor.keepers["guard"].process
    guard.send_signal(signal.SIGSTOP)

    try:
        answers = [_answer_of_dovecot(private_stack, anna) for _ in range(3)]
    finally:
        guard.send_signal(signal.SIGCONT)

    assert answers == [["OK", "1", f"user={anna[0]}"]] * 3


def _answer_of_dovecot(stack: StackSide, login: tuple[str, str]) -> list[str]:
    """Have Dovecot check a password as Postfix does; Postfix itself would miss the guard for other reasons."""
    place = Path(stack.info["postfix"]["config_directory"]).parent / "queue/private/auth"
    typed = b64encode("\0".join(["", *login]).encode())
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb", 0) as dovecot:
        connection.settimeout(30)
        connection.connect(str(place))
        dovecot.write(b"VERSION\t1\t1\nCPID\t1\n")
        while not dovecot.readline().startswith(b"DONE"):
            pass
        dovecot.write(b"AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=" + typed + b"\n")
        return dovecot.readline().decode().split()


def test_without_redis_nobody_is_held_to_messages_that_cannot_be_counted(post, acme, bolt, private_stack):
    with every_tenant("a test acts as the operator"):
        operator = system_actor(Tenant.objects.get(kind=Kind.OPERATOR), "operator")
    none = create_plan(operator, name=f"For {acme.domain}", limits={"messages_per_day": 0})
    assign_plan(operator, tenant=acme.tenant, plan=none)
    anna, bob = acme.login("anna"), bolt.login("bob")

    # Redis may have been away for the test before this one: the guard asks it again after a pause.
    time.sleep(PAUSE_SECONDS)
    with pytest.raises(smtplib.SMTPDataError) as held:
        post.submit(anna, written(anna[0], bob[0]))
    private_stack.stop("redis")
    try:
        assert post.arrived(bob, post.submit(anna, written(anna[0], bob[0])))
    finally:
        private_stack.mend()

    assert held.value.smtp_code == 450


def test_a_change_made_without_redis_is_carried_out_when_it_is_back(post, acme, private_stack):
    from mailboxes.operations import change_password
    from tests.mail.conftest import PASSWORD

    anna = acme.mailbox("anna")
    session = post.imap((anna.email, PASSWORD))
    private_stack.stop("redis")

    change_password(acme.actor, mailbox=anna, password="another long passphrase")
    private_stack.mend()

    deadline = time.monotonic() + 60
    with pytest.raises((imaplib.IMAP4.error, OSError)):  # noqa: PT012
        while time.monotonic() < deadline:
            session.noop()
            time.sleep(0.2)


def test_without_the_signer_mail_is_put_off_and_never_leaves_unsigned(post, acme, bolt, private_stack):
    anna, bob = acme.login("anna"), bolt.login("bob")

    private_stack.stop("opendkim")
    with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPResponseException, smtplib.SMTPSenderRefused)) as refused:
        post.submit(anna, written(anna[0], bob[0]))
    assert refused.value.smtp_code // 100 == 4

    private_stack.start("opendkim")
    assert post.arrived(bob, post.submit(anna, written(anna[0], bob[0])))
