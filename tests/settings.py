"""The settings of the tests: those of the stack they stand on."""

import os

from tests import stackside

stackside.choose()
# The browser driver runs an event loop in the thread that also asks the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from mailhost.settings import *
from mailhost.settings import CACHES

# What an installation need not offer, a test asks for by itself; on the live stack it is what that stack offers
# (`stackside.django_on`).
MAILHOST_SETUP_HOST = MAILHOST_DMARC_REPORTS = MAILHOST_TLS_REPORTS = MAILHOST_REPORTS_LOGIN = ""
MAILHOST_WEBHOOK_NETWORKS = []
MAILHOST_POLICY_PORT = 443

# Workers count sign-ins and the like in one Redis, each for itself.
CACHES["default"]["KEY_PREFIX"] = os.environ.get("PYTEST_XDIST_WORKER", "main")
