"""The HTTP API: `asgi` puts the routes of all `resources` together, `web` is what each of them is made of, and `server`
runs the whole."""
