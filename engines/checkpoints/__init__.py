"""A model's files, read without opening the model.

checkpoint.py        where they are, their hashes, number format and licence
tokenizer_files.py   those of its tokenizer alone
lora.py              an adapter's
"""
