"""Where tenants, their plans and their use stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from tenants.api import brands, me, plans, tenants, usage
from tenants.web import branding, customers, tree
from tenants.web import plans as plan_pages
from tenants.web import usage as usage_page

pages = [
    path("customers/", customers.customers, name="tenants"),
    path("customers/tree/", tree.tree, name="tenants-tree"),
    path("customers/<uid:uid>/edit/", customers.edit, name="customer-edit"),
    path("customers/<uid:uid>/suspend/", customers.suspend, name="customer-suspend"),
    path("customers/<uid:uid>/resume/", customers.resume, name="customer-resume"),
    path("customers/<uid:uid>/move/", customers.move, name="customer-move"),
    path("customers/<uid:uid>/plan/", plan_pages.choose, name="customer-plan"),
    path("customers/<uid:uid>/delete/", customers.delete, name="customer-delete"),
    path("customers/<uid:uid>/restore/", customers.restore, name="customer-restore"),
    path("customers/<uid:uid>/purge/", customers.purge, name="customer-purge"),
    path("branding/", branding.brand, name="branding"),
    path("branding/preview.css", branding.preview_style, name="brand-preview"),
    path("branding/logo/", branding.logo, name="brand-logo-set"),
    path("branding/logo/remove/", branding.remove_logo, name="brand-logo-remove"),
    path("branding/logo/restore/", branding.restore_logo, name="brand-logo-restore"),
    path("branding/host/", branding.host, name="brand-host"),
    path("branding/host/verify/", branding.verify_host, name="brand-host-verify"),
    path("branding/remove/", branding.remove, name="brand-remove"),
    path("brand/<uid:uid>/<int:revision>.css", branding.style, name="brand-style"),
    path("brand/<uid:uid>/<alnum:digest>.png", branding.picture, name="brand-logo"),
    path("plans/", plan_pages.plans, name="plans"),
    path("plans/add/", plan_pages.add, name="plan-add"),
    path("plans/<uid:uid>/", plan_pages.plan, name="plan"),
    path("plans/<uid:uid>/upgrade/", plan_pages.upgrade, name="plan-upgrade"),
    path("plans/<uid:uid>/retire/", plan_pages.retire, name="plan-retire"),
    path("plans/<uid:uid>/restore/", plan_pages.restore, name="plan-restore"),
    path("usage/", usage_page.usage, name="usage"),
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
    path("tenants/<str:tenant>/brand", brands.TenantBrand.as_view(), name="api-tenant-brand"),
    path("tenants/<str:tenant>/brand/logo", brands.TenantBrandLogo.as_view(), name="api-tenant-brand-logo"),
    path("tenants/<str:tenant>/brand/host", brands.TenantBrandHost.as_view(), name="api-tenant-brand-host"),
    path(
        "tenants/<str:tenant>/brand/host/verify",
        brands.BrandHostVerification.as_view(),
        name="api-tenant-brand-host-verify",
    ),
    path("tenants/<str:tenant>/usage", usage.TenantUsage.as_view(), name="api-tenant-usage"),
    path("usage", usage.OwnUsage.as_view(), name="api-usage"),
    path("plans", plans.Plans.as_view(), name="api-plans"),
    path("plans/<str:plan>", plans.OnePlan.as_view(), name="api-plan"),
    path("plans/<str:plan>/upgrade", plans.PlanUpgrade.as_view(), name="api-plan-upgrade"),
    path("plans/<str:plan>/preview", plans.PlanPreview.as_view(), name="api-plan-preview"),
    path("me", me.WhoAmI.as_view(), name="api-me"),
]
