"""The live process: fixes in, durable before acknowledged; what they mean; pages told at once.

It is a process of its own, ASGI without a framework, and imports the core, the database and
the settings: no plugin, no Flask, no solver. ``server`` starts it, ``app`` says which address
does what, ``writer`` commits, ``world`` knows who may post and who may see, ``streams`` tell.
"""
