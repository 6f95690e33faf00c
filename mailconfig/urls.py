"""Where the installation describes itself."""

from django.urls import path

from mailconfig import api

pages: list = []
endpoints = [
    path("server-info", api.ServerInfo.as_view(), name="api-server-info"),
]
