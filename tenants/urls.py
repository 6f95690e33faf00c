"""Where tenants, their plans and their use stand."""

from django.urls import path

from tenants import web
from tenants.api import me, plans, tenants, usage

pages = [
    path("customers/", web.customers, name="tenants"),
    path("usage/", web.usage, name="usage"),
]
endpoints = [
    path("tenants", tenants.Tenants.as_view(), name="api-tenants"),
    path("tenants/<str:tenant>", tenants.OneTenant.as_view(), name="api-tenant"),
    path("tenants/<str:tenant>/suspend", tenants.TenantSuspension.as_view(), name="api-tenant-suspend"),
    path("tenants/<str:tenant>/resume", tenants.TenantResumption.as_view(), name="api-tenant-resume"),
    path("tenants/<str:tenant>/move", tenants.TenantMove.as_view(), name="api-tenant-move"),
    path("tenants/<str:tenant>/plan", tenants.TenantPlan.as_view(), name="api-tenant-plan"),
    path("tenants/<str:tenant>/preview", tenants.TenantPreview.as_view(), name="api-tenant-preview"),
    path("tenants/<str:tenant>/restore", tenants.TenantRestoration.as_view(), name="api-tenant-restore"),
    path("tenants/<str:tenant>/purge", tenants.TenantPurge.as_view(), name="api-tenant-purge"),
    path("tenants/<str:tenant>/limits", usage.TenantLimits.as_view(), name="api-tenant-limits"),
    path("tenants/<str:tenant>/usage", usage.TenantUsage.as_view(), name="api-tenant-usage"),
    path("usage", usage.OwnUsage.as_view(), name="api-usage"),
    path("plans", plans.Plans.as_view(), name="api-plans"),
    path("plans/<str:plan>", plans.OnePlan.as_view(), name="api-plan"),
    path("plans/<str:plan>/upgrade", plans.PlanUpgrade.as_view(), name="api-plan-upgrade"),
    path("plans/<str:plan>/preview", plans.PlanPreview.as_view(), name="api-plan-preview"),
    path("me", me.WhoAmI.as_view(), name="api-me"),
]
