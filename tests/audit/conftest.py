from tests.webside import plain_static  # noqa: F401 - a fixture
from tests.world import world  # noqa: F401 - a fixture
