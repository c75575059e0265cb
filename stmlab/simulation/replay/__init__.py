"""Recorded data as the junction: what was measured once is measured again, through the whole chain of instruments.

A recording is known only where it was taken. So each kind says which outputs and axes it holds and over which range;
a sequence that asks for more is refused before anything moves. Between recorded points is interpolated.

    file --> tables (files, runs) --> a junction of its kind (spectra, response, pulses, trace) --> Sample
"""
