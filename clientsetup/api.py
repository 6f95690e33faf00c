"""Set-up of devices over REST."""

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clientsetup.links import link_of
from clientsetup.operations import create_profile_link
from mailboxes.api.mailboxes import OfMailbox
from mailboxes.references import find_mailbox
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName


class ProfileLinkAnswer(Answer):
    """A link that its receiver opens on an iPhone, iPad or Mac, once: it makes an app password and its profile."""

    object = ObjectName("profile_link")
    mailbox = serializers.CharField()
    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ProfileLinks(OfMailbox):
    """Makes links that set up an Apple device."""

    actions = {"POST": create_profile_link.action}

    @describe(
        "create_profile_link",
        "Make a one-time link that sets up an Apple device",
        answer=ProfileLinkAnswer,
        status=201,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        self.body(Nothing)
        link, token = create_profile_link(request.actor, mailbox=row, now=timezone.now())
        made = {"mailbox": row.email, "url": link_of(token), "expires_at": link.expires_at}
        return Response(ProfileLinkAnswer(made).data, status=201)
