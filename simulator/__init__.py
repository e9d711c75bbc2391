"""Drivers of the engine in virtual time: the simulated night and the replay of a real one.

It imports core and never the control room or the load tests.
"""
