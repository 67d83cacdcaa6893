"""The running program: settings, the ASGI app, logs, start and stop.

The only room that reads the environment, the clock and the random source, and joins the others.
"""
