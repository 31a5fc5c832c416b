"""Mutated networks, designs, packets and ONNX models in great numbers, and what is right of them.

``make fuzz`` runs it (``python tests/fuzz --help``). A case is a kind and a number: the number
seeds everything about it, so any case can be made again from its name alone. The parts:

- what is mutated: ``network_seeds``, ``mutated_networks``, ``mutated_npy``, ``mutated_json``,
  ``mutated_designs``, ``mutated_packets``, ``mutated_loads`` with ``record_changes`` and
  ``section_changes``, and ``damage`` for bytes of any kind;
- what is right, written without eie's own code: ``valid_network``, ``valid_design``,
  ``valid_packet``;
- what is asked of eie: ``network_target``, ``design_target``, ``packet_target``, with ``twin``, a
  compiled kernel in lock-step with the emulator;
- how cases are run: ``campaign`` (all cores, a watchdog), ``worker`` (limits of time and memory),
  ``progress`` (resuming), ``failures`` (what is kept of a failing case), ``section`` (the page).
"""
