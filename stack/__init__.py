"""The private stack: every service of Mailhost on 127.0.0.1, run by one process, for the demo and the tests."""
