"""Packets and answers between a host and an accelerator, whatever it is."""
