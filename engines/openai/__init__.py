"""A model on a server that speaks the OpenAI protocol.

spec.py          which server, which model, how it is asked
engine.py        the engine
requests.py      what is sent
protocol.py      what comes back, and what of it is believed; shapes.py as records, counting.py its tokens
copies.py        servers that give one sample several times
dialects.py      where servers differ, as a table
client.py        one HTTP exchange
address.py       where; models.py which models it serves
concurrency.py   how many requests at once, as arithmetic; slots.py holds requests to it
retries.py       asking again
prices.py        what it costs
"""
