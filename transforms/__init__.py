"""Beam transforms: thin shells over plain functions, one capability each.

coders.py     records between stages, as MessagePack
io.py         rows from JSONL, Parquet and dataset folders; tables to Parquet and back
whole_file.py  a file that is seen whole or not at all
rollout_files.py  rollouts of a store as Parquet, and back
dataset.py    the output folder: staging, manifest, commit
host.py       one event loop and one engine of each kind per process
prompts.py    from a problem to what the model is shown
sampler.py    answers `Sample` effects: engine, then answer checker
scorer.py     answers `Score` effects: two readings of a prompt
intake.py     rows to problems with imported solutions, or rejects
sample.py     SampleSolutions
annotate.py   FilterQuestions, Annotate
verify.py     Verify
label.py      DeriveLabels
write.py      WriteDataset
columnar/     labels from columns, for `relabel`: no record is made on the way
"""

from steplabel.transforms.coders import register_coders

register_coders()
