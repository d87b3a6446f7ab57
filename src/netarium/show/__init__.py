"""Show: terminal tables, figures, the HTML report and comparisons, all read from run folders alone.

Import what you use (`show.report`, `.tables`, `.plots`, `.compare`): naming this package costs nothing.
"""
