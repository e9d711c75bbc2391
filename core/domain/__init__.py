"""The pure domain of the PREP: words, states, rules and arithmetic.

Nothing in this package reads a clock, a file, a database or the network, and nothing in it
imports the rest of `core`. Everything here is a value or a function of values.
"""
