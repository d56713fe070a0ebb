"""A network over HTTP: what `nnspec serve` runs. It needs the extra `serve`: FastAPI, uvicorn, httptools.

A request passes protocol (time to arrive) → guard (host, token, time to answer) → app (routes) → bodies (bytes to
samples) → batching (one call of the network for several requests) → answers. `server` puts them together.
"""
