"""Instruments: values always in view, the safe-state button, panels with manual changes within limits."""
