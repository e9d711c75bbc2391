"""The fault budget: a real rehearsal in which things are broken on purpose, one after the other."""
