"""A queue of runs: performed one after the other in a process of its own, kept in a file, asked over a socket.

entries.py      what shall be measured, and what came of it
file.py         the queue file: written by people, kept by the program
performing.py   one entry after the other, with `stmlab.acquisition.measurement`
control.py      the socket: what clients ask, and what they are told
protocol.py     its messages, client.py a client that waits, places.py where queues that run are found
"""
