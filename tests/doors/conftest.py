"""Fixtures of the doors."""

from tests.web import app, clock, demo

__all__ = ["app", "clock", "demo"]
