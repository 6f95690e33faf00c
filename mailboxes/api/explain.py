"""What the daemons would do with an address, over REST."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailboxes.explain import RULES, Explanation, check_question, explain_recipient, explain_sender
from mailboxes.references import ALIAS_PREFIX, MAILBOX_PREFIX
from mailhost.api.endpoint import Endpoint
from mailhost.api.errors import InvalidParameter
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName
from mailhost.errors import Refused

PREFIXES = {"domain": "dom", "mailbox": MAILBOX_PREFIX, "alias": ALIAS_PREFIX}
QUESTIONS = [
    OpenApiParameter("recipient", str, description="What becomes of mail for this address?"),
    OpenApiParameter("sender", str, description="May mail be sent under this address, by `login`?"),
    OpenApiParameter("login", str, description="The mailbox that signs in to send, with `sender`."),
]


class AboutAnswer(Answer):
    """The object behind an answer."""

    object = serializers.ChoiceField(choices=list(PREFIXES), source="kind")
    id = serializers.SerializerMethodField()
    name = serializers.CharField()

    def get_id(self, about) -> str:
        return f"{PREFIXES[about.kind]}_{about.uid}"


class StepAnswer(Answer):
    """One question of Postfix's or Dovecot's, by its name in the mail contract, with the answer that it gets."""

    by = serializers.ChoiceField(choices=["postfix", "dovecot"])
    question = serializers.CharField()
    asked = serializers.CharField()
    answer = serializers.ListField(child=serializers.CharField())
    says = serializers.CharField()
    about = AboutAnswer(allow_null=True)


class ExplanationAnswer(Answer):
    """What would happen, step by step. `delivered_to` are mailboxes of yours; `leaves_to` is everything else, on
    this server or another. `reply` is how the SMTP reply to a client begins."""

    object = ObjectName("explanation")
    outcome = serializers.ChoiceField(choices=["accepted", "refused"])
    reply = serializers.CharField()
    rule = serializers.ChoiceField(choices=list(RULES))
    summary = serializers.CharField()
    decided_by = AboutAnswer(allow_null=True)
    delivered_to = serializers.ListField(child=serializers.CharField())
    leaves_to = serializers.ListField(child=serializers.CharField())
    steps = StepAnswer(many=True)


class Explain(Endpoint):
    """Name a `recipient`, or a `sender` and a `login`."""

    actions = {"GET": "addresses.explain"}
    filters = frozenset({"recipient", "sender", "login"})

    @describe("explain_address", "Explain what happens to an address", answer=ExplanationAnswer, filters=QUESTIONS)
    def get(self, request: Request) -> Response:
        return Response(ExplanationAnswer(explained(request.query_params)).data)


def explained(parameters) -> Explanation:
    """Return the explanation that is asked for. Raises InvalidParameter."""
    recipient, sender, login = (parameters.get(name) for name in ("recipient", "sender", "login"))
    try:
        check_question(recipient, sender, login)
        return explain_recipient(recipient) if recipient is not None else explain_sender(sender, login)
    except Refused as refused:
        raise InvalidParameter(refused.field, refused.code, refused.message) from refused
