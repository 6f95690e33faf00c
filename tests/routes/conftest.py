"""What tests of routes stand on."""

from tests.webside import plain_static  # noqa: F401  a fixture
