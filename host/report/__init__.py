"""The report that people look at: one HTML page that opens offline, and the same facts as JSON."""

from __future__ import annotations

from eie.host.report.facts import EngineAgreement
from eie.host.report.report import Report, make_report

__all__ = ["EngineAgreement", "Report", "make_report"]
