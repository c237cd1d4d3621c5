"""`steplabel curate`: a new dataset from the labels of another one, filtered or merged; the evidence is copied.

    options.py         the command's options, and the steps they stand for
    steps.py           what a step of curation is: rows of a chunk in, rows and rejects out
    contamination.py   problems that stand in a test set leave
    duplicates.py      of solutions that say the same, one stays
    agreement.py       solutions stay on whose first error other datasets, or verifiers, agree
    verdicts.py        where verifiers see the first error
    consistency.py     PROF: solutions leave whose steps contradict their answer
    compression.py     HNC: the tree of a problem with some steps merged, labelled anew
    merging.py         neighbouring steps become one: TP-GRPO, FoVer
    balancing.py       as many solutions with an error as without
    writing.py         the steps one after the other over a whole dataset, chunk by chunk
    summary.py         what came of it
    origins.py         the run behind a dataset that was relabelled or curated
    held_out.py        the problems of a test set, in whatever layout

The rules themselves are functions of `labels/curation`. Here they meet whole datasets: a chunk's rows are held at a
time, and where a rule looks at all of them (duplicates, balance, agreement) ids and classes are.
"""
