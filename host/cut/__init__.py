"""A model in parts: its head for the accelerator, the rest of it as torch programs on the host.

:mod:`~eie.host.cut.segments` finds the part that the accelerator takes,
:mod:`~eie.host.cut.host_part` keeps the rest as torch runs it, and
:mod:`~eie.host.cut.model_parts` has them together.
"""

from eie.host.cut.compressing import compress_parts
from eie.host.cut.host_part import HostPart
from eie.host.cut.model_parts import HostParts, ModelParts
from eie.host.cut.parting import Cut, read_parts

__all__ = ["Cut", "HostPart", "HostParts", "ModelParts", "compress_parts", "read_parts"]
