import pytest

from tests.webside import plain_static  # noqa: F401  a fixture
from tests.world import in_acme, verified_domain, world  # noqa: F401 - fixtures


@pytest.fixture
def acme(world):  # noqa: F811 - the fixture above
    """Acme's verified domain acme.example."""
    return verified_domain(world.as_acme, "acme.example")


@pytest.fixture
def bolt(world):  # noqa: F811 - the fixture above
    """Bolt's verified domain bolt.example."""
    return verified_domain(world.as_bolt, "bolt.example")
