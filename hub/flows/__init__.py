"""The life of an order, one module per step, in this order:

sync → locate → plan → dispatch → drive → estimate → notify → prove → report

Each step is a plain function of (hub, ids). Its shape is always: read, talk to
the outside with no unit open, then write in one unit.
"""
