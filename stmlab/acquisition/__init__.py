"""What a run is: a sequence with its parameters, the runner that takes its points, the measurement around both."""
