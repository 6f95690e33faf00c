"""What a log says of a request: enough to find it, nothing that opens anything."""

import pytest
from django.test import RequestFactory

from mailhost.request_log import RequestLogMiddleware


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/device/D_VFwfzB-3Bi0xw4JXwzqt9ncCiXuaK49TBgAq4RGK4/", "GET /device/…/"),
        ("/password/new/1-cr2k5v-0a8f0f6f2c9b4d7e8a6b5c4d3e2f1a0b/", "GET /password/new/…/"),
        ("/mailboxes/0123456789abcdefghjk/devices/?q=anna", "GET /mailboxes/0123456789abcdefghjk/devices/"),
        ("/api/v1/domains/dom_0123456789abcdefghjk/records", "GET /api/v1/domains/dom_0123456789abcdefghjk/records"),
    ],
)
def test_a_token_in_a_path_is_not_logged(path, said):
    assert RequestLogMiddleware.format_request(RequestFactory().get(path)) == said
