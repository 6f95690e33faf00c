import pytest

from tests.routes.cast import a_member
from tests.webside import plain_static, signed_in  # noqa: F401 - a fixture
from tests.world import world  # noqa: F401 - a fixture


@pytest.fixture
def operator(world, plain_static):  # noqa: F811 - the fixtures of those names
    """The operator's owner, signed in."""
    return signed_in(a_member(world.operator, "owner").user)
