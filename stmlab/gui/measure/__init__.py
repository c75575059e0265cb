"""What is measured next: sequences, their parameters, presets, and the check beside them."""
