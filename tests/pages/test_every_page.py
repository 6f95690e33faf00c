"""Every page, opened by the people of the town."""

import pytest
from django.test import Client

from domains.models import Domain
from mailboxes.models import Mailbox
from mailhost.scope import every_tenant
from tests.pages.town import Town

# Statements per page: constant in the number of rows, and few.
MOST_STATEMENTS = 15


def addresses(town: Town) -> dict[str, str]:
    """Every page that one may open, by its name; with rows of Acme's."""
    with every_tenant("tests name rows"):
        domain = Domain.objects.get(domain_name="acme.example")
        mailbox = Mailbox.objects.get(email="anna@acme.example")
    return {
        "home": "/",
        "domains": "/domains/",
        "domain-add": "/domains/add/",
        "domain": f"/domains/{domain.uid}/",
        "domain-settings": f"/domains/{domain.uid}/settings/",
        "mailboxes": "/mailboxes/",
        "mailboxes-of-domain": f"/mailboxes/?domain={domain.uid}",
        "mailbox-add": "/mailboxes/add/",
        "mailbox": f"/mailboxes/{mailbox.uid}/",
        "mailbox-bin": "/mailboxes/bin/",
        "aliases": "/aliases/",
        "alias-add": "/aliases/add/",
        "keys": "/keys/",
        "key-add": "/keys/add/",
        "audit": "/audit/",
        "customers": "/customers/",
    }


def signed_in(town: Town, email: str) -> Client:
    client = Client()
    client.force_login(town.person(email))
    return client


@pytest.mark.parametrize("email", ["anna@acme.example", "rita@rita.example", "operator@mailhost.example"])
def test_owners_see_every_page_with_few_statements(town, email, django_assert_max_num_queries):
    client = signed_in(town, email)

    for name, address in addresses(town).items():
        with django_assert_max_num_queries(MOST_STATEMENTS, info=name):
            assert client.get(address).status_code == 200, name
