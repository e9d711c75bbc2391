"""Fits the capture centre to a real night and says how good the fit is."""
