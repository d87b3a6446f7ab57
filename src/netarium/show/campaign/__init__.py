"""Show a campaign: its trials by variant with intervals, what differs in plain words, tables, figures, a page.

`trials` reads the record, `variants` and `effects` apply the statistics of `netarium.measure.repeats`, `words` says
them in sentences; `tables`, `plots` and `report` show them. Nothing but the campaign's folder is read.
"""
