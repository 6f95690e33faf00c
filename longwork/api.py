"""Long work over REST, under the name of operations; and how other endpoints answer with it."""

import time
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from longwork import prefer
from longwork.models import LongWork, State, states
from longwork.references import PREFIX, find_work, listed_works
from longwork.works import cancel
from mailhost.api import errors
from mailhost.api.changes import is_rehearsal
from mailhost.api.endpoint import Endpoint
from mailhost.api.lists import Filter, Listing, in_ascii, one_of
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import Problem, describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId
from mailhost.waiting import room_to_wait

TENANT_PREFIX = "ten"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.25


def of_kind(rows: QuerySet, kind: str) -> QuerySet:
    # The column is ASCII: MariaDB answers an error when it is asked for other characters.
    return rows.filter(kind=kind) if kind.isascii() else rows.none()


LISTING = Listing(
    # The newest come first.
    orders={"newest": ("-pk",), "created_at": ("pk",)},
    filters=(
        one_of("state", "Only those that stand so.", {state: {"state": state} for state in State.values}),
        Filter("kind", "Only those of this kind.", of_kind),
    ),
    search=in_ascii("kind"),
    searched="the kind",
    words_of=str.lower,
)


class ProgressAnswer(Answer):
    """How much is dealt with, taken or refused; `total` is null where it is one piece."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)


class RowErrorAnswer(Answer):
    """Why one row was not taken: `row` is its place from 0, `pointer` leads into the row."""

    row = serializers.IntegerField()
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ListedOperationAnswer(Answer):
    """Long work as lists show it: what has come of each of its rows, which may be thousands, is shown of one alone.
    `problem` is what ended the work when its `state` is `failed`. Kept for 30 days."""

    volatile = frozenset({"state", "progress", "problem", "started_at", "finished_at"})

    id = PublicId(PREFIX)
    object = ObjectName("operation")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=states())
    progress = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField()
    actor = serializers.SerializerMethodField()
    request_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(ProgressAnswer)
    def get_progress(self, work: LongWork) -> dict[str, Any]:
        return {"done": work.done, "total": work.total}

    @extend_schema_field(Problem(allow_null=True))
    def get_problem(self, work: LongWork) -> dict[str, Any] | None:
        if work.fault is None:
            return None
        return errors.body(work.fault["code"], work.fault["detail"], _as_told(work.fault["errors"]))

    def get_actor(self, work: LongWork) -> str:
        return work.asker["label"]


class OperationAnswer(ListedOperationAnswer):
    """Long work. `result` is what the endpoint that started it answers when it does not take long; `errors` are those
    of single rows, `problem` is what ended the work when its `state` is `failed`. Kept for 30 days."""

    volatile = ListedOperationAnswer.volatile | {"result", "errors"}

    result = serializers.SerializerMethodField()
    errors = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
    def get_result(self, work: LongWork) -> Any:
        return work.result or None

    @extend_schema_field(RowErrorAnswer(many=True))
    def get_errors(self, work: LongWork) -> list[dict[str, Any]]:
        return _as_told(work.errors)


class Operations(Endpoint):
    """Long work of a tenant and of every tenant below it; a key without `operations:read` sees what it has started."""

    actions = {"GET": ANY_ACTOR}
    listing = LISTING

    @describe("list_operations", "List operations", answer=ListedOperationAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(listed_works(request.actor).defer("result", "errors"), ListedOperationAnswer)


class OneOperation(Endpoint):
    """One operation, by id. With `Prefer: wait=N` the answer waits, up to 10 seconds, for the end."""

    actions = {"GET": ANY_ACTOR}

    @describe("get_operation", "Show an operation", answer=OperationAnswer, names_object=True)
    def get(self, request: Request, operation: str) -> Response:
        work = find_work(request.actor, operation)
        if seconds := prefer.seconds_to_wait(request):
            with room_to_wait() as may_wait:
                work = _waited(work, seconds) if may_wait else work
        return Response(OperationAnswer(work).data)


class OperationCancellation(Endpoint):
    shows = OneOperation
    actions = {"POST": cancel.action}

    @describe(
        "cancel_operation",
        "End an operation; what it has done stays",
        answer=OperationAnswer,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, operation: str) -> Response:
        work = find_work(request.actor, operation)
        self.body(Nothing)
        return Response(OperationAnswer(cancel(request.actor, work=work)).data)


def is_long(request: Request) -> bool:
    """Say whether the request wants to be answered before it is done. A rehearsal is answered when it is through."""
    return prefer.wants_async(request) and not is_rehearsal(request)


def accepted(request: Request, work: LongWork) -> Response:
    """Answer 202 with the operation; or, where the caller waits and it ends meanwhile, what it has come to."""
    response = Response(OperationAnswer(work).data, status=202, headers=_headers(work))
    if prefer.wants_async(request):
        response.headers[prefer.APPLIED] = prefer.ASYNC
    if seconds := prefer.seconds_to_wait(request):
        response.settle = partial(_settled, work, seconds)
    return response


def _settled(work: LongWork, seconds: int) -> Response:
    with room_to_wait() as may_wait:
        if may_wait:
            work = _waited(work, seconds)
    headers = _headers(work) | ({prefer.APPLIED: f"wait={seconds}"} if may_wait else {})
    if work.state == State.SUCCEEDED:
        return Response(work.result, status=200, headers=headers)
    if work.state == State.FAILED:
        fault = work.fault
        return errors.answer(fault["code"], fault["detail"], _as_told(fault["errors"]), headers)
    return Response(OperationAnswer(work).data, status=202, headers=headers)


def _as_told(errors_of_rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what only pages need, to say it in another language."""
    return [{name: value for name, value in error.items() if name != "said"} for error in errors_of_rows]


def _waited(work: LongWork, seconds: int) -> LongWork:
    """Return the work as it is when it has ended, or when the time is over."""
    until, pause = time.monotonic() + seconds, FIRST_PAUSE_SECONDS
    while not work.is_finished and time.monotonic() < until:
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        work.refresh_from_db()
    return work


def _headers(work: LongWork) -> dict[str, str]:
    return {"Location": reverse("api-operation", args=[f"{PREFIX}_{work.uid}"])}
