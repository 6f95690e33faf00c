"""Where the operator looks after the installation."""

from django.urls import path

from health import api, host_web, web

pages = [
    path("healthz", web.alive, name="healthz"),
    path("readyz", web.ready, name="readyz"),
    path("health/", web.health, name="health"),
    path("health/host/", host_web.host_records, name="host-records"),
    path("health/host/look/", host_web.look, name="host-look"),
    path("jobs/", web.jobs, name="jobs"),
    path("jobs/<int:number>/retry/", web.retry, name="job-retry"),
    path("jobs/<int:number>/discard/", web.discard, name="job-discard"),
    path("jobs/<int:number>/recall/", web.recall, name="job-recall"),
]
endpoints = [
    path("mail-host", api.MailHost.as_view(), name="api-mail-host"),
]
