"""What a file of another program holds: which column is what, which rows are one sweep, what its header says."""
