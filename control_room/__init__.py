"""The control room: the wall and the pages from which the night is watched.

It reads what the engine keeps and never writes the election's data. Its first modules come with the
work on the control room; until then this package holds nothing else.
"""
