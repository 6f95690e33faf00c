"""A hosted domain, an alias domain of it, and one that nobody has proven."""

import pytest

from domains.operations import create_domain
from mailhost.scope import every_tenant
from tests.webside import fresh_cache, plain_static  # noqa: F401  fixtures
from tests.world import a_mailbox, verified_domain, world  # noqa: F401  a fixture


@pytest.fixture
def hosted(world, settings):  # noqa: F811
    settings.MAILHOST_SETUP_HOST = "setup.mailhost.example"
    domain = verified_domain(world.as_acme, "acme.example")
    verified_domain(world.as_acme, "acme-shop.example", alias_of=domain)
    create_domain(world.as_bolt, name="bolt.example")
    return domain


@pytest.fixture
def anna(hosted, world):  # noqa: F811
    return a_mailbox(world.as_acme, "anna@acme.example")


@pytest.fixture
def all_rows():
    with every_tenant("a test looks at its rows"):
        yield
