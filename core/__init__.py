"""The PREP engine: domain, intake, capture, tally, publication, storage and the ``prep`` command.

It imports none of the other packages (simulator, control_room, loadtests); they import it.
"""
