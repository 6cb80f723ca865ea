"""The two writes to Goody: cancel an order, change its expiration.

kinds.py defines the request, the proof and the conclusions from a read for each of them. intents.py
commits the intent and send.py carries it out; transitions.py changes the state of an operation
together with the audit; resolve.py determines by reads the outcome of a write whose answer was
lost, with the evidence of evidence.py; reads.py reads one order and applies the answer.
job_items.py also stores the outcome of an operation in its item of a job.
"""
