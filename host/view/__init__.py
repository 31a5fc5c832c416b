"""Diagrams of a design, drawn from what it is, and a player of one layer: SVG and one HTML page."""

from eie.host.view.view import View, view, view_example

__all__ = ["View", "view", "view_example"]
