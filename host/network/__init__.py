"""The network: what a compressed model says, and its file."""

from __future__ import annotations

from eie.host.network.network import *  # noqa: F403
