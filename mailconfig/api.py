"""What a mail client needs to know of this installation, over REST."""

from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailconfig.parameters import Parameters
from mailhost.api.endpoint import Endpoint
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName

TLS = ["starttls", "implicit"]


class ServiceAnswer(Answer):
    """Where a service listens, and how its TLS begins."""

    host = serializers.CharField()
    port = serializers.IntegerField()
    tls = serializers.ChoiceField(choices=TLS)


class ServerInfoAnswer(Answer):
    """Host names and ports for mail clients. The user name is the mailbox's whole address."""

    object = ObjectName("server_info")
    hostname = serializers.CharField()
    imap = ServiceAnswer()
    imaps = ServiceAnswer()
    pop3 = ServiceAnswer()
    pop3s = ServiceAnswer()
    submission = ServiceAnswer()
    submissions = ServiceAnswer()
    managesieve = ServiceAnswer()
    message_size_limit_mb = serializers.IntegerField()


class ServerInfo(Endpoint):
    """The installation's mail services."""

    actions = {"GET": ANY_ACTOR}

    @describe("get_server_info", "Show the mail services' hosts and ports", answer=ServerInfoAnswer)
    def get(self, request: Request) -> Response:
        return Response(ServerInfoAnswer(server_info()).data)


@cache
def server_info() -> dict[str, Any]:
    """Return the services as the daemons are configured; that changes with the process's environment only."""
    parameters = Parameters.from_settings()

    def service(port: int, tls: str) -> dict[str, Any]:
        return {"host": parameters.hostname, "port": port, "tls": tls}

    return {
        "hostname": parameters.hostname,
        "imap": service(parameters.imap_port, "starttls"),
        "imaps": service(parameters.imaps_port, "implicit"),
        "pop3": service(parameters.pop3_port, "starttls"),
        "pop3s": service(parameters.pop3s_port, "implicit"),
        "submission": service(parameters.submission_port, "starttls"),
        "submissions": service(parameters.submissions_port, "implicit"),
        "managesieve": service(parameters.managesieve_port, "starttls"),
        "message_size_limit_mb": parameters.message_size_limit_mb,
    }
