"""Mailboxes and aliases over REST."""
