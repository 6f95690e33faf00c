"""A tenant with domains, a signer's folder, a real OpenDKIM, and a DNS server that says what a test tells it."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from accounts.actors import system_actor
from dns import tasks
from dns.provider_zone import Provider
from dns.providers import PROVIDERS
from mailhost.scope import every_tenant
from tests.dns.cloudflare_api import CloudflareApi
from tests.dns.digitalocean_api import DigitaloceanApi
from tests.dns.opendkim import Opendkim
from tests.dns.scripted_dns import ScriptedDns
from tests.dns.stand_in import TOKEN
from tests.webside import plain_static  # noqa: F401  a fixture
from tests.world import connect_to_server, fresh, make_world, verified_domain

APIS = {"cloudflare": CloudflareApi, "digitalocean": DigitaloceanApi}


@pytest.fixture(autouse=True)
def dkim_keys(settings) -> list[str]:
    """Encryption keys of this test's own."""
    settings.MAILHOST_DKIM_KEYS = [Fernet.generate_key().decode()]
    return settings.MAILHOST_DKIM_KEYS


@pytest.fixture
def bind(stack, settings) -> dict:
    """The stack's name server, as `stack.json` has it; the panel asks it too."""
    port = stack.port("dns")
    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{port}"]
    settings.MAILHOST_AUTHORITATIVE_PORT = port
    settings.MAILHOST_DNS_NETWORKS = ["127.0.0.0/8"]
    settings.MAILHOST_VAULT_KEYS = [Fernet.generate_key().decode()]
    return stack.info["dns"]


@pytest.fixture
def connected_live(live, settings):
    """Who acts, and a domain that other processes see, in the database of the stack; its BIND serves the zone."""
    world = make_world()
    name = f"cut-{secrets.token_hex(4)}.example"
    verified_domain(world.as_acme, name)
    actor = system_actor(world.acme, "a test")
    with every_tenant("a test finds its domain"):
        domain = world.acme.domains.get(domain_name=name)
    dns = live.info["dns"]
    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{dns['port']}"]
    settings.MAILHOST_DNS_NETWORKS = ["127.0.0.0/8"]
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    connect_to_server(actor, domain, dns, automatic=False)
    return actor, fresh(domain)


@pytest.fixture
def home(monkeypatch) -> Iterator[Path]:
    """A folder that OpenDKIM trusts: nothing above it may be changed by others, so it is not in /tmp."""
    folder = Path(tempfile.mkdtemp(prefix="mailhost-test-", dir="/var/lib"))
    folder.chmod(0o755)
    monkeypatch.setenv("MAILHOST_CONFIG_DKIM_DIR", str(folder / "dkim"))
    monkeypatch.setenv("MAILHOST_CONFIG_OPENDKIM_PID_FILE", str(folder / "run/opendkim.pid"))
    monkeypatch.setenv("MAILHOST_CONFIG_MILTER_SOCKET", str(folder / "milter/opendkim.sock"))
    monkeypatch.setenv("MAILHOST_CONFIG_SIGNER_REST_SECONDS", "0")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def dkim_dir(home: Path) -> Path:
    folder = home / "dkim"
    folder.mkdir(mode=0o700)
    (folder / "keys").mkdir(mode=0o700)
    for made in (folder, folder / "keys"):
        shutil.chown(made, "opendkim", "opendkim")
    return folder


@pytest.fixture
def opendkim(home: Path, dkim_dir: Path) -> Iterator[Opendkim]:
    """A running OpenDKIM with the configuration that `manage.py mailconfig` makes."""
    daemon = Opendkim(home)
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def customer():
    """Makes tenants: `customer("Acme")`."""
    from tenants.models import Kind, Tenant

    def make(name: str):
        with every_tenant("a test lays its ground"):
            tenant = Tenant.objects.create(name=name, kind=Kind.CUSTOMER, path=f"/new-{os.urandom(8).hex()}/")
            tenant.path = f"/{tenant.pk}/"
            tenant.save()
        return tenant

    return make


@pytest.fixture
def acme(db, customer):
    return customer("Acme")


@pytest.fixture
def verified() -> Callable:
    """Makes verified domains: `verified(acme, "acme.example")`."""
    from domains.models import Domain

    def make(tenant, name: str, **columns):
        with every_tenant("a test lays its ground"):
            return Domain.objects.create(
                tenant=tenant, domain_name=name, **{"verified_at": timezone.now(), "is_verified": True} | columns
            )

    return make


@pytest.fixture
def dns_server(settings) -> Iterator[ScriptedDns]:
    with ScriptedDns() as server:
        settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{server.port}"]
        settings.MAILHOST_AUTHORITATIVE_PORT = server.port
        settings.MAILHOST_DNS_NETWORKS = ["127.0.0.0/8"]
        yield server


@pytest.fixture(params=PROVIDERS.values(), ids=lambda one: one.name)
def provider(request) -> Provider:
    return request.param


@pytest.fixture
def api(provider, settings, dns_server):
    with APIS[provider.name]("acme.example", TOKEN) as api:
        setattr(settings, provider.setting, api.url)
        settings.MAILHOST_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
        settings.MAILHOST_VAULT_KEYS = [Fernet.generate_key().decode()]
        settings.MAILHOST_SETUP_HOST = "setup.mailhost.example"
        settings.MAILHOST_CAA_ISSUER = "letsencrypt.org"
        yield api
