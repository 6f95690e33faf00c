from tests.dns.conftest import dns_server  # noqa: F401 - fixture
from tests.webside import plain_static  # noqa: F401 - fixture
from tests.world import in_acme, world  # noqa: F401 - fixtures
