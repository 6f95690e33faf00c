"""Tenants, plans and usage over REST."""
