"""Where billing systems read."""

from django.urls import path

from billing import api

pages: list = []
endpoints = [path("billing-events", api.BillingEvents.as_view(), name="api-billing-events")]
