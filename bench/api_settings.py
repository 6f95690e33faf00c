"""The settings of the measured web server: production's, with one more route, which does nothing."""

from mailhost.settings import *  # noqa: F403

ROOT_URLCONF = "bench.api_server"
