"""A customer's pages about the DNS of a domain: publishing, keys, history, tools; by the forms that a browser sends."""

import re
import secrets

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dns import tasks
from dns.lookup import look_up
from dns.models import DkimKey, KeyState, RecordChange, ZoneAccess
from domains.models import Domain
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.webside import fresh_cache, plain_static, signed_in  # noqa: F401  fixtures
from tests.world import World, make_world, verified_domain


@pytest.fixture
def world(db, plain_static, fresh_cache) -> World:  # noqa: F811  the fixtures of that name
    return make_world()


@pytest.fixture
def anna(world) -> Client:
    return person(world, "anna@acme.example", Role.OWNER)


def person(world: World, email: str, role: str) -> Client:
    user = User.objects.create(email=email)
    with every_tenant("the tests' cast"):
        Member.objects.create(tenant=world.acme, user=user, role=role)
    return signed_in(user)


@pytest.fixture
def domain(world) -> Domain:
    return verified_domain(world.as_acme, f"acme-{secrets.token_hex(4)}.example")


def read(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_publishing_from_the_connection_to_the_way_back(anna, domain, bind):
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    page = f"/domains/{domain.uid}/publishing/"
    key = bind["update_key"]
    given = {
        "server": "127.0.0.1",
        "port": bind["port"],
        "zone": "example.",
        "key_name": key["name"],
        "algorithm": key["algorithm"],
        "secret": "d3Jvbmc=",
    }

    refused = anna.post(f"{page}connect/", given)
    assert (refused.status_code, "Nothing was changed" in refused.content.decode()) == (422, True)
    assert "d3Jvbmc=" not in refused.content.decode()

    anna.post(f"{page}connect/", given | {"secret": key["secret"]})
    shown = read(anna, f"{page}?preview=1")
    assert key["secret"] not in shown
    assert "_mailhost-challenge" in shown
    assert look_up(domain.domain_name, "MX").values == ()

    anna.post(f"{page}publish/")
    assert look_up(domain.domain_name, "MX").values == ("10 mail.mailhost.example",)
    assert "stands in the zone already" in read(anna, f"{page}?preview=1")

    anna.post(f"{page}undo/")
    assert look_up(domain.domain_name, "MX").values == ()
    anna.post(f"{page}disconnect/", {"typed": domain.domain_name})
    with every_tenant("a test looks"):
        assert not ZoneAccess.objects.filter(domain=domain).exists()


def test_the_zone_file_is_saved_under_the_domains_name(anna, domain):
    tasks.refresh_records(domain.pk)

    answer = anna.get(f"/domains/{domain.uid}/zone/")

    assert answer["Content-Disposition"] == f'attachment; filename="{domain.domain_name}.zone"'
    assert f"{domain.domain_name}. 3600 IN MX 10 mail." in answer.content.decode()


def test_keys_are_rotated_once_and_given_up(anna, domain):
    page = f"/domains/{domain.uid}/keys/"
    with every_tenant("the tests' cast"):
        DkimKey.objects.create(
            domain=domain, selector="old", public_key="x", private_key="x", state=KeyState.ACTIVE
        )  # fmt: skip

    anna.post(f"{page}rotate/")
    shown = read(anna, page)
    assert ("Signs every message" in shown, "Waits for DNS" in shown) == (True, True)
    assert "Make the next key" not in shown

    with every_tenant("the test reads the selector"):
        waiting = DkimKey.objects.next_in_line().get(domain=domain).selector
    assert f"Type {waiting} to go on" in read(anna, f"{page}abandon/")
    assert anna.post(f"{page}abandon/", {"typed": "old"}).status_code == 422
    assert "Make the next key" not in read(anna, page)

    anna.post(f"{page}abandon/", {"typed": waiting})
    assert "Make the next key" in read(anna, page)
    assert "No key waits to sign." in anna.get(f"{page}abandon/", follow=True).content.decode()
    # A page that is older asks for the dialog, and is shown anew.
    assert anna.get(f"{page}abandon/", headers={"HX-Request": "true"})["HX-Redirect"] == page


def test_a_key_that_is_none_is_refused_and_not_shown_again(anna, domain):
    answer = anna.post(f"/domains/{domain.uid}/keys/import/", {"selector": "mine", "private_pem": "-----NO KEY-----"})

    assert answer.status_code == 422
    assert "Nothing was changed" in answer.content.decode()


def test_who_may_only_read_sees_keys_and_no_buttons(world, domain):
    rex = person(world, "rex@acme.example", Role.READ_ONLY)

    assert "Make the next key" not in read(rex, f"/domains/{domain.uid}/keys/")
    assert rex.post(f"/domains/{domain.uid}/keys/rotate/").status_code == 403


def test_the_history_tells_before_and_after_without_trusting_dns(anna, domain):
    with every_tenant("the tests' cast"):
        RecordChange.objects.create(
            domain=domain, purpose="mx", record_type="MX", name=domain.domain_name, status_before="ok",
            status="mismatch", found_before=["10 a.example"], found=["<script>x</script>"], seen_at=timezone.now(),
        )  # fmt: skip

    shown = read(anna, f"/domains/{domain.uid}/history/")

    assert ("10 a.example" in shown, "Differs" in shown) == (True, True)
    assert "<script>x" not in shown


def test_the_tools_look_at_any_domain(anna, dns_server):
    dns_server.says("shop.example", "MX", "10 mail.shop.example.")
    dns_server.says("mail.shop.example", "A", "203.0.113.25")

    assert "10 mail.shop.example" in read(anna, "/dns/?domain=shop.example")
    assert "10 mail.shop.example" in read(anna, "/dns/look-up/?kind=mx&name=shop.example")
    refused = anna.get("/dns/?domain=not%20a%20name")
    assert (refused.status_code, "Nothing was changed" in refused.content.decode()) == (422, True)


def test_records_are_made_from_choices(anna):
    assert "v=spf1 mx ip4:192.0.2.25 -all" in read(anna, "/dns/spf/?mx=on&ip4=192.0.2.25&policy=fail")
    assert "v=DMARC1; p=reject" in read(anna, "/dns/dmarc/?policy=reject")
    assert anna.get("/dns/spf/?ip4=nonsense&policy=fail").status_code == 422


def test_adding_a_domain_tells_where_its_mail_goes_now(anna, dns_server):
    dns_server.says("xn--bcher-kva.example", "MX", "10 mail.elsewhere.example.")

    shown = read(anna, "/domains/add/found/?name=https://www.B%C3%BCcher.example/shop")

    assert ("bücher.example" in shown, "xn--bcher-kva.example" in shown) == (True, True)
    assert "10 mail.elsewhere.example" in shown
    assert read(anna, "/domains/add/found/?name=half") == ""


@pytest.mark.parametrize(
    "pasted", ["https://www.acme-shop.example/a?b#c", "Anna <anna@acme-shop.example>", "acme-shop.example/"]
)
def test_a_pasted_address_names_its_domain(anna, pasted):
    anna.post("/domains/add/", {"name": pasted, "alias_of": ""})

    with every_tenant("a test looks"):
        assert Domain.objects.filter(domain_name="acme-shop.example").exists()


def test_the_list_shows_those_in_a_state(anna, world, domain):
    from domains.operations import create_domain

    create_domain(world.as_acme, name="waits.example")

    def names(state: str) -> set[str]:
        return set(re.findall(r'<th scope="row"><a[^>]*>([^<]+)', read(anna, f"/domains/?state={state}")))

    assert names("") == names("nonsense") == {domain.domain_name, "waits.example"}
    assert names("unproven") == names("attention") == {"waits.example"}
    assert names("proven") == {domain.domain_name}
    assert names("off") == set()


def test_the_way_to_the_first_mail_goes_on_by_itself_and_can_be_hidden(anna, world):
    assert "Send a test message" in read(anna, "/")
    before = read(anna, "/").count("Done:")
    # The step that comes next, and it alone, is marked.
    assert [read(anna, "/").count(mark) for mark in ('aria-current="step"', "small primary")] == [1, 1]
    verified_domain(world.as_acme, "acme.example")
    assert read(anna, "/").count("Done:") == before + 2

    anna.post("/overview/checklist/")
    assert "Send a test message" not in read(anna, "/")
    anna.post("/overview/checklist/", {"show": "1"})
    assert "Send a test message" in read(anna, "/")
