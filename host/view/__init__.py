"""Diagrams of a design, drawn from what it is, and a player of one layer: SVG and one HTML page."""

from eie.host.view.view import View, design_in_notebook, view, view_example

__all__ = ["View", "design_in_notebook", "view", "view_example"]
