"""The data of the portal: small objects, named by their content, that a static page can show.

One object per cut, named in `corte.json`, leads to the rest. What does not change in the night (names,
columns, where each section is) is apart from what changes at every cut, so that a browser asks for it once.
"""
