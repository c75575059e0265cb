"""Runs on disk: writer, reader, importers."""
