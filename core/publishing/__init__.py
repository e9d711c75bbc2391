"""The service that publishes: when a cut is due, who makes it, and what is said when it does not go out.

How a cut is made is `core.publication`; where it is taken, `core.destinations`.
"""
