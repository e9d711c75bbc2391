"""Witnesses of the public log: one that cosigns (C2SP tlog-witness) and the client that asks others to.

Nothing here publishes or decides when; what a log, a note or a proof is belongs to `core.transparency`.
"""
