"""Parts of `verifiers.py`: what each verifier decides, on data that people have marked."""
