"""Load tests of the portal and of the API: traffic profiles, thresholds and invariants.

It drives published interfaces from outside and imports only core. Its first modules come with the work
on the load tests; until then this package holds nothing else.
"""
