"""Pictures of actas that never existed, drawn from the sealed truth of a simulated night.

The same acta, seed and attempt give the same bytes in any process with the same libraries. Every sheet
says SIMULACRO.
"""
