"""Load tests of what is published and of the control room (`prep carga`).

It imports nothing of the control room: it asks as people do, over the network.
"""
