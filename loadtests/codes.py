"""The exit codes of a load test. Light: the verb imports it on every start of the command."""

PASSED, BROKEN, INVALID = 0, 2, 3
"""`prep carga` gives the last one also when no test could be made at all."""
