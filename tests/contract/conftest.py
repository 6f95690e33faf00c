"""The cast for tests of the contract."""

from tests.world import world  # noqa: F401 - a fixture
