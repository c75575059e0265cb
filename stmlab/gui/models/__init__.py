"""The models with sliders, drawn over the data in view."""
