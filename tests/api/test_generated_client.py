"""A client that is generated from the committed document works: it makes, reads, changes, lists and deletes."""

import importlib
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mailhost.wsgi import application
from tests.api.test_committed_document import COMMITTED
from tests.apiside import make_cast
from tests.world import PASSWORD_HASH

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Generate the client in a folder of its own, and import it from there."""
    folder = tmp_path_factory.mktemp("client")
    tool = Path(sys.executable).with_name("openapi-python-client")
    command = [tool, "generate", "--path", COMMITTED, "--meta", "none", "--output-path", folder / "mailhost_client"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def part(name: str):
    return importlib.import_module(f"mailhost_client.{name}")


def test_a_mailbox_goes_round(generated):
    key = make_cast().acme.caller().defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    client = part("client").AuthenticatedClient(base_url="http://testserver", token=key)
    headers = {"Authorization": f"Bearer {key}"}
    transport = httpx.WSGITransport(app=application)
    client.set_httpx_client(httpx.Client(transport=transport, base_url="http://testserver", headers=headers))
    models, calls = part("models"), "api.mailboxes"
    address = "otto@acme.example"

    new = models.NewMailbox(email=address, password_hash=PASSWORD_HASH, storage_quota=5)
    made = part(f"{calls}.create_mailbox").sync(client=client, body=new)
    changed = part(f"{calls}.update_mailbox").sync(
        address, client=client, body=models.MailboxChange(display_name="Otto")
    )
    listed = part(f"{calls}.list_mailboxes").sync(client=client, limit=200)
    deleted = part(f"{calls}.delete_mailbox").sync_detailed(address, client=client)
    missing = part(f"{calls}.get_mailbox").sync(address, client=client)

    assert (made.email, made.id[:4], made.status.value) == (address, "mbx_", "active")
    assert (changed.display_name, changed.id) == ("Otto", made.id)
    assert [row.email for row in listed.data] == ["anna@acme.example", address]
    assert deleted.status_code == 204
    assert (missing.status, missing.code.value) == (404, "not_found")
