"""The queue and the run that is under way, seen and asked from the window.

link.py       the connection to the process that performs the queue; never waits
desk.py       one place for every wish: over the link, or in the file where nobody performs it
process.py    starts the process, detached
control.py    run, pause, resume, stop, abort; progress and state, in words and colour
panel.py      the entries, with what can be done with them
"""
