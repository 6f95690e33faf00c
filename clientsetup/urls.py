"""Where people set up their devices. What programs ask by other host names stands in `hosts`."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from clientsetup import api, web

pages = [
    path("mailboxes/<uid:uid>/devices/", web.devices, name="mailbox-devices"),
    path("mailboxes/<uid:uid>/devices/link/", web.make_link, name="mailbox-device-link"),
    path("mailbox/devices/", web.own_devices, name="mailbox-own-devices"),
    path("mailbox/devices/profile/", web.own_profile, name="mailbox-own-profile"),
    path("device/", web.profile_link, name="profile-link"),
    path("device/<str:token>/", web.opened, name="profile-link-opened"),
]
endpoints = [
    path("mailboxes/<str:mailbox>/profile-links", api.ProfileLinks.as_view(), name="api-profile-links"),
]
