"""Whatever the document allows, and whatever it does not: schemathesis asks, all checks on."""

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from mailhost.api.schema import document
from mailhost.wsgi import application
from tests.apiside import make_cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

EXAMPLES = 3
# What a rule refuses, what is not there, and what was changed meanwhile has the right shape all the same.
REFUSED = [400, 401, 403, 404, 409, 412, 413, 415, 422, 429]
CONFIG = schemathesis.Config.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSED]},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        }
    }
)
# The key that asks must last for the next operation.
NAMES = {"domain": "acme.example", "mailbox": "anna@acme.example", "alias": "sales@acme.example"}
PATIENT = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def acme(settings):
    settings.MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY = settings.MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT = 0
    return make_cast().acme


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_gets_an_answer_that_the_document_does_not_name(acme, subtests, mode):
    schema = schemathesis.openapi.from_dict(document(), config=CONFIG)
    schema.app = application
    headers = acme.caller().defaults["HTTP_AUTHORIZATION"]
    names = NAMES | {"tenant": f"ten_{acme.tenant.uid}"}

    for found in schema.get_all_operations():
        operation = found.ok()
        wanted = {one.name: names[one.name] for one in operation.path_parameters if one.name in names}
        with subtests.test(operation.label):
            ask(operation.as_strategy(mode, path_parameters=wanted or None), {"Authorization": headers})


def ask(cases, headers: dict[str, str]) -> None:
    """Send some of these requests, and hold each answer to the document."""

    @PATIENT
    @given(case=cases)
    def send(case):
        # A batch in part mode answers 200 and says of each item what is wrong with it.
        excluded = [negative_data_rejection] if case.path.endswith("/batch") else []
        with transaction.atomic():
            case.call_and_validate(headers=headers, excluded_checks=excluded)
            transaction.set_rollback(True)

    send()
