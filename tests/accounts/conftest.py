from tests.world import in_acme, world  # noqa: F401 - fixtures
