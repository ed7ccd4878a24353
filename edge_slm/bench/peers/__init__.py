"""Other people's engines beside ours, on the same questions in one run.

catalogue   which peers there are, and which are made here
runner      a peer that talks in JSON lines
contenders  ours, a server, a runner: all asked in one way
questions   what all are asked, and what a sound answer is
suite       the rounds, and the lines that come of them
speech      the same for speech
verdict     where a peer beats us, in sentences
"""
