"""Questions asked of many nights: how many people it takes, what to expect, which plan is better.

Everything here plays `simulator.fast.replication` and never the engine: no database, no package.
"""
