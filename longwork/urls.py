"""Where long work is watched."""

from django.urls import path

from longwork import api

pages: list = []
endpoints = [
    path("operations", api.Operations.as_view(), name="api-operations"),
    path("operations/<str:operation>", api.OneOperation.as_view(), name="api-operation"),
    path("operations/<str:operation>/cancel", api.OperationCancellation.as_view(), name="api-operation-cancel"),
]
