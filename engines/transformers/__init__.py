"""A transformers model in this process, with continuous batching.

spec.py        which model, how it is opened
engine.py      the engine: many callers, one batch
scheduler.py   the thread that owns a model and batches what callers ask
decoding.py    rows that are decoded together, one token at a time
kv_cache.py    keys and values of rows that come and go
sampling.py    from logits and uniform numbers to tokens
"""
