"""The error of a search that found no design; what it says is data, too."""

from __future__ import annotations

from eie.hls.boundary.errors import DoesNotFitError
from eie.host.search.explain import no_design
from eie.host.search.reasons import NoDesign

__all__ = ["NoDesignError"]


class NoDesignError(DoesNotFitError):
    """No design holds a network: which one comes closest, what it lacks, and what helps.

    Cure: the ways that the message lists, each with the density or board that does fit.
    """

    def __init__(self, found: NoDesign) -> None:
        super().__init__(no_design(found), found.shortages, found.ways)
        #: All of it as data.
        self.found = found
