"""What an answer costs: meters, what they read shared out among answers, and a ledger of it.

meters/       one back end a file: what this machine can measure
counting      readings into joules: wrap-around, resets, gaps
sampling      a meter read often enough
attribution   of a machine's joules, those of this program
power_model   the estimate, where there is no meter
accounts      who pays: one account an answer
paying        an answer under way pays, and is noted
ledger        what was paid, kept; summary adds it up
cloud         what a data centre would spend, apart from all else
"""
