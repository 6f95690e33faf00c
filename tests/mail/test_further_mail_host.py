"""A further mail host signs for the same domains: its agent asks the database as a user who may do nothing else."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import MySQLdb
import pytest

from dns.models import DkimKey, Signer, SigningGeneration
from dns.signers import forget_signer
from domains.operations import delete_domain
from mailhost.scope import every_tenant
from stack.layout import CLONE
from stack.services import python_environment
from tests.dns.opendkim import Opendkim
from tests.mail.client import written

NAME = "mx2.mailhost.example"


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mailhost-test-", dir="/var/lib"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


class MailHost:
    """An OpenDKIM and its agent, below a folder of their own."""

    def __init__(self, home: Path, info: dict) -> None:
        self.opendkim = Opendkim(home)
        user = info["mysql"]["users"]["signer"]
        parameters = self.opendkim.parameters
        self.environment = python_environment(Path(info["home"])) | {
            "MAILHOST_HOSTNAME": NAME,
            "MAILHOST_DATABASE_USER": user["user"],
            "MAILHOST_DATABASE_PASSWORD": user["password"],
            "MAILHOST_CONFIG_DKIM_DIR": str(parameters.dkim_dir),
            "MAILHOST_CONFIG_OPENDKIM_PID_FILE": str(parameters.opendkim_pid_file),
            "MAILHOST_CONFIG_MILTER_SOCKET": str(parameters.milter_socket),
        }
        self.agent: subprocess.Popen | None = None

    def start(self) -> None:
        self.agent = subprocess.Popen([sys.executable, "manage.py", "signer-agent"], cwd=CLONE, env=self.environment)

    def kill(self) -> None:
        self.agent.kill()
        self.agent.wait()

    def until_current(self, seconds: float = 30) -> None:
        wanted = SigningGeneration.objects.get().wanted
        deadline = time.monotonic() + seconds
        while not Signer.objects.filter(name=NAME, loaded__gte=wanted).exists():
            assert self.agent.poll() is None, "the agent has ended"
            assert time.monotonic() < deadline, f"the agent has not brought generation {wanted} in {seconds} s"
            time.sleep(0.1)


@pytest.fixture
def second(live, home) -> Iterator[MailHost]:
    host = MailHost(home, live.info)
    host.opendkim.start()
    host.start()
    yield host
    host.kill()
    host.opendkim.stop()
    forget_signer(NAME)


def test_both_mail_hosts_sign_with_the_domains_key_and_forget_it_with_the_domain(second, acme, post, bolt):
    with every_tenant("a test looks"):
        key = DkimKey.objects.signing().get(domain=acme.domain)
    anna, bob = acme.login("anna"), bolt.login("bob")

    second.until_current()
    arrived = post.arrived(bob, post.submit(anna, written(anna[0], bob[0])))
    here = arrived["DKIM-Signature"]
    there = second.opendkim.pass_message(anna[0]).signature

    for signature in (here, there):
        assert f"s={key.selector};" in "".join(signature.split())
        assert f"d={acme.domain.domain_name};" in "".join(signature.split())

    # A killed agent goes on where it was.
    second.kill()
    delete_domain(acme.actor, domain=acme.domain)
    assert second.opendkim.pass_message(anna[0]).signature
    second.start()
    second.until_current()
    passed = second.opendkim.pass_message(anna[0])
    assert (passed.reply, passed.signature) == ("t", "")
    assert not (second.opendkim.parameters.dkim_dir / "keys" / f"{key.selector}.{key.pk}.pem").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM mail_domains",
        "SELECT password_hash FROM mail_mailboxes",
        "SELECT * FROM accounts_user",
        "SELECT * FROM tenants_tenant",
        "UPDATE dns_dkimkey SET private_key = ''",
        "UPDATE dns_signinggeneration SET wanted = 0",
        "UPDATE mail_domains SET verified_at = NOW()",
        "DELETE FROM dns_signer",
        "SELECT * FROM mysql.user",
    ],
)
def test_the_agents_user_may_do_nothing_else(live, statement):
    user = live.info["mysql"]["users"]["signer"]
    connection = MySQLdb.connect(
        unix_socket=live.info["mysql"]["socket"], user=user["user"], passwd=user["password"], db="mailhost"
    )
    # ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR
    with pytest.raises(MySQLdb.OperationalError) as denied:
        connection.query(statement)
    connection.close()

    assert denied.value.args[0] in {1142, 1143}
