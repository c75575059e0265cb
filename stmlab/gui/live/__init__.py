"""The run that is under way, or was: curves, maps, fits, as they come."""
