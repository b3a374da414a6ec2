"""How many cores a process may use, its threads on them, and how they wait.

Programs that run beside each other on the same cores hold each other up if
each has a thread for every core of the machine, or if threads that wait for
one another keep a core busy meanwhile.

Nothing is imported here, and torch only where a thread is counted: the
command line asks before torch is loaded, and where it is missing.
"""
