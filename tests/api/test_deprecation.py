"""What goes out of use says so, in its answers and in the document."""

from datetime import date

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost import urls
from mailhost.api.deprecation import Deprecated
from mailhost.api.endpoint import Endpoint
from mailhost.api.lists import Listing
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import describe
from tests.apiside import make_cast


class Former(Endpoint):
    """A route of this test alone."""

    actions = {"GET": ANY_ACTOR, "POST": ANY_ACTOR}
    listing = Listing(orders={"name": ("pk",)})
    deprecated = {"GET": Deprecated(date(2026, 1, 1), date(2026, 12, 31), "/mailboxes")}

    @describe("get_former", "Show what was", answer={"type": "object"})
    def get(self, request: Request) -> Response:
        return Response({}, headers={"Link": '<next>; rel="next"'})

    @describe("post_former", "Do what was", answer={"type": "object"})
    def post(self, request: Request) -> Response:
        return Response({})


urlpatterns = [path("api/v1/former", Former.as_view()), *urls.urlpatterns]
handler404 = urls.handler404


@pytest.mark.django_db
def test_answers_say_since_when_until_when_and_what_instead(settings):
    settings.ROOT_URLCONF = __name__
    caller = make_cast().acme.caller()

    answer, other = caller.call("GET", "/former"), caller.call("POST", "/former")

    assert answer.headers["Deprecation"] == "@1767225600"
    assert answer.headers["Sunset"] == "Thu, 31 Dec 2026 00:00:00 GMT"
    assert answer.headers["Link"] == '<next>; rel="next", </api/v1/mailboxes>; rel="successor-version"'
    assert "Deprecation" not in other.headers
    assert "Sunset" not in other.headers


def test_the_document_marks_it(settings):
    methods = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)["paths"]["/api/v1/former"]

    assert methods["get"]["deprecated"] is True
    assert "deprecated" not in methods["post"]


def test_nothing_goes_without_half_a_year_of_notice():
    with pytest.raises(ValueError, match="180 days"):
        Deprecated(date(2026, 1, 1), date(2026, 6, 1), "/mailboxes")
