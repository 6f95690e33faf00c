"""The project: what every app stands on."""
