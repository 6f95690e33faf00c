"""Where tenants stand."""

from django.urls import path

from tenants import api, web

pages = [
    path("customers/", web.customers, name="tenants"),
]
endpoints = [
    path("tenants", api.Tenants.as_view(), name="api-tenants"),
    path("tenants/<str:tenant>", api.OneTenant.as_view(), name="api-tenant"),
    path("tenants/<str:tenant>/suspend", api.TenantSuspension.as_view(), name="api-tenant-suspend"),
    path("tenants/<str:tenant>/resume", api.TenantResumption.as_view(), name="api-tenant-resume"),
    path("me", api.WhoAmI.as_view(), name="api-me"),
]
