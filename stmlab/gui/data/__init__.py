"""Data that are there: catalogue, overlay, fits, maps, replay, export. Files are read in work processes."""
