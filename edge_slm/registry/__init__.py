"""Statements about this installation for registers and audits, from what is installed and measured.

figures   what was measured and what is installed
rgesn     the eco-design statement, criterion by criterion
markdown  a statement as Markdown
"""
