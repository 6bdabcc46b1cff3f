"""Fixtures of the doors, and how long a browser waits."""

from playwright.sync_api import expect

from tests.web import app, clock, demo

__all__ = ["app", "clock", "demo"]
expect.set_options(timeout=30_000)  # a machine that does other things, too, is slower, not wrong
