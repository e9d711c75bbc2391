"""The faults, by the part of the system they break."""
