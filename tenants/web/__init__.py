"""Pages about the tenants below, their plans, and what is in use."""
