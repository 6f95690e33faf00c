"""A brand's logo and host name over REST."""

import base64
import io
import secrets

import pytest
from django.test import Client
from PIL import Image

from stack.publish import Published, publish
from tests.apiside import Caller, assert_problem, errors_of, make_key
from tests.tenants.test_brand import a_picture, ritas_brand
from tests.webside import plain_static  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def rita(world) -> Caller:
    ritas_brand(world)
    return Caller(make_key(world.rita))


@pytest.fixture
def path(world) -> str:
    return f"/tenants/ten_{world.rita.uid}/brand"


def in_base64(picture: bytes) -> dict[str, str]:
    return {"logo": base64.b64encode(picture).decode()}


def test_a_logo_is_set_shown_to_everybody_and_removed(world, rita, path):
    before = rita.read(path)

    answer = rita.call("PUT", f"{path}/logo", in_base64(a_picture(1600, 400, "PNG")))
    shown = rita.read(path)
    picture = Client().get("/" + shown["logo_url"].split("/", 3)[3])
    removed = rita.call("DELETE", f"{path}/logo")

    assert answer.status_code == 200
    assert before["logo_url"] is None
    assert answer.json() == shown == before | {"logo_url": shown["logo_url"]}
    assert Image.open(io.BytesIO(picture.content)).size == (256, 64)
    assert (removed.status_code, removed.content) == (204, b"")
    assert rita.read(path) == before


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, ("#/logo", "required")),
        ({"logo": ""}, ("#/logo", "blank")),
        ({"logo": 7}, ("#/logo", "invalid")),
        ({"logo": "AA=A"}, ("#/logo", "invalid_base64")),
        ({"logo": "data:image/png;base64,AAAA"}, ("#/logo", "invalid_base64")),
        (in_base64(b"GIF89a"), ("#/logo", "invalid_logo")),
        (in_base64(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("#/logo", "invalid_logo")),
        (in_base64(bytes(1024 * 1024 + 1)), ("#/logo", "logo_too_large")),
        ({"logo": "AAAA", "url": "https://x.example"}, ("#/url", "unknown_field")),
    ],
    ids=lambda one: one[1] if isinstance(one, tuple) else "",
)
def test_what_is_no_logo_is_refused_and_changes_nothing(rita, path, body, error):
    assert errors_of(rita.call("PUT", f"{path}/logo", body)) == [error]
    assert rita.read(path)["logo_url"] is None


def test_a_host_name_is_named_proven_and_given_up(world, rita, path, stack):
    name = f"panel-{secrets.token_hex(4)}.example"
    nothing = rita.read(f"{path}/host")
    too_early = rita.call("POST", f"{path}/host/verify")

    named = rita.call("PUT", f"{path}/host", {"host_name": name.upper()}).json()
    unproven = rita.call("POST", f"{path}/host/verify")
    proof, leads_here = named["records"]
    publish(
        stack.info["dns"],
        [Published(f"{proof['name']}.", proof["type"], proof["value"]), Published(f"{name}.", "A", "127.0.0.1")],
    )
    verified = rita.call("POST", f"{path}/host/verify").json()
    brand = rita.read(path)
    named_again = rita.call("PUT", f"{path}/host", {"host_name": name}).json()
    given_up = rita.call("DELETE", f"{path}/host")

    assert nothing == rita.read(f"{path}/host")
    assert (nothing["host_name"], nothing["status"], nothing["records"]) == (None, "none", [])
    assert errors_of(too_early) == [("#/host_name", "no_host")]
    assert (named["host_name"], named["status"]) == (name, "pending")
    assert leads_here == {"type": "CNAME", "name": name, "value": "127.0.0.1"}
    assert errors_of(unproven) == [("#", "no_proof")]
    assert verified == named | {"status": "verified", "verified_at": verified["verified_at"]}
    assert brand["host_name"] == name
    assert f"://{name}:" in brand["panel_url"]
    assert named_again == verified
    assert given_up.status_code == 204


@pytest.mark.parametrize(
    ("body", "code"), [({"host_name": "mail.mailhost.example"}, "own_host"), ({"host_name": "a b"}, "invalid_host")]
)
def test_what_is_no_host_name_is_refused_by_its_member(rita, path, body, code):
    assert errors_of(rita.call("PUT", f"{path}/host", body)) == [("#/host_name", code)]
    assert rita.read(f"{path}/host")["status"] == "none"


def test_a_rehearsal_and_a_stale_tag_change_nothing(rita, path):
    tag = rita.call("GET", path).headers["ETag"]
    logo, host = in_base64(a_picture(40, 20, "PNG")), {"host_name": "panel.rita.example"}

    rehearsed = rita.call("PUT", f"{path}/host?dry_run=true", host)
    unchanged = rita.call("GET", path).headers["ETag"]
    on_what_was_read = rita.call("PUT", f"{path}/logo", logo, headers={"If-Match": tag})
    stale = [
        rita.call(method, f"{path}/{part}", body, headers={"If-Match": tag})
        for method, part, body in [("PUT", "host", host), ("DELETE", "logo", ""), ("POST", "host/verify", "")]
    ]

    assert (rehearsed.status_code, rehearsed.headers["Dry-Run"]) == (200, "true")
    assert unchanged == tag
    assert on_what_was_read.status_code == 200
    for answer in stale:
        assert_problem(answer, 412, "precondition_failed")
    assert rita.read(f"{path}/host")["status"] == "none"


def test_a_brand_is_removed_and_then_there_is_nothing_to_dress(world, rita, path):
    assert rita.call("DELETE", path).status_code == 204

    assert rita.read(path)["id"] is None
    for method, part, body in [
        ("DELETE", "", ""),
        ("PUT", "/logo", in_base64(a_picture(40, 20, "PNG"))),
        ("PUT", "/host", {"host_name": "panel.rita.example"}),
    ]:
        assert errors_of(rita.call(method, path + part, body)) == [("#", "no_brand")]


def test_it_is_changed_by_the_tenant_whose_it_is_alone(world, rita, path):
    of_acme = f"/tenants/ten_{world.acme.uid}/brand/host"
    acme = Caller(make_key(world.acme))

    assert errors_of(rita.call("PUT", of_acme, {"host_name": "panel.acme.example"})) == [("#", "not_own")]
    assert_problem(acme.call("PUT", of_acme, {"host_name": "panel.acme.example"}), 403, "not_permitted")
    assert_problem(acme.call("PUT", f"{path}/logo", in_base64(b"x")), 403, "not_permitted")
    assert_problem(acme.call("GET", f"{path}/host"), 404, "not_found")
    # What a provider must publish is not told to its customers.
    assert acme.read(of_acme)["records"] == []
