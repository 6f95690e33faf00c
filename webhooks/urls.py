"""Where webhook endpoints stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from webhooks import api, web

pages = [
    path("webhooks/", web.index, name="webhooks"),
    path("webhooks/add/", web.add, name="webhook-add"),
    path("webhooks/<uid:uid>/", web.show, name="webhook"),
    path("webhooks/<uid:uid>/enable/", web.set_enabled, {"enabled": True}, name="webhook-enable"),
    path("webhooks/<uid:uid>/disable/", web.set_enabled, {"enabled": False}, name="webhook-disable"),
    path("webhooks/<uid:uid>/rotate/", web.rotate, name="webhook-rotate"),
    path("webhooks/<uid:uid>/test/", web.test, name="webhook-test"),
    path("webhooks/<uid:uid>/delete/", web.delete, name="webhook-delete"),
    path("webhook-deliveries/<uid:uid>/redeliver/", web.replay, name="webhook-redeliver"),
]
endpoints = [
    path("webhook-endpoints", api.WebhookEndpoints.as_view(), name="api-webhook-endpoints"),
    path("webhook-endpoints/<str:webhook>", api.OneWebhookEndpoint.as_view(), name="api-webhook-endpoint"),
    path("webhook-endpoints/<str:webhook>/rotate-secret", api.WebhookSecret.as_view(), name="api-webhook-secret"),
    path("webhook-endpoints/<str:webhook>/test", api.WebhookTest.as_view(), name="api-webhook-test"),
    path("webhook-endpoints/<str:webhook>/deliveries", api.WebhookDeliveries.as_view(), name="api-deliveries"),
    path(
        "webhook-endpoints/<str:webhook>/deliveries/<str:delivery>",
        api.OneDelivery.as_view(),
        name="api-delivery",
    ),
    path(
        "webhook-endpoints/<str:webhook>/deliveries/<str:delivery>/redeliver",
        api.Redelivery.as_view(),
        name="api-redelivery",
    ),
]
