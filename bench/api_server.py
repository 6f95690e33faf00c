"""The URL map of the measured web server: `/api/v1/noop` knows the key and does nothing, which is the floor."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost import urls
from mailhost.api.endpoint import Endpoint
from mailhost.api.permissions import ANY_ACTOR


class Noop(Endpoint):
    actions = {"GET": ANY_ACTOR}

    def get(self, request: Request) -> Response:
        return Response({"object": "nothing"})


urlpatterns = [path("api/v1/noop", Noop.as_view()), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
